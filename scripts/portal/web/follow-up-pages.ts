import { type AgentError, asAgentError, AgentError as Failure } from '../../../agent/base/errors.ts';
import { filesIn } from '../office.ts';
import { deleteByMs, issueNotice, type OutcomeDue, outcomesDue, reportOutcome } from '../office-outcomes.ts';
import { type ReadDemand, readDemands, unreadDemands } from '../office-shares.ts';
import { outcomeUses } from '../outcome.ts';
import { day, html, type Markup, moment } from './html.ts';
import { identityOf } from './share-pages.ts';
import { facts, field, type Handler, page, postForm, problem, type Reply, type Visit } from './visit.ts';

/** What is owed afterwards: outcomes and deletions; and public notices. */
const stateWords: Readonly<Record<OutcomeDue['state'], string>> = {
  due: 'Outcome due',
  overdue: 'OVERDUE: with more than three, owners hear this agency no more',
  reported: 'Reported',
  'report-deletions': 'Reported; deletions since then are not reported yet',
};
const useWords: Readonly<Record<string, string>> = {
  arrest: 'an arrest',
  charge: 'a charge',
  exculpatory: 'it cleared somebody',
  vehicle_id: 'a vehicle was identified',
  no_value: 'no value',
  other: 'other',
};

function showOutcomes(visit: Visit, failure?: AgentError): Reply {
  const { desk } = visit;
  const due = outcomesDue(desk.office, desk.nowMs());
  return page(
    'Outcomes',
    html`<h1>Outcomes</h1>${problem(failure)}
<p class="hint">Owners of the region are told what a request led to, also if nobody sent anything, in words that name nobody. Counts are published as ranges.</p>
${due.length === 0 ? html`<p class="empty">No request has been published yet.</p>` : due.map((one) => outcomeCard(visit, one))}`,
    failure?.httpStatus ?? 200,
  );
}

function outcomeCard(visit: Visit, { request, shares, dueAtMs, state }: OutcomeDue): Markup {
  const { requestId, document } = request;
  const deleted = shares.filter(({ deletedAtMs }) => deletedAtMs !== undefined).length;
  const use = (name: string): Markup =>
    html`<p class="choice"><input type="checkbox" id="${requestId}-${name}" name="use" value="${name}"> <label for="${requestId}-${name}">${useWords[name] ?? name}</label></p>`;
  const content = html`<fieldset><legend>What the footage led to</legend>${outcomeUses.map(use)}</fieldset>
<p class="choice"><input type="checkbox" id="${requestId}-closed" name="closed"> <label for="${requestId}-closed">The case is closed</label></p>
<button>Publish the outcome</button>`;
  const form =
    visit.desk.outcomeKey === undefined
      ? html`<p class="hint">This console was started without an outcome key (--outcome-keys).</p>`
      : html`<details><summary>Report an outcome</summary>${postForm(visit, `/outcomes/${requestId}`, content)}</details>`;
  return html`<section class="card" aria-labelledby="case-${requestId}"><h2 id="case-${requestId}"><a href="/requests/${requestId}">${document.case.number}</a></h2>
<p class="${state === 'overdue' ? 'bad' : 'state'}">${stateWords[state]}</p>
${facts([
  ['Due', day(dueAtMs)],
  ['Shares', `${shares.length} received, ${deleted} deleted`],
])}${form}</section>`;
}

const postOutcome: Handler = async (visit) => {
  const { desk, form, id } = visit;
  try {
    if (desk.outcomeKey === undefined) {
      const why = 'the console was started without --outcome-keys';
      throw new Failure('usage', 'portal/no-outcome-key', `Cannot report an outcome: ${why}`);
    }
    const use = outcomeUses.filter((name) => form.all('use').includes(name));
    const status = form.has('closed') ? 'closed' : 'open';
    const report = { requestId: id, status, use, disclosures: [], key: desk.outcomeKey() } as const;
    await reportOutcome(desk.office, report, { actor: desk.actor, nowMs: desk.nowMs() });
    return { kind: 'see', location: '/outcomes' };
  } catch (thrown) {
    return showOutcomes(visit, expected(thrown));
  }
};

