import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findFfmpeg, findFfprobe } from './ffmpeg.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ffmpeg-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

function program(folder: string, name: string, mode = 0o755): string {
  mkdirSync(join(dir, folder), { recursive: true });
  const path = join(dir, folder, name);
  writeFileSync(path, '#!/bin/sh\n');
  chmodSync(path, mode);
  return path;
}

test('FFMPEG_BIN wins over the configured path, that over the system, that over ffmpeg-static', () => {
  const named = program('named', 'ffmpeg');
  const configuredPath = program('configured', 'ffmpeg');
  const system = program('system', 'ffmpeg');
  const bundled = program('static', 'ffmpeg');
  const PATH = `relative:${join(dir, 'empty')}:${join(dir, 'system')}`;
  const loadStatic = (): string => bundled;
  expect(findFfmpeg({ env: { FFMPEG_BIN: named, PATH }, configuredPath, loadStatic })).toBe(named);
  expect(findFfmpeg({ env: { PATH }, configuredPath, loadStatic })).toBe(configuredPath);
  expect(findFfmpeg({ env: { PATH }, loadStatic })).toBe(system);
  expect(findFfmpeg({ env: { PATH: dir }, loadStatic })).toBe(bundled);
});

test('a named path that is no program is an error, not a reason to take another', () => {
  const system = program('system', 'ffmpeg');
  const plain = program('plain', 'ffmpeg', 0o644);
  const PATH = join(dir, 'system');
  expect(findFfmpeg({ env: { PATH } })).toBe(system);
  for (const wrong of [plain, dir, join(dir, 'nothing'), 'no-such-program']) {
    expect(() => findFfmpeg({ env: { PATH, FFMPEG_BIN: wrong } })).toThrowError(
      expect.objectContaining({ code: 'base/ffmpeg-missing', kind: 'unavailable' }),
    );
    expect(() => findFfmpeg({ env: { PATH }, configuredPath: wrong })).toThrow(/apt-get install ffmpeg/);
  }
});

test('nothing installed says how to get it', () => {
  expect(() => findFfmpeg({ env: { PATH: dir }, loadStatic: () => undefined })).toThrow(
    /Cannot find ffmpeg: it is not installed.*FFMPEG_BIN/,
  );
  expect(() => findFfprobe('/nowhere/ffmpeg', { env: { PATH: dir } })).toThrowError(
    expect.objectContaining({ code: 'base/ffmpeg-missing' }),
  );
});

test('ffprobe is taken from FFPROBE_BIN, beside ffmpeg, or the system', () => {
  const ffmpeg = program('pair', 'ffmpeg');
  const system = program('system', 'ffprobe');
  const PATH = join(dir, 'system');
  expect(findFfprobe(ffmpeg, { env: { PATH } })).toBe(system);
  const beside = program('pair', 'ffprobe');
  expect(findFfprobe(ffmpeg, { env: { PATH } })).toBe(beside);
  expect(findFfprobe(ffmpeg, { env: { PATH, FFPROBE_BIN: system } })).toBe(system);
});

test('the system of this test run has both', () => {
  expect(findFfprobe(findFfmpeg())).toMatch(/ffprobe$/);
});
