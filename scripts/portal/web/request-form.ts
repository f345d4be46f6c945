import { type AgentError, asAgentError, AgentError as Failure } from '../../../agent/base/errors.ts';
import { defaultLimits as limits } from '../../../agent/protocol/limits.ts';
import { type DraftFields, draftRequest } from '../office-requests.ts';
import { parsePlace } from '../request.ts';
import { html, type Markup, moment } from './html.ts';
import {
  type Field,
  type Form,
  field,
  type Handler,
  page,
  postForm,
  problem,
  type Reply,
  type Visit,
} from './visit.ts';

/** The form for a request. Every cap stands beside the field that it bounds, because devices enforce it, not the portal. */
const dayS = 86_400;
const radii = [limits.minAreaKm2, limits.maxAreaKm2].map((km2) => Math.round(Math.sqrt((km2 * 1e6) / Math.PI)));

export function requestForm(visit: Visit, failure?: AgentError): Reply {
  const { desk, form } = visit;
  const { regions } = desk.office.agency;
  const own = (name: string, fallback = ''): string => (form.has(name) ? form.text(name) : fallback);
  const input = (of: Omit<Field, 'value'>, fallback = ''): Markup => field({ ...of, value: own(of.name, fallback) });
  const chosen = own('region', regions[0] ?? '');
  const option = (region: string): Markup =>
    html`<option${region === chosen ? html` selected` : undefined}>${region}</option>`;
  const content = html`
<fieldset><legend>The case</legend><div class="pair">
${input({ label: 'Case number', name: 'case_number', hint: 'At most two requests per case are shown to an owner.', attributes: { maxlength: '64' } })}
${input({ label: 'Kind of incident', name: 'incident', attributes: { maxlength: '64' } })}
${input({ label: 'Case opened on', name: 'opened_on', type: 'date' })}
${input({ label: 'Authority', name: 'authority', hint: 'The law under which you may ask. Every answer is voluntary.', attributes: { maxlength: '200' } })}
</div><div class="field"><label for="statement">What happened, and what you look for</label>
<p class="hint" id="statement-hint">Up to 1,000 characters. Owners read exactly this. Words about assemblies raise a warning with them.</p>
<textarea id="statement" name="statement" rows="4" maxlength="1000" required aria-describedby="statement-hint">${own('statement')}</textarea></div></fieldset>
<fieldset><legend>When</legend>
<p class="hint">All of it in the past: ${limits.minWindowS / 60} minutes to ${limits.maxWindowS / 3600} hours, and at most ${limits.maxReachBackS / dayS} days ago. Nobody can ask for the present or the future. Times are UTC: now it is ${moment(desk.nowMs())}, here ${localTime(desk.nowMs())}.</p><div class="pair">
${input({ label: 'From (UTC)', name: 'from', type: 'datetime-local' })}
${input({ label: 'To (UTC)', name: 'to', type: 'datetime-local' })}</div></fieldset>
<fieldset><legend>Where</legend>
<p class="hint">${limits.minAreaKm2} to ${limits.maxAreaKm2} km², so that no single house can be aimed at: for a circle a radius of ${radii[0]} to ${radii[1]} m. The device decides by itself whether it lies inside; you will not learn which do.</p>
<div class="pair"><div class="field"><label for="region">Region</label><select id="region" name="region">${regions.map(option)}</select></div>
${input({ label: 'Centre, as LAT,LON in degrees', name: 'circle', hint: 'For example 37.7749,-122.4194' })}
${input({ label: 'Radius in metres', name: 'radius', attributes: { inputmode: 'numeric' } }, '250')}</div></fieldset>
<fieldset><legend>Terms that you offer</legend><div class="pair">
${input({ label: 'Open for so many days', name: 'days', hint: `At most ${limits.maxLifetimeS / dayS}.` }, '7')}
${input({ label: 'Footage deleted within days', name: 'delete_by_days', hint: `At most ${limits.maxDeleteByDays}.` }, '90')}
${input({ label: 'Outcome reported within days', name: 'outcome_due_days', hint: `At most ${limits.maxOutcomeDueDays}. With more than three overdue, owners hear you no more.` }, '60')}
<div class="field"><label for="third_party">Passed on to</label><select id="third_party" name="third_party">
<option value="none">nobody</option><option value="court_only"${own('third_party') === 'court_only' ? html` selected` : undefined}>a court only</option></select></div></div>
<p class="choice"><input type="checkbox" id="audio" name="audio"${form.has('audio') ? html` checked` : undefined}> <label for="audio">Ask for sound as well</label></p></fieldset>
<fieldset><legend>Whom an owner may call</legend><div class="pair">
${input({ label: 'Name', name: 'officer_name', attributes: { maxlength: '100' } })}
${input({ label: 'Badge', name: 'badge', attributes: { maxlength: '40' } })}
${input({ label: 'Telephone', name: 'phone', type: 'tel', attributes: { maxlength: '40' } })}</div></fieldset>
<button>Write the draft</button>`;
  return page(
    'New request',
    html`<h1>New request</h1>${problem(failure)}
<p>Devices check every request themselves. What they would refuse is refused here, with the same code.</p>${postForm(visit, '/requests', content)}`,
    failure?.httpStatus ?? 200,
  );
}

export const postDraft: Handler = (visit) => {
  const { desk, form } = visit;
  try {
    const { requestId } = draftRequest(desk.office, fieldsOf(form), desk.nowMs());
    return { kind: 'see', location: `/requests/${requestId}` };
  } catch (thrown) {
    const error = asAgentError(thrown);
    if (error.kind === 'bug') throw error;
    return requestForm(visit, error);
  }
};

function fieldsOf(form: Form): DraftFields {
  return {
    region: form.text('region'),
    area: { circle: { ...parsePlace(form.text('circle')), radius_m: form.number('radius', 'the radius') } },
    case: {
      number: form.text('case_number'),
      incident: form.text('incident'),
      opened_on: form.text('opened_on'),
      statement: form.text('statement'),
    },
    contact: { name: form.text('officer_name'), badge: form.text('badge'), phone: form.text('phone') },
    window: { from: utc(form.text('from')), to: utc(form.text('to')) },
    authority: form.text('authority'),
    audio: form.has('audio'),
    lifetimeDays: form.number('days', 'the days'),
    terms: {
      delete_by_days: form.number('delete_by_days', 'the days until deletion'),
      outcome_due_days: form.number('outcome_due_days', 'the days until the outcome'),
      third_party: form.text('third_party'),
    },
  };
}

/** By the clock on the wall of whoever sits before this machine. */
function localTime(ms: number): string {
  return new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZoneName: 'shortOffset' }).format(
    ms,
  );
}

/** What a browser sends of a date and time field, taken as UTC. */
function utc(text: string): number {
  const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/.test(text) ? Date.parse(`${text}Z`) : Number.NaN;
  if (!Number.isNaN(ms)) return Math.floor(ms / 1000);
  throw new Failure('usage', 'portal/bad-time', 'Cannot read the window: give a date and a time for both ends');
}
