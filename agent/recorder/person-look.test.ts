// Whatever is wrong with the model costs people's labels and nothing else, and is said with its code.
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TinyModelFile, tinyModel } from '../../test-fixtures/tiny-model.ts';
import { createLog, silentLog } from '../base/log.ts';
import type { PersonConfig } from '../config/schema.ts';
import { loadPersonLook, type OpenedPersonLook, openPersonLook } from './person-look.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'person-look-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Model = PersonConfig['model'];

const settings = { threshold: 0.45, needHits: 3, ofFrames: 5 };
const never = new AbortController().signal;

async function open(model: Model): Promise<{ opened: OpenedPersonLook; logged: string }> {
  let logged = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      logged += String(chunk);
      done();
    },
  });
  const log = createLog('recorder', stream);
  const opened = await openPersonLook({ ...settings, model }, { cameraId: 'door', log, signal: never });
  return { opened, logged };
}

function named(file: TinyModelFile): { path: string; sha256: string } {
  const { path, sha256 } = tinyModel(file);
  return { path, sha256 };
}

/** A file whose SHA-256 is right: only what is in it is wrong. */
function written(name: string, bytes: Uint8Array | string): { path: string; sha256: string } {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return { path, sha256: createHash('sha256').update(bytes).digest('hex') };
}

function huge(): { path: string; sha256: string } {
  const model = written('huge.onnx', 'x');
  truncateSync(model.path, 2 ** 40);
  return model;
}

describe('a model that cannot be used', () => {
  const whole = readFileSync(tinyModel().path);
  it.each([
    ['is not there', 'person/model-missing', () => ({ path: join(folder, 'none.onnx'), sha256: '0'.repeat(64) })],
    ['is a folder', 'base/not-a-file', () => ({ path: folder, sha256: '0'.repeat(64) })],
    ['is a terabyte of nothing', 'base/too-large', huge],
    ['is another one than was named', 'person/model-hash', () => ({ ...named('bright.onnx'), sha256: '0'.repeat(64) })],
    ['is empty', 'person/model-shape', () => written('empty.onnx', '')],
    ['is cut off', 'person/model-shape', () => written('cut.onnx', whole.subarray(0, whole.length / 2))],
    ['is a text', 'person/model-shape', () => written('text.onnx', 'no model at all\n'.repeat(100))],
    ['puts out another shape', 'person/model-shape', () => named('wrong.onnx')],
    ['does not put out what it declares', 'person/model-run', () => named('liar.onnx')],
    ['never comes to an end of what it says', 'person/model-shape', () => written('varints.onnx', Buffer.alloc(100_000, 0xff))],
  ] as readonly (readonly [string, string, () => Exclude<Model, string>])[])('%s: %s', async (_, code, model) => {
    const { opened, logged } = await open(model());
    expect(opened).toEqual({ look: undefined, state: 'unavailable', code });
    const line = JSON.parse(logged) as Record<string, unknown>;
    expect(line).toMatchObject({ event: 'no-person-detection', camera: 'door', code });
    expect(logged).not.toContain(folder);
  }); // biome-ignore format: one case a line
});

describe('a model that can', () => {
  it('is ready to look, at half the threshold for those who are known already', async () => {
    const { opened, logged } = await open(named('bright.onnx'));
    expect([opened.state, logged]).toEqual(['on', '']);
    await opened.look?.stage.close();
    const look = await loadPersonLook({ ...settings, model: named('levels.onnx') }, never);
    await look.stage.close();
  });

  it('is not looked for when it is off, or when the recorder is stopping', async () => {
    expect((await open('off')).opened).toEqual({ look: undefined, state: 'off' });
    const stop = AbortSignal.abort();
    const options = { cameraId: 'door', log: silentLog, signal: stop };
    const opened = await openPersonLook({ ...settings, model: named('bright.onnx') }, options);
    expect(opened).toEqual({ look: undefined, state: 'off' });
  });
});
