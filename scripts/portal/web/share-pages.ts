import { AgentError } from '../../../agent/base/errors.ts';
import { isMediaName } from '../../../agent/protocol/share-names.ts';
import { appendCustody, readCustody } from '../custody.ts';
import { checkCustody } from '../custody-check.ts';
import { listRequests } from '../office-requests.ts';
import {
  deleteShare,
  findShare,
  listShares,
  type OfficeShare,
  openOfficeShare,
  unreadDemands,
} from '../office-shares.ts';
import type { OpenedShare } from '../open-share.ts';
import { html, type Markup, megabytes, moment } from './html.ts';
import { facts, type Handler, page, postForm, type Visit } from './visit.ts';

/** The inbox of shares, a share with its verdict in plain words, its deletion, and the chain of custody. */
const grounds: Readonly<Record<string, string>> = {
  retention_due: 'the time for which it was granted is over',
  owner_request: 'the owner asks for it',
  terms_breach: 'the owner says that the terms were broken',
};

const inbox: Handler = ({ desk }) => {
  const shares = listShares(desk.office);
  const unread = unreadDemands(desk.office).length;
  const numbers = new Map(listRequests(desk.office, desk.nowMs()).map((r) => [r.requestId, r.document.case.number]));
  const rows = shares.map(
    (share) => html`<tr><td><a href="/shares/${share.shareId}">${share.shareId.slice(0, 8)}</a></td>
<td><a href="/requests/${share.requestId}">${numbers.get(share.requestId) ?? 'unknown'}</a></td><td>${moment(share.receivedAtMs)}</td>
<td>${megabytes(share.bodyBytes)}</td><td>${standing(share)}</td></tr>`,
  );
  const table = html`<div class="scroll" tabindex="0" role="region" aria-label="Shares"><table>
<thead><tr><th scope="col">Share</th><th scope="col">Case</th><th scope="col">Received</th><th scope="col">Size</th><th scope="col">Standing</th></tr></thead>
<tbody>${rows}</tbody></table></div>`;
  return page(
    'Shares',
    html`<h1>Shares</h1>
<p class="hint">What owners chose to send. Who got a request and did not answer is not known to anybody.</p>
${unread === 0 ? undefined : html`<p><a href="/deletions">Unread demands: ${unread}</a></p>`}
${shares.length === 0 ? html`<p class="empty">Nothing has arrived yet. Owners are asked by <a href="/requests">a request</a> that both desks signed.</p>` : table}`,
  );
};

function standing(share: OfficeShare): Markup {
  if (share.deletedAtMs !== undefined) return html`Deleted ${moment(share.deletedAtMs)}`;
  if (share.demanded !== undefined) return html`<span class="bad">Its owner demands deletion</span>`;
  if (share.lastOpened === undefined) return html`Not opened yet`;
  return share.lastOpened.problemCount === 0
    ? html`<span class="good">Opened: everything checked holds</span>`
    : html`<span class="bad">Opened: NOT PROVED</span>`;
}

function showShare(visit: Visit, opened?: OpenedShare): ReturnType<Handler> {
  const { desk, id } = visit;
  const share = findShare(desk.office, id);
  const history = readCustody(desk.office.intakeDir).filter(({ share_id: of }) => of === id);
  const rows = history.map(
    (entry) =>
      html`<tr><td>${entry.seq}</td><td>${moment(entry.at_ms)}</td><td>${entry.event}</td><td>${entry.actor}</td></tr>`,
  );
  return page(
    `Share ${id.slice(0, 8)}`,
    html`<h1>Share ${id.slice(0, 8)}</h1><p>${standing(share)}</p>
<div class="card">${facts([
      ['Share', html`<code>${id}</code>`],
      ['Request', html`<a href="/requests/${share.requestId}">${share.requestId.slice(0, 8)}</a>`],
      ['Received', moment(share.receivedAtMs)],
      ['Size', megabytes(share.bodyBytes)],
      [
        'Demand',
        share.demanded === undefined
          ? 'none'
          : `signed by its owner: delete it, because ${grounds[share.demanded] ?? share.demanded}`,
      ],
      ['Copies made', share.copies.length === 0 ? 'none' : share.copies.join('; ')],
    ])}</div>
${opened === undefined ? undefined : verdict(opened, id)}
${share.deletedAtMs === undefined ? actions(visit, share) : undefined}
<h2>Chain of custody</h2><div class="scroll" tabindex="0" role="region" aria-label="Chain of custody"><table>
<thead><tr><th scope="col">No.</th><th scope="col">When</th><th scope="col">What</th><th scope="col">Who</th></tr></thead><tbody>${rows}</tbody></table></div>`,
  );
}

function verdict({ verdict: found, files }: OpenedShare, shareId: string): Markup {
  const media = files.filter(({ name }) => isMediaName(name));
  const { terms } = found;
  return html`<section class="card" aria-labelledby="verdict"><h2 id="verdict">What this share proves</h2>
<p class="${found.problems.length === 0 ? 'good' : 'bad'}">${found.problems.length === 0 ? 'Everything that could be checked holds.' : 'NOT PROVED. Do not rely on it.'}</p>
<ul>${found.plainWords.map((words) => html`<li>${words}</li>`)}</ul>
<h3>What its owner granted</h3><p>Delete within ${terms.delete_by_days} days, report the outcome within ${terms.outcome_due_days} days, third parties: ${terms.third_party}, no biometric search.</p>
<h3>Footage</h3>${media.map(
    ({ name, bytes }) => html`<p><a href="/shares/${shareId}/files/${name}">${name}</a> (${megabytes(bytes)})</p>`,
  )}<p class="hint">Every look at a file is written into the chain of custody.</p></section>`;
}