function showDeletions(visit: Visit, read?: readonly ReadDemand[]): Reply {
  const { desk } = visit;
  const rows = outcomesDue(desk.office, desk.nowMs()).flatMap(({ request, shares }) =>
    shares.map((share) => {
      const dueMs = deleteByMs(share, request);
      const isLate = share.deletedAtMs === undefined && dueMs <= desk.nowMs();
      const demanded =
        share.demanded !== undefined ? html`<span class="bad">demanded by its owner</span>` : 'no demand';
      const done =
        share.deletedAtMs === undefined
          ? html`<span class="${isLate ? 'bad' : 'state'}">${isLate ? 'OVERDUE' : 'kept'}</span>`
          : html`deleted ${moment(share.deletedAtMs)}`;
      const told =
        share.deletedAtMs === undefined
          ? ''
          : share.reported
            ? 'confirmed to its owner'
            : 'not confirmed yet: report the outcome';
      return html`<tr><td><a href="/shares/${share.shareId}">${share.shareId.slice(0, 8)}</a></td><td>${request.document.case.number}</td>
<td>${day(dueMs)}</td><td>${demanded}</td><td>${done}</td><td>${told}</td></tr>`;
    }),
  );
  const table = html`<div class="scroll" tabindex="0" role="region" aria-label="Deletions"><table><thead><tr><th scope="col">Share</th><th scope="col">Case</th><th scope="col">Delete by</th>
<th scope="col">Demand</th><th scope="col">State</th><th scope="col">Confirmed</th></tr></thead><tbody>${rows}</tbody></table></div>`;
  return page(
    'Deletions',
    html`<h1>Deletions</h1><p class="hint">A share is deleted on its own page. An outcome then carries the proof to its owner, who alone can recognise it.</p>
${demands(visit, read)}${rows.length === 0 ? html`<p class="empty">There is nothing to delete.</p>` : table}`,
  );
}

function demands(visit: Visit, read: readonly ReadDemand[] = []): Markup {
  const unread = unreadDemands(visit.desk.office).length;
  const found = read.map(({ shareId, ground, code }) =>
    ground === undefined || shareId === undefined
      ? html`<li><span class="bad">Not a demand of the owner of a share</span> (<code>${code}</code>)</li>`
      : html`<li><span class="good">Signed by the owner</span> of <a href="/shares/${shareId}">${shareId.slice(0, 8)}</a></li>`,
  );
  const form =
    visit.desk.identity === undefined
      ? html`<p class="hint">They can be read with the key that opens shares (--identity).</p>`
      : postForm(visit, '/deletions', html`<button>Read them</button>`);
  return html`${found.length === 0 ? undefined : html`<ul class="card">${found}</ul>`}
${unread === 0 ? html`<p>No demand is unread.</p>` : html`<p><strong>Unread demands: ${unread}</strong></p>${form}`}`;
}

const postDemands: Handler = (visit) => {
  const { desk } = visit;
  const by = { actor: desk.actor, nowMs: desk.nowMs() };
  return showDeletions(visit, readDemands(desk.office, identityOf(visit), by));
};

function showNotices(visit: Visit, failure?: AgentError): Reply {
  const { office, role } = visit.desk;
  const count = filesIn(office, 'notices').length;
  const content = html`<div class="pair"><div class="field"><label for="region">Region</label><select id="region" name="region">${office.agency.regions.map((region) => html`<option>${region}</option>`)}</select></div>
${field({ label: 'Shown for so many days', name: 'days', hint: 'At most 14.', value: '3' })}</div>
${field({ label: 'Headline', name: 'headline', hint: 'Up to 120 characters.', attributes: { maxlength: '120' } })}
<div class="field"><label for="text">Text</label><textarea id="text" name="text" rows="4" maxlength="1000" required>${visit.form.text('text')}</textarea></div><button>Publish the notice</button>`;
  const form =
    role === 'officer'
      ? postForm(visit, '/notices', content)
      : html`<p class="hint">An officer issues notices, at the officer's desk.</p>`;
  return page(
    'Notices',
    html`<h1>Notices</h1>${problem(failure)}<p class="hint">A public alert to everybody in a region. It asks for nothing and nobody can answer it. Issued so far: ${count}.</p>${form}`,
    failure?.httpStatus ?? 200,
  );
}

const postNotice: Handler = async (visit) => {
  const { desk, form } = visit;
  try {
    const fields = {
      region: form.text('region'),
      headline: form.text('headline'),
      text: form.text('text'),
      days: form.number('days', 'the days'),
    };
    await issueNotice(desk.office, fields, desk.key(), desk.nowMs());
    return { kind: 'see', location: '/notices' };
  } catch (thrown) {
    return showNotices(visit, expected(thrown));
  }
};

function expected(thrown: unknown): AgentError {
  const error = asAgentError(thrown);
  if (error.kind === 'bug') throw error;
  return error;
}

export const followUpRoutes: readonly (readonly [string, RegExp, Handler])[] = [
  ['GET', /^\/outcomes$/, (visit) => showOutcomes(visit)],
  ['POST', /^\/outcomes\/(?<id>[0-9a-f]{32})$/, postOutcome],
  ['GET', /^\/deletions$/, (visit) => showDeletions(visit)],
  ['POST', /^\/deletions$/, postDemands],
  ['GET', /^\/notices$/, (visit) => showNotices(visit)],
  ['POST', /^\/notices$/, postNotice],
];
