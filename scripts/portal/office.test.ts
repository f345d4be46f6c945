import { spawn } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import mqtt from 'mqtt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { asAgentError } from '../../agent/base/errors.ts';
import { checkAgency } from '../../agent/protocol/agency-check.ts';
import { openEnvelope, signEnvelope } from '../../agent/protocol/envelope.ts';
import { checkOutcome } from '../../agent/protocol/follow-up-check.ts';
import { generateSigningKey } from '../../agent/protocol/keys.ts';
import { AgencyOffice, foreignId } from '../../test-fixtures/portal/agency-office.ts';
import { appendCustody } from './custody.ts';
import { checkCustody } from './custody-check.ts';
import { readSigningKey } from './key-files.ts';
import { makeOffice } from './office.ts';
import { issueNotice, outcomesDue, reportOutcome } from './office-outcomes.ts';
import {
  checkDraft,
  listRequests,
  publish,
  readRequest,
  revoke,
  signAsApprover,
  signAsOfficer,
} from './office-requests.ts';
import { deleteShare, listShares, openOfficeShare, readDemands, unreadDemands } from './office-shares.ts';
import { deletionOf, makeOutcome } from './outcome.ts';
import { pinnedRootOf } from './root.ts';
import { takePlace } from './sequence.ts';

/** One office's life with a real broker and a real intake, told in order: the tests of this file depend on each other. */
let agency: AgencyOffice;
let requestId: string;
const by = (): { actor: string; nowMs: number } => ({ actor: 'ana', nowMs: Date.now() });
const key = (role: 'officer' | 'approver' | 'outcome') => readSigningKey(role, agency.at(role));

beforeAll(async () => {
  agency = await AgencyOffice.make();
});
afterAll(async () => {
  await agency[Symbol.asyncDispose]();
});

async function code(act: () => unknown): Promise<string> {
  try {
    await act();
  } catch (thrown) {
    return asAgentError(thrown).code;
  }
  return 'nothing was refused';
}

/** What a device that has just subscribed gets. */
async function retained(): Promise<Map<string, Buffer>> {
  const messages = new Map<string, Buffer>();
  const { broker } = agency;
  const client = await mqtt.connectAsync(broker.url, {
    protocolVersion: 5,
    ca: readFileSync(broker.caFile ?? ''),
    username: 'device',
    password: broker.password('device'),
  });
  client.on('message', (topic, payload) => messages.set(topic, payload));
  await client.subscribeAsync('latchkey/1/US-CA/#', { qos: 0 });
  // The broker answers in order: whatever it had kept has come before the answer to a ping.
  const answered = new Promise<void>((resolve) => {
    client.on('packetreceive', ({ cmd }) => {
      if (cmd === 'pingresp') resolve();
    });
  });
  client.sendPing();
  await answered;
  await client.endAsync();
  return messages;
}

test('a draft that devices would refuse is not written and takes no number', async () => {
  const { office } = agency;
  expect(await code(() => agency.draft({ hours: 6 }))).toBe('request/window-too-long');
  expect(listRequests(office, Date.now())).toEqual([]);
  const drafted = agency.draft({ statement: 'While people were marching a window was broken.' });
  expect([drafted.state, drafted.document.seq]).toEqual(['draft', 1]);
  expect(checkDraft(office, drafted.document, Date.now())).toEqual(['assembly-wording']);
});