function actions(visit: Visit, { shareId, copies }: OfficeShare): Markup {
  const open =
    visit.desk.identity === undefined
      ? html`<p class="hint">This console was started without the key that opens shares (--identity).</p>`
      : postForm(visit, `/shares/${shareId}/open`, html`<button>Open and verify</button>`);
  const remove = html`<p>Deletes the share here for good.${copies.length === 0 ? undefined : ' Copies listed above have to be deleted by hand.'} Then report it with the outcome: that is how its owner learns of it.</p>
<div class="field"><label for="ground">Why</label><select id="ground" name="ground">
<option value="retention_due">the granted time is over</option><option value="owner_request">the owner demands it</option>
<option value="terms_breach">the owner says that terms were broken</option><option value="not_needed">it is not needed</option></select></div>
<p class="choice"><input type="checkbox" id="sure" name="sure" value="yes" required> <label for="sure">Yes, delete this share</label></p><button>Delete</button>`;
  return html`${open}<details><summary>Delete this share</summary>${postForm(visit, `/shares/${shareId}/delete`, remove)}</details>`;
}

export function identityOf({ desk }: Visit): string {
  if (desk.identity !== undefined) return desk.identity();
  throw new AgentError(
    'usage',
    'portal/no-identity',
    'Cannot open the share: the console was started without --identity',
  );
}

const open: Handler = (visit) => {
  const { desk, id } = visit;
  const opened = openOfficeShare(desk.office, id, identityOf(visit), { actor: desk.actor, nowMs: desk.nowMs() });
  return showShare(visit, opened);
};

const file: Handler = (visit) => {
  const { desk, id, name } = visit;
  const { requestId } = findShare(desk.office, id);
  const { content } = openOfficeShare(desk.office, id, identityOf(visit), { actor: desk.actor, nowMs: desk.nowMs() });
  const found = content.find((one) => one.name === name);
  if (found === undefined) return page('Not found', html`<h1>Not found</h1><p>The share has no such file.</p>`, 404);
  const entry = { atMs: desk.nowMs(), actor: desk.actor, shareId: id, requestId };
  appendCustody(desk.office.intakeDir, { ...entry, event: 'copied-out', facts: { to: `browser: ${name}`, files: 1 } });
  return { kind: 'file', name, bytes: found.bytes };
};

const remove: Handler = ({ desk, id, form }) => {
  const ground = form.text('ground');
  if (form.text('sure') !== 'yes' || !/^[a-z_]{1,20}$/.test(ground)) {
    throw new AgentError('usage', 'portal/not-confirmed', 'Cannot delete the share: it was not confirmed');
  }
  deleteShare(desk.office, id, { actor: desk.actor, nowMs: desk.nowMs(), ground });
  return { kind: 'see', location: `/shares/${id}` };
};

const custody: Handler = async ({ desk }) => {
  const { entries, head, sharesHeld, sharesDeleted } = await checkCustody(desk.office.intakeDir);
  const held = new Set([...sharesHeld, ...sharesDeleted]);
  const rows = entries
    .toReversed()
    .slice(0, 500)
    .map(
      (
        entry,
      ) => html`<tr><td>${entry.seq}</td><td>${moment(entry.at_ms)}</td><td>${entry.event}</td><td>${entry.actor}</td>
<td>${held.has(entry.share_id) ? html`<a href="/shares/${entry.share_id}">${entry.share_id.slice(0, 8)}</a>` : entry.share_id.slice(0, 8)}</td></tr>`,
    );
  return page(
    'Chain of custody',
    html`<h1>Chain of custody</h1><p class="good">It holds: ${entries.length} entries, ${sharesHeld.length} ${sharesHeld.length === 1 ? 'share' : 'shares'} as received, ${sharesDeleted.length} deleted.</p>
<p>Newest entry, to be noted down elsewhere: <code>${head ?? 'none yet'}</code></p>
<p class="hint">Check it later with: portal custody verify --office DIR --head HASH</p>
<div class="scroll" tabindex="0" role="region" aria-label="Entries"><table><thead><tr><th scope="col">No.</th><th scope="col">When</th><th scope="col">What</th><th scope="col">Who</th><th scope="col">Share</th></tr></thead><tbody>${rows}</tbody></table></div>`,
  );
};

const id = '(?<id>[0-9a-f]{32})';
export const shareRoutes: readonly (readonly [string, RegExp, Handler])[] = [
  ['GET', /^\/$/, inbox],
  ['GET', new RegExp(`^/shares/${id}$`), (visit) => showShare(visit)],
  ['POST', new RegExp(`^/shares/${id}/open$`), open],
  ['GET', new RegExp(`^/shares/${id}/files/(?<name>[0-9a-zA-Z.-]{1,40})$`), file],
  ['POST', new RegExp(`^/shares/${id}/delete$`), remove],
  ['GET', /^\/custody$/, custody],
];
