import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateIdentity, sealBytes } from '../../../agent/protocol/age-file.ts';
import { toHex } from '../../../agent/protocol/bytes.ts';
import { canonicalBytes } from '../../../agent/protocol/canonical.ts';
import { documentKinds } from '../../../agent/protocol/documents.ts';
import { payloadTypeOf } from '../../../agent/protocol/envelope.ts';
import { checkRequest } from '../../../agent/protocol/request-check.ts';
import { writeArchive } from '../../../agent/protocol/share-archive.ts';
import { checkVector, codeOf } from '../check.ts';
import { textOf, type Vector, type VectorKind, wild } from '../common.ts';
import { buildVectors, type VectorFile, vectorPath, vectorText } from '../generate.ts';
import { mutate, mutateValue, numbersFrom } from '../mutate.ts';
import {
  sampleDocuments,
  sampleEnvelope,
  sampleKeys,
  sampleNowMs,
  sampleNowS,
  sampleRoot,
  sampleSigners,
} from '../samples.ts';
import { goodParts, pack } from '../share-parts.ts';
import { archiveOf, outcomeOf, type ShareVector } from '../shares.ts';
import { type PythonResult, python } from './python.ts';

/** The second implementation, in Python and written from the text alone, says the same as this one. */
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lk-independent-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function put(name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

interface Report {
  readonly counts: Readonly<Record<string, number>>;
  readonly disagreements: readonly unknown[];
}

function reportOf({ stdout }: PythonResult): Report {
  return JSON.parse(stdout.toString()) as Report;
}

describe('the Python implementation', () => {
  it('uses the standard library, python3-cryptography and its own modules only', () => {
    const modules = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.py'));
    const own = modules.map((name) => name.slice(0, -3));
    const library = [
      'argparse',
      'base64',
      'binascii',
      'calendar',
      'datetime',
      'decimal',
      'hashlib',
      'hmac',
      'itertools',
      'json',
    ];
    const allowed = new Set([...own, ...library, 'math', 'pathlib', 're', 'sys', 'unicodedata', 'cryptography']);
    for (const name of modules) {
      const text = readFileSync(join(import.meta.dirname, name), 'utf8');
      for (const [, from] of text.matchAll(/^(?:from|import) ([a-z0-9_]+)/gm)) expect(allowed).toContain(from);
      expect(text).not.toMatch(/__import__|importlib|subprocess/);
    }
  });

  it('reaches the verdict of every vector', () => {
    const result = python('vectors', join(import.meta.dirname, '..'));
    const { counts, disagreements } = reportOf(result);
    expect(disagreements).toEqual([]);
    expect(result.status).toBe(0);
    expect(Object.keys(counts).toSorted()).toEqual([...documentKinds, 'basics', 'shares'].toSorted());
    for (const kind of documentKinds) expect(counts[kind]).toBe(buildVectors(kind).vectors.length);
  });

  it('would say so if it did not', () => {
    const wrong = join(folder, 'wrong');
    mkdirSync(wrong);
    const file = buildVectors('demand');
    const vectors = file.vectors.map((vector, i) => (i === 0 ? { ...vector, expect: 'demand/other-grant' } : vector));
    writeFileSync(join(wrong, 'demand.json'), vectorText({ ...file, vectors }));
    const result = python('vectors', wrong);
    expect(result.status).toBe(1);
    expect(reportOf(result).disagreements).toEqual([
      { kind: 'demand', name: 'good', meant: 'demand/other-grant', said: 'accepted' },
    ]);
  });

  it('agrees with this one on damaged documents, envelopes and shares that nobody thought of', () => {
    const damaged = join(folder, 'damaged');
    mkdirSync(damaged);
    const next = numbersFrom(2026);
    for (const kind of documentKinds) {
      writeFileSync(join(damaged, `${kind}.json`), vectorText(judged(kind, damagedEnvelopes(kind, 60, next))));
    }
    writeFileSync(join(damaged, 'shares.json'), vectorText(damagedShares(40, next)));
    expect(reportOf(python('vectors', damaged)).disagreements).toEqual([]);
  });
});

/** Half of them wrong inside the payload but signed, half of them wrong in the bytes of the envelope. */
function damagedEnvelopes(kind: VectorKind, count: number, next: () => number): string[] {
  const good = Buffer.from(sampleEnvelope(kind));
  return Array.from({ length: count }, (_, i) => {
    // Bytes that are not UTF-8 can't stand in a JSON file.
    if (i % 2 === 1) return mutate(good, next).toString('utf8');
    const value = mutateValue(sampleDocuments[kind], next);
    return wild(kind, payloadOf(value), sampleSigners[kind]);
  });
}

function payloadOf(value: unknown): Uint8Array {
  try {
    return canonicalBytes(value);
  } catch {
    return Buffer.from(JSON.stringify(value));
  }
}

function judged(kind: VectorKind, envelopes: readonly string[]): VectorFile {
  const file = buildVectors(kind);
  const vectors = envelopes.map((envelope, i): Vector => {
    const vector = { name: `damaged ${i}`, envelope, expect: '' };
    return { ...vector, expect: codeOf(() => checkVector(kind, file, vector)) };
  });
  return { ...file, vectors };
}

function damagedShares(count: number, next: () => number): VectorFile<ShareVector> {
  const file = JSON.parse(readFileSync(vectorPath('shares'), 'utf8')) as VectorFile<ShareVector>;
  const [good] = file.vectors;
  if (good === undefined) throw new Error('there are shares');
  const vectors = Array.from({ length: count }, (_, i) => {
    const archive = Buffer.from(archiveOf(good));
    for (let flips = 1 + (next() % 2); flips > 0; flips--) {
      const at = next() % (archive.length >> 6);
      archive[at] = (archive[at] ?? 0) ^ (1 << (next() % 7));
    }
    const archive_base64 = archive.subarray(0, archive.length >> 6).toString('base64');
    return { name: `damaged ${i}`, archive_base64, archive_bytes: archive.length, ...outcomeOf(archive) };
  });
  return { ...file, vectors };
}

describe('an age share', () => {
  const root = { threshold: 2, keys: sampleRoot.keys.map(toHex) };
  const open = (header: Uint8Array, body: Uint8Array, identity: string): unknown => {
    const files = [
      ['--header', put('header.age', header)],
      ['--body', put('body.age', body)],
      ['--identity', put('identity', `# a comment\n${identity}\n`)],
      ['--agency', put('agency.json', sampleEnvelope('agency'))],
      ['--root', put('root.json', JSON.stringify(root))],
      ['--request', put('request.json', sampleEnvelope('request'))],
    ];
    return JSON.parse(python('open-share', ...files.flat(), '--at', String(sampleNowS)).stdout.toString());
  };

  it('sealed here is opened and verified there, and refused with a wrong key or a flipped bit', () => {
    const { identity, recipient } = generateIdentity();
    const { header, body } = sealBytes([recipient], writeArchive(pack(goodParts())));
    const media = { '40-video.mp4': 'unaltered', '41-audio.mp4': 'unaltered' };
    expect(open(header, body, identity)).toEqual({ expect: 'holds', problems: [], media, lineage: 'not-disclosed' });
    const flipped = (bytes: Uint8Array, at: number) => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));
    expect(open(header, body, generateIdentity().identity)).toMatchObject({ expect: 'age/wrong-key' });
    expect(open(header, flipped(body, 70_000), identity)).toMatchObject({ expect: 'age/damaged' });
    expect(open(flipped(header, header.length - 8), body, identity)).toMatchObject({ expect: 'age/damaged' });
    expect(open(header, body.subarray(0, 20), identity)).toMatchObject({ expect: 'age/truncated' });
  });
});

