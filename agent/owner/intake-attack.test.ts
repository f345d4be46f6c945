/** What somebody who can publish, or who holds an agency's or another root's keys, tries against the intake. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { TestHouse } from '../../test-fixtures/house.ts';
import { silentLog } from '../base/log.ts';
import { generateIdentity } from '../protocol/age-file.ts';
import { toHex } from '../protocol/bytes.ts';
import type { AgencyDocument } from '../protocol/documents.ts';
import { signEnvelope } from '../protocol/envelope.ts';
import { generateSigningKey, keyIdOf, recipientKeyId } from '../protocol/keys.ts';
import { LedgerDb } from '../store/ledger-db.ts';
import { House } from './house.ts';
import { Intake } from './intake.ts';
import { describeRequest } from './request-view.ts';

const agencyTopic = 'latchkey/1/US-CA/ag/test-police';
const dayS = 86_400;

let house: TestHouse;
let db: LedgerDb;
let intake: Intake;
let wallMs: number;
let trusted: boolean;
let verdicts: string[];
let revoked: string[];

const nowMs = (): number => Math.max(wallMs, db.clockFloorS * 1000);

beforeEach(async () => {
  house = await TestHouse.make();
  db = new LedgerDb(join(house.dataDir, 'ledger.db'));
  const known = new House(house.dataDir);
  known.setRoots([house.rootDescription]);
  wallMs = Date.now();
  trusted = true;
  verdicts = [];
  revoked = [];
  intake = new Intake({
    dataDir: house.dataDir,
    db,
    house: known,
    regions: ['US-CA'],
    log: silentLog,
    nowMs,
    wallMs: () => wallMs,
    clockTrusted: () => trusted,
    onPending: () => {},
    onRevoked: (hash) => revoked.push(hash),
    onVerdict: (code) => verdicts.push(code),
  });
});
afterEach(() => {
  db.close();
  house[Symbol.dispose]();
});

function take(topic: string, envelope: Uint8Array): string | undefined {
  verdicts.length = 0;
  intake.take(topic, envelope);
  return verdicts[0];
}

function enable(): void {
  intake.importAgency(house.agency());
  db.setAgencyEnabled('test-police', true);
}

it('an agency that dates its requests ahead, again and again, never moves the clock', () => {
  enable();
  let issuedAtS = Math.floor(wallMs / 1000);
  for (let i = 0; i < 24; i += 1) {
    issuedAtS += 299;
    const { topic, envelope } = house.request({
      change: (r) => ({ ...r, issued_at: issuedAtS, case: { ...r.case, number: `ahead ${i}` } }),
    });
    take(topic, envelope);
  }
  // Two hours of cooling-off would be over, and other people's requests expired.
  expect(nowMs() - wallMs).toBeLessThan(1000);
});

it('two requests under one number are a contradiction also when they share their id', () => {
  enable();
  const first = house.request();
  expect(take(first.topic, first.envelope)).toBe('accepted');
  const other = { ...first.document, case: { ...first.document.case, statement: 'Something else.' } };
  const second = signEnvelope('request', other, [house.officer, house.approver]);
  expect(take(first.topic, second)).toBe('request/equivocation');
  expect(db.evidenceCount('test-police')).toBe(1);
});

it('who only repeats or re-wraps what an agency signed gets nobody suspended', () => {
  enable();
  const first = house.request();
  expect(take(first.topic, first.envelope)).toBe('accepted');
  expect(take(first.topic, first.envelope)).toBe('request/replayed');
  const parsed = JSON.parse(Buffer.from(first.envelope).toString('utf8')) as { signatures: { sig: string }[] };
  parsed.signatures.reverse();
  parsed.signatures.push({ sig: randomBytes(64).toString('base64') });
  expect(take(first.topic, Buffer.from(JSON.stringify(parsed)))).toBe('request/replayed');
  expect(db.agency('test-police')?.suspended).toBe(0);
});

it('a second root cannot take over an agency that another one vouched for', async () => {
  enable();
  using stranger = await TestHouse.make();
  new House(house.dataDir).setRoots([house.rootDescription, stranger.rootDescription]);
  const reread = new House(house.dataDir);
  const wide = new Intake({
    dataDir: house.dataDir,
    db,
    house: reread,
    regions: ['US-CA'],
    log: silentLog,
    nowMs,
    wallMs: () => wallMs,
    clockTrusted: () => true,
    onPending: () => {},
    onRevoked: () => {},
    onVerdict: (code) => verdicts.push(code),
  });
  const theirs = stranger.agency((a) => ({ ...a, version: 7 }));
  verdicts.length = 0;
  wide.take(agencyTopic, theirs);
  expect(verdicts).toEqual(['agency/other-root']);
  expect(() => wide.importAgency(theirs)).toThrow(expect.objectContaining({ code: 'agency/other-root' }));
  expect(db.agency('test-police')).toMatchObject({ version: 1, enabled: 1 });
  const own = house.agency((a) => ({ ...a, version: 8 }));
  wide.take(agencyTopic, own);
  expect(db.agency('test-police')).toMatchObject({ version: 8, enabled: 1 });
});

it('a changed recipient waits 72 hours from when it was seen, whatever its document claims', () => {
  enable();
  const thief = generateIdentity();
  const change = (a: AgencyDocument): AgencyDocument => ({
    ...a,
    version: 2,
    recipient: { ...a.recipient, age: thief.recipient, kid: recipientKeyId(thief.recipient) },
  });
  expect(take(agencyTopic, house.agency(change))).toBe('agency-updated');
  const asks = () => {
    const issuedAtS = Math.floor(wallMs / 1000);
    return house.request({
      change: (r) => ({
        ...r,
        issued_at: issuedAtS,
        window: { from: issuedAtS - 1800, to: issuedAtS },
        recipient_kid: recipientKeyId(thief.recipient),
      }),
    });
  };
  const now = asks();
  expect(take(now.topic, now.envelope)).toBe('request/recipient-too-new');
  wallMs += 3 * dayS * 1000 + 60_000;
  const later = asks();
  expect(take(later.topic, later.envelope)).toBe('accepted');
  expect(JSON.parse(db.request(later.document.request_id)?.warnings ?? '[]')).toContain('recipient-changed');
});

it('an older document, or another one of the same version, changes nothing', () => {
  enable();
  expect(
    take(
      agencyTopic,
      house.agency((a) => ({ ...a, version: 3 })),
    ),
  ).toBe('agency-updated');
  expect(
    take(
      agencyTopic,
      house.agency((a) => ({ ...a, version: 2, name: 'Older' })),
    ),
  ).toBeUndefined();
  expect(
    take(
      agencyTopic,
      house.agency((a) => ({ ...a, version: 3, name: 'Other' })),
    ),
  ).toBeUndefined();
  expect(db.agency('test-police')?.version).toBe(3);
});

it('a flood of made-up messages drives out nothing that an agency signed', () => {
  intake.importAgency(house.agency());
  const early = house.request();
  expect(take(early.topic, early.envelope)).toBe('request/agency-not-enabled');
  const junk = (agency: string): void => {
    take(`latchkey/1/US-CA/rq/${agency}/${randomBytes(16).toString('hex')}`, randomBytes(40));
  };
  for (let i = 0; i < 310; i += 1) junk(`made-up-${i}`);
  for (let i = 0; i < 60; i += 1) junk('test-police');
  expect(db.waiting().length).toBeLessThanOrEqual(301);
  db.setAgencyEnabled('test-police', true);
  intake.retryWaiting('test-police');
  expect(db.requests().map((r) => r.request_id)).toEqual([early.document.request_id]);
});

it('a copy under another topic does not take the place of a request that waits', () => {
  const early = house.request();
  take(
    early.topic.replace(/.$/, (last) => (last === '0' ? '1' : '0')),
    early.envelope,
  );
  expect(take(early.topic, early.envelope)).toBe('request/unknown-agency');
  enable();
  intake.retryWaiting('test-police');
  expect(db.requests()).toHaveLength(1);
});

it('before the clock is believed, what nobody of the agency signed is not kept', () => {
  enable();
  trusted = false;
  const good = house.request();
  expect(take(good.topic, good.envelope)).toBe('request/held-for-clock');
  const unsigned = house.request({ signers: [house.officer, generateSigningKey()] });
  expect(take(unsigned.topic, unsigned.envelope)).toBe('envelope/not-enough-signers');
  expect(db.waiting().length).toBe(1);
});

it('a key that is given up takes the open requests that it signed with it', () => {
  const second = generateSigningKey();
  intake.importAgency(
    house.agency((a) => {
      const [officer] = a.keys;
      if (officer === undefined) return a;
      const listed = { ...officer, x: toHex(second.publicKey), kid: keyIdOf(second.publicKey) };
      return { ...a, keys: [...a.keys, listed] };
    }),
  );
  db.setAgencyEnabled('test-police', true);
  const stolen = house.request();
  const sound = house.request({ signers: [second, house.approver] });
  for (const { topic, envelope } of [stolen, sound]) expect(take(topic, envelope)).toBe('accepted');
  const kid = keyIdOf(house.officer.publicKey);
  const revocation = signEnvelope(
    'revocation',
    { agency: 'test-police', kind: 'key', target: kid, seq: 1, prev: null, reason: 'lost' },
    [house.officer],
  );
  expect(take('latchkey/1/US-CA/rv/test-police/1', revocation)).toBe('revoked-key');
  expect(revoked).toEqual([db.request(stolen.document.request_id)?.request_hash]);
});

it('who signed is shown as verified, whatever a broker writes beside the signatures', () => {
  const innocent = generateSigningKey();
  intake.importAgency(
    house.agency((a) => {
      const [officer] = a.keys;
      if (officer === undefined) return a;
      return {
        ...a,
        keys: [...a.keys, { ...officer, x: toHex(innocent.publicKey), kid: keyIdOf(innocent.publicKey) }],
      };
    }),
  );
  db.setAgencyEnabled('test-police', true);
  const { topic, envelope, document } = house.request();
  const parts = JSON.parse(Buffer.from(envelope).toString('utf8')) as { signatures: { keyid?: string; sig: string }[] };
  const blamed = { keyid: keyIdOf(innocent.publicKey), sig: Buffer.alloc(64).toString('base64') };
  const signatures = [blamed, ...parts.signatures.map(({ sig }) => ({ sig }))];
  expect(take(topic, Buffer.from(JSON.stringify({ ...parts, signatures })))).toBe('accepted');
  const row = db.request(document.request_id);
  const place = new House(house.dataDir).place;
  expect(row && describeRequest(row, 'PENDING', place, undefined, []).signers).toEqual({
    officerKeyId: keyIdOf(house.officer.publicKey),
    approverKeyId: keyIdOf(house.approver.publicKey),
  });
});

it("one agency's keys revoke nothing of another's", async () => {
  enable();
  const other = house.agency((a) => ({ ...a, agency: 'other-police' }));
  intake.importAgency(other);
  const mine = house.request();
  expect(take(mine.topic, mine.envelope)).toBe('accepted');
  const revocation = (agency: string) =>
    signEnvelope(
      'revocation',
      { agency, kind: 'request', target: mine.document.request_id, seq: 1, prev: null, reason: 'x' },
      [house.officer],
    );
  // Signed for another agency and replayed under ours; and in that agency's own name.
  expect(take('latchkey/1/US-CA/rv/test-police/1', revocation('other-police'))).toBe('revocation/agency-mismatch');
  expect(take('latchkey/1/US-CA/rv/other-police/1', revocation('other-police'))).toBe('revoked-request');
  expect(revoked).toEqual([]);
});