test('each step needs the one before, and the text that was read', async () => {
  const { office } = agency;
  const draft = agency.draft();
  requestId = draft.requestId;
  const seen = { requestId, hash: draft.hash };
  const now = Date.now();
  expect(await code(() => signAsApprover(office, seen, key('approver'), now))).toBe('portal/wrong-state');
  expect(await code(() => publish(office, requestId, now))).toBe('portal/wrong-state');
  expect(await code(() => publish(office, foreignId(), now))).toBe('portal/no-such-request');
  const other = { requestId, hash: '0'.repeat(64) };
  expect(await code(() => signAsOfficer(office, other, key('officer'), now))).toBe('portal/changed');
  signAsOfficer(office, seen, key('officer'), now);
  // An officer who puts another text under the same name after it was shown.
  const half = join(office.dir, 'half-signed', `${requestId}.json`);
  const honest = readFileSync(half);
  const wider = { ...draft.document, statement: 'x', case: { ...draft.document.case, statement: 'Another text.' } };
  const { statement: _dropped, ...altered } = wider;
  writeFileSync(half, signEnvelope('request', altered, [key('officer')]));
  expect(readRequest(office, requestId, now)?.document.case.statement).toBe('Another text.');
  expect(await code(() => signAsApprover(office, seen, key('approver'), now))).toBe('portal/changed');
  writeFileSync(half, honest);
  // The same key again is no second person.
  expect(await code(() => signAsApprover(office, seen, key('officer'), now))).toBe('envelope/not-enough-signers');
  signAsApprover(office, seen, key('approver'), now);
  const { topics } = await publish(office, requestId, now);
  expect([...(await retained()).keys()]).toEqual(topics);
});

test('a share arrives, is opened and verified, and its owner demands deletion', async () => {
  const { office, identity } = agency;
  const share = await agency.sendShare(requestId);
  const altered = await agency.sendShare(requestId, (video) => void (video[30_000] = (video[30_000] ?? 0) ^ 1));
  expect(listShares(office).map(({ shareId }) => shareId)).toEqual([altered.shareId, share.shareId]);
  const opened = openOfficeShare(office, share.shareId, identity, { ...by(), outDir: agency.at('copy') });
  expect(opened.verdict).toMatchObject({ problems: [], requestMatches: true, requestSignature: 'valid' });
  expect(openOfficeShare(office, altered.shareId, identity, by()).verdict.problems).toContain('media-altered');
  expect(readDemands(office, identity, by())).toEqual([]);
  await agency.sendDemand(requestId, share);
  await agency.sendDemand(requestId, share, generateSigningKey());
  await agency.sendDemand(requestId, { ...share, shareId: foreignId() });
  await agency.sendSmall(requestId, { header: Buffer.from('no age file'), body: Buffer.from('x') });
  expect(unreadDemands(office)).toHaveLength(4);
  const found = readDemands(office, identity, by());
  expect(found.map((demand) => demand.ground ?? demand.code)).toEqual([
    'owner_request',
    'envelope/not-enough-signers',
    'portal/no-such-share',
    'age/damaged',
  ]);
  expect(found[0]?.shareId).toBe(share.shareId);
  expect([unreadDemands(office), readDemands(office, identity, by())]).toEqual([[], []]);
  expect(listShares(office).map(({ demanded }) => demanded)).toEqual([undefined, 'owner_request']);
  expect(await code(() => openOfficeShare(office, foreignId(), identity, by()))).toBe('portal/no-such-share');
});

