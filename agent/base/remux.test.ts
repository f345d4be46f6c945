import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { remuxToPlainMp4 } from './remux.ts';

const porch = join(import.meta.dirname, '../../test-fixtures/streams/porch-day.mp4');
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'lk-remux-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

it('gives a file that begins at zero, with the same pictures', async () => {
  const input = join(dir, 'in.mp4');
  const flags = ['-output_ts_offset', '10', '-movflags', 'frag_keyframe+empty_moov+default_base_moof'];
  execFileSync('ffmpeg', ['-v', 'error', '-ss', '8', '-i', porch, '-c', 'copy', ...flags, input]);
  const output = join(dir, 'out.mp4');
  await remuxToPlainMp4({ ffmpegPath: 'ffmpeg', input, output });
  const probe = spawnSync(
    'ffprobe',
    [
      '-v',
      'error',
      '-count_frames',
      '-show_entries',
      'format=start_time:stream=nb_read_frames',
      '-of',
      'csv=p=0',
      output,
    ],
    { encoding: 'utf8' },
  );
  expect(probe.stderr).toBe('');
  expect(probe.stdout.trim().split('\n')).toEqual(['120', '0.000000']);
});

it('leaves nothing behind of what is no recording', async () => {
  const input = join(dir, 'in.mp4');
  writeFileSync(input, 'not a video');
  const output = join(dir, 'out.mp4');
  await expect(remuxToPlainMp4({ ffmpegPath: 'ffmpeg', input, output })).rejects.toMatchObject({
    code: 'base/remux-failed',
  });
  expect(existsSync(output)).toBe(false);
});
