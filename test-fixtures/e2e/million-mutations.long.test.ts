/** A million damaged envelopes and documents: none is accepted as anything but what was signed, none ends in a crash. */
import { setImmediate } from 'node:timers/promises';
import v8 from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { AgentError } from '../../agent/base/errors.ts';
import { canonicalBytes, parseDocumentBytes } from '../../agent/protocol/canonical.ts';
import { documentKinds, parseDocument } from '../../agent/protocol/documents.ts';
import { openEnvelope, peekDocument } from '../../agent/protocol/envelope.ts';
import { reportFigure } from '../figure.ts';
import { mutate, mutateValue, numbersFrom } from '../vectors/mutate.ts';
import { sampleDocuments, sampleEnvelope, sampleSigners } from '../vectors/samples.ts';

const envelopeCount = 500_000;
const bytesCount = 300_000;
const valueCount = 200_000;
const mebibyte = 1 << 20;
/** By now everything is compiled and every cache is full. */
const warmCount = 50_000;
const maxKeptBytes = 8 * mebibyte;
const maxResidentBytes = 768 * mebibyte;

v8.setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/**
 * What is still held after everything that nobody needs has gone. Keys of OpenSSL go in tasks that a collection only
 * orders, so each collection is followed by a turn of the event loop.
 */
async function keptBytes(): Promise<number> {
  for (let round = 0; round < 3; round += 1) {
    collectGarbage();
    await setImmediate();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const samples = documentKinds.map((kind) => {
  const envelope = Buffer.from(sampleEnvelope(kind));
  const keys = sampleSigners[kind].map(({ publicKey }) => publicKey);
  const rules = [{ role: 'all', threshold: keys.length, keys }];
  const payload = Buffer.from(canonicalBytes(sampleDocuments[kind]));
  return { kind, envelope, rules, payload, hash: peekDocument(kind, envelope).hash };
});
type Sample = (typeof samples)[number];

/** Runs `attempt` over all kinds in turn; it returns whether what it accepted is right. Refusals have to be refusals. */
async function attempts(count: number, attempt: (sample: Sample) => boolean): Promise<string> {
  const startMs = performance.now();
  let [accepted, wrong, warmBytes, residentBytes] = [0, 0, 0, 0];
  for (let i = 0; i < count; i += 1) {
    const sample = samples[i % samples.length];
    if (sample === undefined) throw new Error('there are samples');
    try {
      if (attempt(sample)) accepted += 1;
      else wrong += 1;
    } catch (thrown) {
      if (!(thrown instanceof AgentError) || thrown.kind !== 'refused') throw thrown;
    }
    if (i === warmCount) warmBytes = await keptBytes();
    if (i % 10_000 === 0) residentBytes = Math.max(residentBytes, process.memoryUsage().rss);
  }
  const grownBytes = (await keptBytes()) - warmBytes;
  expect(wrong).toBe(0);
  expect(accepted).toBeLessThan(count / 4);
  expect(grownBytes).toBeLessThan(maxKeptBytes);
  expect(residentBytes).toBeLessThan(maxResidentBytes);
  const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
  const [grown, resident] = [grownBytes, residentBytes].map((bytes) => (bytes / mebibyte).toFixed(1));
  return `${count} in ${seconds} s, ${accepted} accepted rightly, ${grown} MiB more kept, at most ${resident} MiB resident`;
}

describe('a million mutations', () => {
  test('of envelopes open as exactly what was signed or not at all', async () => {
    const next = numbersFrom(1);
    const said = await attempts(envelopeCount, ({ kind, envelope, rules, hash }) => {
      // What still opens differs in key id hints or white space only.
      return openEnvelope(kind, mutate(envelope, next), rules).hash === hash;
    });
    reportFigure(`envelopes: ${said}`);
  });

  test('of document bytes are read in canonical form and within the schema or not at all', async () => {
    const next = numbersFrom(2);
    const said = await attempts(bytesCount, ({ kind, payload }) => {
      const bytes = mutate(payload, next);
      const document = parseDocumentBytes(bytes, (value) => parseDocument(kind, value));
      return Buffer.compare(canonicalBytes(document), bytes) === 0;
    });
    reportFigure(`bytes of documents: ${said}`);
  });

  test('of document values, hostile ones among them, likewise', async () => {
    const next = numbersFrom(3);
    const said = await attempts(valueCount, ({ kind }) => {
      const value = mutateValue(sampleDocuments[kind], next);
      let bytes: Uint8Array;
      try {
        bytes = canonicalBytes(value);
      } catch {
        bytes = Buffer.from(JSON.stringify(value));
      }
      const document = parseDocumentBytes(bytes, (read) => parseDocument(kind, read));
      return Buffer.compare(canonicalBytes(document), bytes) === 0;
    });
    reportFigure(`values of documents: ${said}`);
    expect((Object.prototype as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