test('an outcome counts shares in ranges, and lists deletions so that only their owners see them', async () => {
  const { office, identity } = agency;
  const [altered, share] = listShares(office);
  expect(outcomesDue(office, Date.now())).toMatchObject([{ state: 'due', request: { requestId } }]);
  expect(outcomesDue(office, Date.now() + 61 * 86_400_000)).toMatchObject([{ state: 'overdue' }]);
  const id = share?.shareId ?? '';
  expect(deleteShare(office, id, { ...by(), ground: 'owner_request' })).toEqual([agency.at('copy')]);
  expect(existsSync(join(office.intakeDir, 'shares', id))).toBe(false);
  const left = readdirSync(join(office.intakeDir, 'incoming')).filter((name) => name.endsWith('.json'));
  expect(left.filter((name) => readFileSync(join(office.intakeDir, 'incoming', name), 'utf8').includes(id))).toEqual(
    [],
  );
  expect(await code(() => openOfficeShare(office, id, identity, by()))).toBe('portal/share-deleted');
  const report = { requestId, status: 'open', use: ['vehicle_id'], disclosures: [] } as const;
  expect(await code(() => reportOutcome(office, { ...report, key: key('officer') }, by()))).toBe(
    'portal/key-not-listed',
  );
  const unknown = { ...report, requestId: foreignId(), key: key('outcome') };
  expect(await code(() => reportOutcome(office, unknown, by()))).toBe('portal/no-such-request');
  const { topics } = await reportOutcome(office, { ...report, key: key('outcome') }, by());
  const outcome = (await retained()).get(topics[0] ?? '') ?? Buffer.alloc(0);
  const checked = checkAgency({
    agency: office.agencyEnvelope,
    roots: [pinnedRootOf(office.root)],
    nowMs: Date.now(),
  });
  const { document } = checkOutcome({ outcome, agency: checked, nowMs: Date.now() });
  expect(document).toMatchObject({ shares: '1-4', retained: '1-4', use: ['vehicle_id'], status: 'open' });
  expect(document.deleted).toHaveLength(4);
  expect(document.deleted).toContain(deletionOf(id));
  expect(document.deleted).not.toContain(deletionOf(altered?.shareId ?? ''));
  expect(outcomesDue(office, Date.now())).toMatchObject([{ state: 'reported' }]);
  deleteShare(office, altered?.shareId ?? '', { ...by(), ground: 'not_needed' });
  expect(outcomesDue(office, Date.now())).toMatchObject([{ state: 'report-deletions' }]);
  const tooMany = { ...report, agency: 'west-city-pd', requestHash: '0'.repeat(64), shareCount: 1 };
  expect(await code(() => makeOutcome({ ...tooMany, deletedShareIds: [id, foreignId()] }, 9, key('outcome')))).toBe(
    'portal/too-many-deletions',
  );
});

test('a notice is signed by an officer of the agency, and one that devices refuse is not published', async () => {
  const { office } = agency;
  const fields = { region: 'US-CA', headline: 'Parcel thefts', text: 'On 5th Street.', days: 3 };
  expect(await code(() => issueNotice(office, fields, key('approver'), Date.now()))).toBe('portal/key-not-listed');
  expect(await code(() => issueNotice(office, { ...fields, days: 15 }, key('officer'), Date.now()))).toBe(
    'notice/lifetime-too-long',
  );
  expect(await code(() => issueNotice(office, { ...fields, region: 'US-NY' }, key('officer'), Date.now()))).toBe(
    'notice/region',
  );
  const { topics } = await issueNotice(office, fields, key('officer'), Date.now());
  const rule = { role: 'officer', threshold: 1, keys: [key('officer').publicKey] };
  const { document } = openEnvelope('notice', (await retained()).get(topics[0] ?? '') ?? Buffer.alloc(0), [rule]);
  expect(document.headline).toBe('Parcel thefts');
});

test('a revoked request is taken off the broker; the numbers of the agency never repeat', async () => {
  const { office } = agency;
  await revoke(office, requestId, { reason: 'Case closed', key: key('approver') }, Date.now());
  expect(readRequest(office, requestId, Date.now())?.state).toBe('revoked');
  expect([...(await retained()).keys()].filter((topic) => topic.includes('/rq/'))).toEqual([]);
  const lock = `${office.sequencePath}.lock`;
  writeFileSync(lock, '');
  expect(await code(() => takePlace(office.sequencePath, () => ({ hash: '0'.repeat(64) })))).toBe('portal/busy');
  rmSync(lock);
  const { seq } = JSON.parse(readFileSync(office.sequencePath, 'utf8')) as { seq: number };
  expect(takePlace(office.sequencePath, (place) => ({ seq: place.seq, hash: '0'.repeat(64) })).seq).toBe(seq + 1);
});

test('an office is made once, and only for an agency that its root vouches for', async () => {
  const { office } = agency;
  const options = { ...office, agency: office.agencyEnvelope, desks: undefined, nowMs: Date.now() };
  expect(await code(() => makeOffice(options))).toBe('portal/exists');
  const stranger = { ...office.root, keys: [Buffer.from(generateSigningKey().publicKey).toString('hex')] };
  expect(await code(() => makeOffice({ ...options, dir: agency.at('other'), root: stranger }))).toBe(
    'envelope/not-enough-signers',
  );
});

