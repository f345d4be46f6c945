/**
 * A whole share under a trace of system calls: at every call by which owner, vault or courier change anything outside
 * themselves, what a crash leaves is looked at; on one disk for each call of each program the house is started again, and some
 * programs are killed for real. The long tier starts it on every kind of disk and kills at every call.
 */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type LeftDisk, Scene } from '../crash-points/good-run.ts';
import { isKeyOutTooEarly, wrongOnDisk } from '../crash-points/house-left.ts';
import { runKilledAt } from '../crash-points/killed-run.ts';
import { type Proof, prove } from '../crash-points/proof.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });
let scene: Scene;
let proof: Proof;

function oneOfEachCall(kinds: readonly LeftDisk[]): LeftDisk[] {
  const calls = new Map(kinds.map((kind) => [`${kind.point.program} ${kind.point.call}`, kind]));
  return [...calls.values()];
}

beforeAll(async () => {
  scene = await Scene.set('share');
  proof = await prove(scene, { choose: oneOfEachCall, atOnce: 4 });
});
afterAll(() => scene[Symbol.asyncDispose]());

test('wherever owner, vault and courier are cut off: 0 or 1 share, one ciphertext, no approval lost and no upload without one, no key before its release', () => {
  expect(proof.wrong).toEqual([]);
});

test('a house that broke one of these promises would be found out', () => {
  const [first, last] = [proof.disks[0], proof.disks.at(-1)];
  const out = proof.disks.find(({ known }) =>
    isKeyOutTooEarly(known, { ...known, ledger: { ...known.ledger, state: 'BODY_UP' } }),
  );
  if (first === undefined || last === undefined || out === undefined) throw new Error('no disks');
  const forgotten = wrongOnDisk({ known: first.known, told: last.told }, []);
  expect(forgotten).toEqual(['an approval was lost', 'a demand was lost']);
  const early = { ...out.known, ledger: { ...out.known.ledger, state: 'BODY_UP' } };
  expect(wrongOnDisk({ known: early, told: out.told }, [])).toEqual(['the key is in the outbox before its release']);
  const upload = { shareId: 'ab'.repeat(16), part: 'body', requestId: scene.requestId, isWhole: true };
  const twice = ['one ciphertext', 'another'].map((text) => ({ ...upload, bytes: Buffer.from(text) }));
  expect(wrongOnDisk({ known: first.known, told: first.told }, twice)).toEqual([
    'an upload that nobody approved',
    'two ciphertexts of the body of one share',
  ]);
});

test('and a run has not fewer points than it had', () => {
  expect(proof.points.length).toBeGreaterThanOrEqual(500);
  expect(proof.disks.length).toBeGreaterThanOrEqual(300);
  expect(proof.kinds.length).toBeGreaterThanOrEqual(120);
  expect(proof.drivenCount).toBeGreaterThanOrEqual(15);
});

test('of all of them only the courier speaks to the broker and to the agency', () => {
  const outward = proof.points.filter(({ name }) => ['broker', 'intake', 'elsewhere'].includes(name));
  const said = new Set(
    outward.map(({ program, call, name }) => `${program} ${call === 'bind' ? 'bind' : 'sends'} ${name}`),
  );
  // The page of the owner listens on this machine.
  expect([...said].toSorted()).toEqual(['courier sends broker', 'courier sends intake', 'owner bind elsewhere']);
});

test.for([
  { program: 'vault', call: 'write', name: 'owner/held/ID/body.age', when: 'after' },
  { program: 'courier', call: 'rename', name: 'spool/status/.ID.json.ID.tmp > spool/status/ID.json', when: 'after' },
  { program: 'owner', call: 'rename', name: 'owner/held/ID/header.age > spool/outbox/ID/header.age', when: 'after' },
] as const)('the same if $program alone is killed at its first $call of $name', async (killing) => {
  const { reached, wrong } = await runKilledAt(scene, { ...killing, ordinal: 1, whole: false });
  expect(wrong).toEqual([]);
  expect(reached).toBe(true);
});