describe('a request written there', () => {
  const { officer, approver } = sampleKeys;
  const make = (fields: Readonly<Record<string, unknown>> = {}): Uint8Array => {
    const files = [
      ['--officer', put('officer.seed', toHex(officer.seed))],
      ['--approver', put('approver.seed', toHex(approver.seed))],
      ['--agency', put('agency.json', sampleEnvelope('agency'))],
      ['--fields', put('fields.json', JSON.stringify(fields))],
    ];
    return python('make-request', ...files.flat(), '--at', String(sampleNowS)).stdout;
  };
  const check = (request: Uint8Array) =>
    checkRequest({ request, agency: sampleEnvelope('agency'), roots: [sampleRoot], nowMs: sampleNowMs });

  it('is accepted here, byte for byte canonical', () => {
    const { request, warnings } = check(make());
    expect(request.case.statement).toBe('Ein Fahrrad ist weg: grün, mit Körbchen. 🚲');
    expect(warnings).toEqual([]);
  });

  it('is refused here by the same rules', () => {
    const window = { from: sampleNowS - 3600, to: sampleNowS + 1 };
    expect(codeOf(() => check(make({ window })))).toBe('request/window-in-future');
    expect(codeOf(() => check(make({ agency: 'oak-police' })))).toBe('request/agency-mismatch');
  });

  it('carries the type that this implementation writes', () => {
    const { payloadType } = JSON.parse(textOf(make())) as { payloadType: string };
    expect(payloadType).toBe(payloadTypeOf('request'));
  });
});
