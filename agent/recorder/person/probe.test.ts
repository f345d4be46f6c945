// The probe with the real child, and with scripted ones that die the ways a board's runtime does.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { tinyModel } from '../../../test-fixtures/tiny-model.ts';
import { probeModel } from './probe.ts';

const folder = mkdtempSync(join(tmpdir(), 'latchkey-probe-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function script(name: string, body: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o700);
  return path;
}

describe('probeModel', () => {
  it('runs the model once in a child', async () => {
    const result = await probeModel({ model: tinyModel() });
    expect(result).toMatchObject({ inputPx: 64, decoder: 'yolox' });
    expect(result.runMs).toBeGreaterThan(0);
  });

  it.each([
    ['a missing file', { ...tinyModel(), path: '/nowhere/m.onnx' }, 'person/model-missing'],
    ['another hash', { ...tinyModel(), sha256: '0'.repeat(64) }, 'person/model-hash'],
    ['another shape', tinyModel('wrong.onnx'), 'person/model-shape'],
    ['an output that is not the one it declares', tinyModel('liar.onnx'), 'person/model-run'],
  ])('passes on what is wrong with the model itself: %s', async (_, model, code) => {
    await expect(probeModel({ model })).rejects.toMatchObject({ code });
  });

  it.each([
    ['an illegal instruction', 'kill -ILL $$', { reason: 'crash', signal: 'SIGILL' }],
    ['a segmentation fault', 'kill -SEGV $$', { reason: 'crash', signal: 'SIGSEGV' }],
    ['a missing library', 'echo "libonnxruntime.so.1: cannot open" >&2; exit 127', { reason: 'crash', status: 127 }],
    [
      'an answer followed by a crash',
      `echo '{"ok":true,"inputPx":64,"decoder":"yolox","runMs":1}'; kill -ILL $$`,
      { signal: 'SIGILL' },
    ],
    ['nonsense', 'echo hello', { reason: 'crash', status: 0 }],
  ])('%s means that the runtime is unusable', async (name, body, detail) => {
    const nodePath = script(name.replaceAll(' ', '-'), body);
    await expect(probeModel({ model: tinyModel(), nodePath })).rejects.toMatchObject({
      code: 'person/runtime-unusable',
      kind: 'unavailable',
      detail,
    });
  });

  it('gives up on a child that hangs', async () => {
    const nodePath = script('hangs', 'exec sleep 60');
    await expect(probeModel({ model: tinyModel(), nodePath, timeoutMs: 200 })).rejects.toMatchObject({
      code: 'person/runtime-unusable',
      detail: { reason: 'timeout' },
    });
  });

  it('says so when there is no such program', async () => {
    await expect(probeModel({ model: tinyModel(), nodePath: '/nowhere/node' })).rejects.toMatchObject({
      code: 'person/runtime-unusable',
      detail: { reason: 'start' },
    });
  });

  it('stops when aborted', async () => {
    const stop = new AbortController();
    const pending = probeModel({ model: tinyModel(), nodePath: script('waits', 'exec sleep 60'), signal: stop.signal });
    setTimeout(() => stop.abort(), 100);
    await expect(pending).rejects.toThrow('aborted');
  });
});
