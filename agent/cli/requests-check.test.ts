import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildVectors } from '../../test-fixtures/vectors/generate.ts';
import { writtenOut } from '../../test-fixtures/vectors/runs.ts';
import {
  sampleEnvelope,
  sampleKeys,
  sampleNowMs,
  sampleRequest,
  sampleRoot,
} from '../../test-fixtures/vectors/samples.ts';
import { toHex } from '../protocol/bytes.ts';
import { type Documents, documentKinds } from '../protocol/documents.ts';
import { topicOf } from '../protocol/topics.ts';
import { otherKindOf } from './document-check.ts';
import { type CommandResult, runCommand } from './fixture/command.ts';
import { register } from './requests.ts';

let folder: string;
let agencyFile: string;
let rootFile: string;

function put(name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lk-check-'));
  agencyFile = put('agency.json', sampleEnvelope('agency'));
  rootFile = put('root.json', rootText(sampleRoot.keys));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function rootText(keys: readonly Uint8Array[]): string {
  return JSON.stringify({ latchkey_root: 1, name: 'County', threshold: 2, keys: keys.map(toHex) });
}

const at = new Date(sampleNowMs).toISOString();

function check(file: string, ...more: readonly string[]): Promise<CommandResult> {
  const fixed = ['--agency', agencyFile, '--root', rootFile, '--at', at];
  return runCommand([register], ['requests', 'check', file, ...fixed, ...more]);
}

function checkBytes(bytes: Uint8Array | string, ...more: readonly string[]): Promise<CommandResult> {
  return check(put('request.json', bytes), '--json', ...more);
}

const verdictOf = ({ stdout }: CommandResult): Record<string, unknown> => JSON.parse(stdout) as Record<string, unknown>;
const good = sampleEnvelope('request');
const { region, agency, request_id: requestId } = sampleRequest;

describe('latchkey requests check', () => {
  it('accepts a good request and says what was read', async () => {
    const result = await checkBytes(
      good,
      '--place',
      '38.58,-121.49',
      '--topic',
      topicOf({ type: 'rq', region, agency, requestId }),
    );
    expect([result.status, result.stderr]).toEqual([0, '']);
    expect(verdictOf(result)).toMatchObject({
      state: 'ACCEPTED',
      code: null,
      message: null,
      atMs: sampleNowMs,
      verified: true,
      warnings: [],
      request: { document: sampleRequest, hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
      agency: { document: { agency } },
    });
  });

  it('prints the same for people, with control characters taken out', async () => {
    const shown = await check(put('request.json', good));
    expect(shown.stdout).toMatch(/Verdict +ACCEPTED/);
    expect(shown.stdout).toMatch(/Case +26-104233, burglary/);
    const unsigned = await check(put('request.json', sampleEnvelope('request', {}, [sampleKeys.stranger])));
    expect(unsigned.status).toBe(5);
    expect(unsigned.stdout).toMatch(/Verdict +REJECTED/);
    expect(unsigned.stdout).toContain('only what somebody wrote');
    expect((await check(put('request.json', '{'))).stdout).toMatch(/Request +not readable/);
  });

  it('raises the warnings that the owner would see', async () => {
    const statement = 'Damage during the demonstration.';
    const result = await checkBytes(sampleEnvelope('request', { case: { ...sampleRequest.case, statement } }));
    expect(verdictOf(result)).toMatchObject({ state: 'ACCEPTED', warnings: ['assembly-wording'] });
  });

  it('calls a request irrelevant where the place lies outside', async () => {
    const result = await checkBytes(good, '--place', '38.59,-121.49');
    expect([result.status, result.stderr]).toEqual([5, expect.stringContaining('(request/outside)')]);
    expect(verdictOf(result)).toMatchObject({ state: 'IRRELEVANT', code: 'request/outside', verified: true });
  });

  const { officer, stranger } = sampleKeys;
  const request = (changes: Partial<Documents['request']>) => sampleEnvelope('request', changes);
  const cases: readonly [string, string, Uint8Array | string, boolean][] = [
    ['an approver missing', 'envelope/not-enough-signers', sampleEnvelope('request', {}, [officer]), true],
    ['a stranger', 'envelope/not-enough-signers', sampleEnvelope('request', {}, [officer, stranger]), true],
    ['an expired one', 'request/expired', request({ expires_at: sampleNowMs / 1000 }), true],
    ['another agency', 'request/agency-mismatch', request({ agency: 'oak-police' }), true],
    ['nothing', 'envelope/not-json', '', false],
    ['bytes', 'envelope/not-json', Uint8Array.of(0, 255, 128), false],
    ['null', 'envelope/malformed', 'null', false],
    ['a list', 'envelope/malformed', '[[[[]]]]', false],
    ['deep brackets', 'envelope/malformed', '['.repeat(20_000) + ']'.repeat(20_000), false],
    ['a prototype', 'envelope/malformed', '{"__proto__":{"payload":""}}', false],
    ['a page', 'envelope/not-json', '<!doctype html>', false],
    ['too many bytes', 'envelope/too-large', Buffer.concat([good, Buffer.alloc(50_000, 32)]), false],
    ['no signature', 'envelope/not-enough-signers', '{"payload":"","payloadType":"x","signatures":[]}', false],
  ];
  it.each(cases)('rejects %s with its code and no stack trace', async (_name, code, bytes, readable) => {
    const result = await checkBytes(bytes);
    expect([result.status, result.stderr]).toEqual([5, expect.stringContaining(`(${code})`)]);
    expect(result.stderr).not.toContain('    at ');
    const verdict = verdictOf(result);
    expect(verdict).toMatchObject({ state: 'REJECTED', code, verified: false, signers: null, warnings: [] });
    expect(verdict['request'] !== null).toBe(readable);
  });

  it('rejects a foreign topic, an agency that is none, and one that the root does not vouch for', async () => {
    const topic = topicOf({ type: 'rq', region, agency: 'oak-police', requestId });
    expect(verdictOf(await checkBytes(good, '--topic', topic))['code']).toBe('request/topic-mismatch');
    const group = put('group.json', sampleEnvelope('agency', { kind: 'group' }));
    expect(verdictOf(await checkBytes(good, '--agency', group))['code']).toBe('request/not-an-agency');
    const none = put('none.json', 'no agency');
    expect(verdictOf(await checkBytes(good, '--agency', none))).toMatchObject({
      code: 'envelope/not-json',
      agency: null,
    });
    const keys = [sampleKeys.stranger, sampleKeys.clip, sampleKeys.owner].map(({ publicKey }) => publicKey);
    const others = put('others.json', rootText(keys));
    const fixed = ['requests', 'check', put('request.json', good), '--agency', agencyFile, '--json'];
    const foreign = await runCommand([register], [...fixed, '--root', others, '--at', at]);
    expect(verdictOf(foreign)).toMatchObject({ code: 'envelope/not-enough-signers', agency: { document: { agency } } });
  });

  it('is a mistake of the command line, not a verdict, when something can’t be read', async () => {
    const path = put('request.json', good);
    const mistakes: readonly [string, Promise<CommandResult>][] = [
      ['(requests/unreadable)', check(join(folder, 'absent.json'))],
      ['(requests/unreadable)', check(folder)],
      ['(requests/unreadable)', check(put('huge.json', Buffer.alloc(2 << 20, 32)))],
      ['(requests/bad-place)', check(path, '--place', 'here')],
      ['(requests/bad-place)', check(path, '--place', '91,0')],
      ['(requests/bad-time)', check(path, '--at', 'noon')],
      ['(agencies/not-a-root)', check(path, '--root', agencyFile)],
      ['(requests/missing-option)', runCommand([register], ['requests', 'check', path])],
    ];
    for (const [message, mistake] of mistakes) {
      const { status, stderr, stdout } = await mistake;
      expect([status, stdout, stderr]).toEqual([2, '', expect.stringContaining(message)]);
    }
  });

  it('reads standard envelopes of the vectors from the real command line', () => {
    const file = JSON.parse(
      readFileSync(join(import.meta.dirname, '../../test-fixtures/vectors/request.json'), 'utf8'),
    );
    const [vector] = file.vectors as { envelope: string }[];
    const path = put('request.json', vector?.envelope ?? '');
    const line = ['requests', 'check', path, '--agency', agencyFile, '--root', rootFile, '--at', at, '--json'];
    const shown = execFileSync(process.execPath, [join(import.meta.dirname, '../main.ts'), ...line], {
      encoding: 'utf8',
    });
    expect(JSON.parse(shown)).toMatchObject({ state: 'ACCEPTED' });
  });
});

describe('latchkey requests check, of any other document,', () => {
  const kinds = documentKinds.filter((kind) => kind !== 'request');
  const optionsOf = (): Readonly<Record<string, readonly string[]>> => ({
    dispatch: ['--owner-root', put('owner-root.pub', `${toHex(sampleKeys.ownerRoot.publicKey)}\n`)],
    demand: ['--grant', put('grant.json', sampleEnvelope('grant'))],
  });
  const look = (file: string, ...more: readonly string[]): Promise<CommandResult> =>
    runCommand([register], ['requests', 'check', file, '--at', at, ...more]);

  it.each(kinds)('reads a %s with its verdict, and a forged one with its code', async (kind) => {
    const against = [...(optionsOf()[kind] ?? []), '--agency', agencyFile, '--root', rootFile, '--json'];
    const sound = await look(put('document.json', sampleEnvelope(kind)), ...against);
    expect([sound.status, sound.stderr]).toEqual([0, '']);
    expect(verdictOf(sound)).toMatchObject({ kind, state: 'ACCEPTED', code: null, verified: true });
    const forged = await look(put('document.json', sampleEnvelope(kind, {}, [sampleKeys.stranger])), ...against);
    expect(forged.status).toBe(5);
    expect(verdictOf(forged)).toMatchObject({
      kind,
      state: 'REJECTED',
      code: 'envelope/not-enough-signers',
      verified: false,
    });
    expect(verdictOf(forged)['document']).toMatchObject({});
  });

  it('agrees with every vector', async () => {
    for (const kind of ['notice', 'directory', 'lineage'] as const) {
      for (const vector of buildVectors(kind).vectors.slice(0, 24)) {
        const topic = vector.topic === undefined ? [] : ['--topic', vector.topic];
        const envelope = writtenOut(vector.envelope);
        const file = put('vector.json', envelope);
        // What isn't even an envelope of that kind is read as a request, as it always was.
        if (otherKindOf(Buffer.from(envelope)) !== kind) continue;
        const result = await look(file, '--agency', agencyFile, '--root', rootFile, '--json', ...topic);
        expect([vector.name, verdictOf(result)['code'] ?? 'accepted']).toEqual([vector.name, vector.expect]);
      }
    }
  });

  it('says what is missing to judge it, and prints it for people', async () => {
    for (const kind of ['agency', 'directory', 'notice', 'dispatch', 'demand'] as const) {
      const result = await look(put('document.json', sampleEnvelope(kind)));
      expect([result.status, result.stderr]).toEqual([2, expect.stringContaining('(requests/missing-option)')]);
    }
    expect((await look(put('request.json', sampleEnvelope('request')))).stderr).toContain('(requests/missing-option)');
    const dispatch = put('document.json', sampleEnvelope('dispatch'));
    expect((await look(dispatch, '--owner-root', agencyFile)).stderr).toContain('(requests/bad-owner-root)');
    const shown = await look(put('document.json', sampleEnvelope('grant')));
    expect(shown.stdout).toMatch(/Verdict +ACCEPTED\nKind +grant/);
    const under = (topic: string) => look(agencyFile, '--root', rootFile, '--topic', topic);
    expect((await under('latchkey/1/US-CA/ag/maple-police')).status).toBe(0);
    expect((await under('latchkey/1/US-CA/ag/oak-police')).stderr).toContain('(agency/topic-mismatch)');
  });
});