test('the chain of custody: whatever is altered, taken out, slipped in or cut off is found', async () => {
  const { intakeDir } = agency.office;
  const third = await agency.publishedRequest({ caseNumber: '26-2000' });
  const share = await agency.sendShare(third);
  const { entries, head, sharesHeld, sharesDeleted } = await checkCustody(intakeDir);
  expect([sharesHeld, sharesDeleted.length]).toEqual([[share.shareId], 2]);
  const of = (event: string): number => entries.filter((entry) => entry.event === event).length;
  expect(
    [
      'received',
      'opened',
      'copied-out',
      'demand-received',
      'demand-verified',
      'demand-refused',
      'deleted',
      'reported',
    ].map(of),
  ).toEqual([3, 2, 1, 4, 1, 3, 2, 2]);
  const custodyDir = join(intakeDir, 'custody');
  const at = (n: number): string => join(custodyDir, `${String(n).padStart(8, '0')}.json`);
  const last = at(entries.length);
  const tamper = async (path: string, bytes: Buffer | string): Promise<string> => {
    const before = readFileSync(path);
    chmodSync(path, 0o600);
    writeFileSync(path, bytes);
    const found = await code(() => checkCustody(intakeDir, head ?? ''));
    writeFileSync(path, before);
    return found;
  };
  const text = readFileSync(at(2), 'utf8');
  expect(await tamper(at(2), text.replace('"actor":"', '"actor":"x'))).toBe('portal/custody-broken');
  expect(await tamper(at(2), `${text} `)).toBe('portal/custody-broken');
  expect(await tamper(at(2), readFileSync(at(3)))).toBe('portal/custody-broken');
  expect(await tamper(last, readFileSync(last, 'utf8').replace('intake', 'x'))).toBe('portal/custody-truncated');
  renameSync(last, `${last}.away`);
  expect(await code(() => checkCustody(intakeDir, head ?? ''))).toBe('portal/custody-truncated');
  expect(await code(() => checkCustody(intakeDir))).toBe('portal/custody-unknown-share');
  renameSync(`${last}.away`, last);
  renameSync(at(2), join(custodyDir, 'away'));
  expect(await code(() => checkCustody(intakeDir))).toBe('portal/custody-broken');
  renameSync(join(custodyDir, 'away'), at(2));
  const body = join(intakeDir, 'shares', share.shareId, 'body.age');
  const altered = Buffer.from(readFileSync(body));
  altered[500] = (altered[500] ?? 0) ^ 1;
  expect(await tamper(body, altered)).toBe('portal/custody-share-differs');
  renameSync(body, `${body}.away`);
  expect(await code(() => checkCustody(intakeDir))).toBe('portal/custody-share-missing');
  renameSync(`${body}.away`, body);
  expect((await checkCustody(intakeDir, head ?? '')).head).toBe(head);
  const entry = { atMs: Date.now(), actor: 'eve', event: 'deleted', shareId: share.shareId, requestId: third } as const;
  appendCustody(intakeDir, entry);
  expect(await code(() => checkCustody(intakeDir))).toBe('portal/custody-not-deleted');
});

test('several programs may write the chain at once, and each entry is there once', async () => {
  const dir = agency.at('busy');
  const entry = { atMs: 1, actor: 'x', event: 'opened', shareId: foreignId(), requestId: foreignId() } as const;
  const source = `import { mkdirSync } from 'node:fs'; import { appendCustody } from ${JSON.stringify(join(import.meta.dirname, 'custody.ts'))};
    mkdirSync(${JSON.stringify(dir)}, { recursive: true });
    for (let i = 0; i < 40; i += 1) appendCustody(${JSON.stringify(dir)}, ${JSON.stringify(entry)});`;
  const runs = [1, 2, 3].map(
    () =>
      new Promise((resolve) =>
        spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: 'inherit' }).on('close', resolve),
      ),
  );
  expect(await Promise.all(runs)).toEqual([0, 0, 0]);
  expect((await checkCustody(dir).catch(asAgentError)) as object).toMatchObject({ entries: { length: 120 } });
});
