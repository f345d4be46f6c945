// Which model, from where, and the refusals before any of its bytes are parsed.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { embeddedModel, ownModel, readModel } from './model.ts';

const folder = mkdtempSync(join(tmpdir(), 'latchkey-model-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const bytes = Buffer.from('not really a model');
const sha256 = createHash('sha256').update(bytes).digest('hex');
const path = join(folder, 'm.onnx');
writeFileSync(path, bytes);

const entry = {
  name: 'porch',
  file: 'm.onnx',
  sha256,
  decoder: 'yolox',
  inputPx: 224,
  pixelOrder: 'bgr',
  pad: 114,
  strides: [8, 16, 32],
  labels: ['person'],
  licence: 'Apache-2.0',
};

function withManifest(manifest: unknown): () => unknown {
  writeFileSync(join(folder, 'manifest.json'), typeof manifest === 'string' ? manifest : JSON.stringify(manifest));
  return () => embeddedModel(folder);
}

describe('embeddedModel', () => {
  it('resolves the first entry beside the manifest', () => {
    expect(withManifest({ models: [{ ...entry, trainedOn: 'extra fields are the card’s' }] })()).toEqual({
      name: 'porch',
      path,
      sha256,
      decoder: 'yolox',
      inputPx: 224,
      strides: [8, 16, 32],
      input: { pixelOrder: 'bgr', pad: 114 },
    });
    expect(readModel(embeddedModel(folder))).toEqual(bytes);
  });

  it('takes each kind, and how its maker fed it', () => {
    const { strides: _, pixelOrder: __, pad: ___, ...bare } = entry;
    const fed = { pixelOrder: 'rgb', pad: 0, mean: [1, 2, 3], std: [4, 5, 6] };
    expect(withManifest({ models: [{ ...bare, decoder: 'nanodet', ...fed }] })()).toMatchObject({ input: fed });
    expect(withManifest({ models: [{ ...bare, decoder: 'fastestdet' }] })()).toMatchObject({
      decoder: 'fastestdet',
      input: {},
    });
  });

  it('says that there is none', () => {
    expect(() => embeddedModel(join(folder, 'elsewhere'))).toThrow(
      expect.objectContaining({ code: 'person/model-missing', kind: 'unavailable' }),
    );
  });

  it.each([
    ['not JSON', '{'],
    ['no models', { models: [] }],
    ['a path instead of a file name', { models: [{ ...entry, file: '../../etc/m.onnx' }] }],
    ['a short hash', { models: [{ ...entry, sha256: 'abc' }] }],
    ['another decoder', { models: [{ ...entry, decoder: 'ssd' }] }],
    ['people not first', { models: [{ ...entry, labels: ['cat', 'person'] }] }],
    ['a deviation of nothing', { models: [{ ...entry, std: [1, 0, 1] }] }],
    ['a mean of two colours', { models: [{ ...entry, mean: [1, 2] }] }],
    ['a side of NaN', { models: [{ ...entry, inputPx: null }] }],
  ])('refuses a manifest with %s', (_, manifest) => {
    expect(withManifest(manifest)).toThrow(expect.objectContaining({ code: 'person/model-manifest', kind: 'corrupt' }));
  });
});

describe('ownModel', () => {
  it('takes a path and a SHA-256 in either case', () => {
    expect(readModel(ownModel({ path, sha256: sha256.toUpperCase() }))).toEqual(bytes);
  });

  it.each([
    ['a relative path', { path: 'm.onnx', sha256 }],
    ['no hash', { path, sha256: '' }],
  ])('refuses %s', (_, choice) => {
    expect(() => ownModel(choice)).toThrow(expect.objectContaining({ code: 'person/bad-choice', kind: 'config' }));
  });

  it('tells a missing file from one that is not what was named', () => {
    expect(() => readModel(ownModel({ path: join(folder, 'gone.onnx'), sha256 }))).toThrow(
      expect.objectContaining({ code: 'person/model-missing', kind: 'unavailable' }),
    );
    expect(() => readModel(ownModel({ path, sha256: '0'.repeat(64) }))).toThrow(
      expect.objectContaining({ code: 'person/model-hash', kind: 'refused' }),
    );
  });
});
