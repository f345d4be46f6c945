import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { findFfmpeg } from './ffmpeg.ts';
import { findVideoEncoder } from './video-encoder.ts';

const folder = mkdtempSync(join(tmpdir(), 'latchkey-encoder-'));
afterAll(() => rmSync(folder, { recursive: true }));

function script(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

test('libx264 passes where there is no hardware', async () => {
  expect(await findVideoEncoder(findFfmpeg(), ['libx264'])).toBe('libx264');
  expect(await findVideoEncoder(findFfmpeg())).toMatch(/^(libx264|h264_v4l2m2m)$/);
});

test('an encoder that is listed and does not work, or changes what it was given, is passed over', async () => {
  const broken = script('broken', 'case "$*" in *v4l2m2m*) exit 1;; esac; exec ffmpeg "$@"');
  expect(await findVideoEncoder(broken)).toBe('libx264');
  // As a poor hardware encoder would: every picture comes out a little too bright.
  const bright = script(
    'bright',
    `case "$*" in *lavfi*) exec ffmpeg $(echo "$*" | sed 's/:t=fill/:t=fill,lutyuv=y=val+12/');; esac; exec ffmpeg "$@"`,
  );
  expect(await findVideoEncoder(bright, ['libx264'])).toBeUndefined();
  expect(await findVideoEncoder(join(folder, 'none'))).toBeUndefined();
});
