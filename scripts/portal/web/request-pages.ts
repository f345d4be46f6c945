import { type AgentError, asAgentError } from '../../../agent/base/errors.ts';
import type { RequestDocument } from '../../../agent/protocol/documents.ts';
import { areaKm2 } from '../../../agent/protocol/geometry.ts';
import {
  checkDraft,
  listRequests,
  type OfficeRequest,
  publish,
  readRequest,
  revoke,
  signAsApprover,
  signAsOfficer,
} from '../office-requests.ts';
import { day, html, type Markup, moment, type Value } from './html.ts';
import { postDraft, requestForm } from './request-form.ts';
import { facts, field, type Handler, page, postForm, problem, type Reply, type Visit } from './visit.ts';

/** Requests: the list, the form, and what each desk may do with one. */
const stateWords: Readonly<Record<OfficeRequest['state'], string>> = {
  draft: 'Draft: an officer signs it next',
  'half-signed': 'Signed by an officer: an approver reads and signs it next',
  signed: 'Signed by both: it can be published',
  published: 'Published',
  expired: 'Expired',
  revoked: 'Revoked',
};

const list: Handler = ({ desk }) => {
  const requests = listRequests(desk.office, desk.nowMs());
  const rows = requests.map(
    ({ requestId, state, document }) => html`<tr><td><a href="/requests/${requestId}">${document.case.number}</a></td>
<td>${document.case.incident}</td><td>${stateWords[state]}</td><td>${day(document.expires_at * 1000)}</td></tr>`,
  );
  const table = html`<div class="scroll" tabindex="0" role="region" aria-label="Requests"><table>
<thead><tr><th scope="col">Case</th><th scope="col">Incident</th><th scope="col">State</th><th scope="col">Expires</th></tr></thead>
<tbody>${rows}</tbody></table></div>`;
  return page(
    'Requests',
    html`<h1>Requests</h1><p><a href="/requests/new">Write a new request</a></p>
${requests.length === 0 ? html`<p class="empty">There is none yet.</p>` : table}`,
  );
};

const show: Handler = (visit) => showRequest(visit);

function showRequest(visit: Visit, failure?: AgentError): Reply {
  const { desk, id } = visit;
  const request = readRequest(desk.office, id, desk.nowMs());
  if (request === undefined) return page('Not found', html`<h1>Not found</h1><p>There is no such request.</p>`, 404);
  const { document, state } = request;
  return page(
    `Request ${document.case.number}`,
    html`<h1>Request ${document.case.number}</h1>${problem(failure)}
<p><strong>${stateWords[state]}</strong></p>
<div class="card">${requestFacts(document)}</div>${warnings(visit, request)}${actions(visit, request)}`,
    failure?.httpStatus ?? 200,
  );
}

function requestFacts(request: RequestDocument): Markup {
  const { case: about, contact, window, terms, area, legal } = request;
  const place: Value =
    'circle' in area
      ? `${area.circle.radius_m} m around ${degrees(area.circle.lat_e6)}, ${degrees(area.circle.lon_e6)}`
      : `polygon of ${area.polygon.pts_e6.length} corners`;
  return facts([
    ['Incident', `${about.incident}, opened ${about.opened_on}`],
    ['Statement', about.statement],
    ['Window', html`${moment(window.from * 1000)} to ${moment(window.to * 1000)}`],
    ['Area', `${place}, ${areaKm2(area).toFixed(3)} km², ${request.region}`],
    ['Sound', request.media.audio ? 'asked for' : 'not asked for'],
    ['Contact', `${contact.name}, badge ${contact.badge}, ${contact.phone}`],
    ['Authority', `${legal.authority} (the owner is asked, not ordered)`],
    [
      'Terms',
      `deleted within ${terms.delete_by_days} days; outcome within ${terms.outcome_due_days} days; third parties: ${terms.third_party}; no biometric search`,
    ],
    ['Issued', html`${moment(request.issued_at * 1000)}, expires ${moment(request.expires_at * 1000)}`],
    ['Number', `${request.seq} of the agency's documents`],
  ]);
}

function degrees(e6: number): string {
  return (e6 / 1e6).toFixed(6);
}

function warnings({ desk }: Visit, { document, state }: OfficeRequest): Markup | undefined {
  if (state === 'expired' || state === 'revoked') return undefined;
  const nowMs = Math.min(desk.nowMs(), document.expires_at * 1000 - 1);
  const found = checkDraft(desk.office, document, nowMs);
  if (!found.includes('assembly-wording')) return undefined;
  return html`<p class="problem">Owners will be warned that this may be about people who assembled.</p>`;
}

function actions(visit: Visit, { requestId, hash, state }: OfficeRequest): Markup | undefined {
  const { role } = visit.desk;
  const seen = html`<input type="hidden" name="hash" value="${hash}">`;
  const act = (what: string, button: string): Markup =>
    postForm(visit, `/requests/${requestId}/${what}`, html`${seen}<button>${button}</button>`);
  if (state === 'draft') {
    return role === 'officer'
      ? act('sign', 'Sign as officer')
      : html`<p class="hint">An officer has to sign it, at the officer's desk.</p>`;
  }
  if (state === 'half-signed') {
    if (role === 'officer')
      return html`<p class="hint">Now an approver has to read and sign it, at the approver's desk.</p>`;
    return html`<p>You sign that this request is lawful, necessary and no wider than it must be.</p>${act('approve', 'Sign as approver')}`;
  }
  if (state === 'signed') return act('publish', 'Publish to the region');
  if (state !== 'published') return undefined;
  const reason = field({ label: 'Reason', name: 'reason', attributes: { maxlength: '200' } });
  const content = html`${reason}<button>Revoke the request</button>`;
  return html`<details><summary>Take the request back</summary>${postForm(visit, `/requests/${requestId}/revoke`, content)}</details>`;
}

/** Does something with the request and shows it again; what went wrong stands above it. */
function acting(act: (visit: Visit) => unknown): Handler {
  return async (visit) => {
    try {
      await act(visit);
      return { kind: 'see', location: `/requests/${visit.id}` };
    } catch (thrown) {
      const error = asAgentError(thrown);
      if (error.kind === 'bug') throw error;
      return showRequest(visit, error);
    }
  };
}

const sign = acting(({ desk, id, form }) => {
  const seen = { requestId: id, hash: form.text('hash') };
  if (desk.role === 'officer') signAsOfficer(desk.office, seen, desk.key(), desk.nowMs());
  else signAsApprover(desk.office, seen, desk.key(), desk.nowMs());
});

const id = '(?<id>[0-9a-f]{32})';
export const requestRoutes: readonly (readonly [string, RegExp, Handler])[] = [
  ['GET', /^\/requests$/, list],
  ['POST', /^\/requests$/, postDraft],
  ['GET', /^\/requests\/new$/, (visit) => requestForm(visit)],
  ['GET', new RegExp(`^/requests/${id}$`), show],
  ['POST', new RegExp(`^/requests/${id}/(?:sign|approve)$`), sign],
  [
    'POST',
    new RegExp(`^/requests/${id}/publish$`),
    acting(({ desk, id: of }) => publish(desk.office, of, desk.nowMs())),
  ],
  [
    'POST',
    new RegExp(`^/requests/${id}/revoke$`),
    acting(({ desk, id: of, form }) =>
      revoke(desk.office, of, { reason: form.text('reason'), key: desk.key() }, desk.nowMs()),
    ),
  ],
];
