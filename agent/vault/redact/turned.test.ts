/** Recordings that say how the camera hangs: what is found must lie where it is filled, and where the owner draws. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { encode } from '../../../test-fixtures/cameras/captured.ts';
import { film, filmHouse } from '../../../test-fixtures/filmed.ts';
import type { TestHouse } from '../../../test-fixtures/house.ts';
import { findFfmpeg } from '../../base/ffmpeg.ts';
import type { VaultSession } from '../session.ts';
import type { ClipAnalysisReport } from './report.ts';
import { decodeSmall, smallSize } from './small-pictures.ts';
import { readVideoInit } from './video-init.ts';

const source = join(import.meta.dirname, '../../../test-fixtures/streams/runs-past.mp4');
let house: TestHouse;
let session: VaultSession;
let upright: ClipAnalysisReport;

beforeAll(async () => {
  const { clip, ...rest } = await filmHouse(source);
  ({ house, session } = rest);
  upright = await session.analyseClip(clip.clipId);
}, 60_000);
afterAll(() => house[Symbol.dispose]());

async function filmed(cameraId: string, args: readonly string[], patch?: (file: Buffer) => void) {
  const path = join(house.dataDir, `${cameraId}.mp4`);
  encode(source, path, ['-an', '-c', 'copy', ...args]);
  const file = readFileSync(path);
  patch?.(file);
  writeFileSync(path, file);
  return film(house, session, path, { cameraId });
}

it('finds people where they are filled, though the pictures themselves say that the camera hangs upside down', async () => {
  const { clipId } = await filmed('hanging', ['-bsf:v', 'h264_metadata=display_orientation=insert:rotate=180']);
  const hanging = await session.analyseClip(clipId);
  expect(hanging.people.length).toBeGreaterThan(0);
  const places = ({ people }: ClipAnalysisReport) => people.map((p) => p.places.map(({ x, y, w, h }) => [x, y, w, h]));
  expect(places(hanging)).toEqual(places(upright));
}, 60_000);

it('refuses a picture that a player mirrors (redact/mirrored): it would be drawn in one place and filled in another', async () => {
  const { clipId } = await filmed('mirrored', [], (file) => {
    // First number of the matrix in the track's header, 16.16.
    file.writeInt32BE(-65_536, file.indexOf('tkhd') + 4 + 40);
  });
  await expect(session.analyseClip(clipId)).rejects.toThrow(expect.objectContaining({ code: 'redact/mirrored' }));
}, 60_000);

it.each([0, 90, 180, 270])('looks at a picture turned by %i degrees as a player shows it', async (degrees) => {
  const path = join(house.dataDir, `turned-${degrees}.mp4`);
  const fragmented = ['-movflags', '+empty_moov+default_base_moof+frag_keyframe'];
  encode(source, path, ['-an', '-c', 'copy', '-t', '0.5', '-metadata:s:v', `rotate=${degrees}`, ...fragmented]);
  const file = readFileSync(path);
  const { turns, widthPx, heightPx } = readVideoInit(file.subarray(0, file.indexOf('moof') - 4));
  const [shownWide, shownHigh] = turns % 2 === 1 ? [heightPx, widthPx] : [widthPx, heightPx];
  const small = smallSize(shownWide / 2, shownHigh / 2);
  const decoded = decodeSmall({ ...small, turns, ffmpegPath: findFfmpeg(), input: [file] });
  const { value: first } = await decoded.next();
  const luma = Buffer.from(first as Buffer).subarray(0, small.widthPx * small.heightPx);
  await decoded.return(undefined);
  const scale = `scale=${small.widthPx}:${small.heightPx}:flags=area,format=yuv420p`;
  const asPlayed = ['-v', 'error', '-i', path, '-vf', scale, '-frames:v', '1', '-f', 'rawvideo', 'pipe:1'];
  const played = spawnSync(findFfmpeg(), asPlayed, { maxBuffer: 1 << 26 }).stdout;
  expect(played).toHaveLength((small.widthPx * small.heightPx * 3) / 2);
  const off = luma.reduce((sum, value, i) => sum + Math.abs(value - (played[i] ?? 0)), 0) / luma.length;
  expect(off).toBeLessThan(1);
});
