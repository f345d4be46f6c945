/**
 * Redaction where an encoder of the hardware works, or fails. No such hardware is at hand: ffmpeg is a script that claims one
 * and encodes with libx264, with the parameter sets and the lack of delimiters that a driver would give.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { encode } from '../../../test-fixtures/cameras/captured.ts';
import { type FilmedClip, film, receive, scorePixels } from '../../../test-fixtures/filmed.ts';
import { TestHouse, testPassphrase } from '../../../test-fixtures/house.ts';
import { systemClock } from '../../base/clock.ts';
import { verifyShare } from '../../protocol/share-verify.ts';
import { wholeOf } from '../media-content.ts';
import { VaultSession } from '../session.ts';
import { redactionChoice } from './choice.ts';

const [widthPx, heightPx] = [640, 360];
let house: TestHouse;
let clip: FilmedClip;
let recorded: Buffer;

async function openSession(ffmpegPath?: string): Promise<VaultSession> {
  const session = new VaultSession({
    dataDir: house.dataDir,
    clock: systemClock,
    log2Work: 8,
    redaction: { ffmpegPath },
  });
  await session.openDeciding(testPassphrase);
  return session;
}

beforeAll(async () => {
  house = await TestHouse.make();
  await house.pinRoot();
  const path = join(house.dataDir, 'short-groups.mp4');
  const source = join(import.meta.dirname, '../../../test-fixtures/streams/smooth-25fps.mp4');
  encode(source, path, ['-t', '2.4', '-c:v', 'libx264', '-preset', 'veryfast', '-g', '12', '-bf', '0']);
  const session = await openSession();
  clip = await film(house, session, path);
  recorded = wholeOf(session.clipMedia(clip.clipId));
}, 60_000);
afterAll(() => house[Symbol.dispose]());

const calls = (): string => join(house.dataDir, 'calls.txt');

/**
 * Writes down which encoder it was asked for, and for what. `real` stands for the call that is meant for the hardware,
 * where that is a clip (with cells on pipe 3) and no trial.
 */
function standIn(profile: string, real = 'exec ffmpeg "$@"'): string {
  const path = join(house.dataDir, 'stand-in');
  writeFileSync(
    path,
    `#!/bin/sh
case "$*" in *pipe:3*) what=clip;; *) what=trial;; esac
case "$*" in
  *h264_v4l2m2m*) echo "hardware $what" >> '${calls()}';;
  *libx264*) echo "processor $what" >> '${calls()}'; exec ffmpeg "$@";;
  *) exec ffmpeg "$@";;
esac
left=$#
while [ $left -gt 0 ]; do
  each=$1; shift; left=$((left - 1))
  if [ "$each" = h264_v4l2m2m ]; then set -- "$@" libx264 -preset superfast -profile:v ${profile}; else set -- "$@" "$each"; fi
done
[ $what = trial ] && exec ffmpeg "$@"
${real}
`,
  );
  chmodSync(path, 0o700);
  rmSync(calls(), { force: true });
  return path;
}

const asked = (): string[] => (existsSync(calls()) ? readFileSync(calls(), 'utf8').trim().split('\n') : []);

/** Of five groups of twelve pictures the second and the fourth, in different corners. */
async function redact(session: VaultSession) {
  const span = { fromMs: clip.startMs, toMs: clip.endMs };
  const regions = [
    { x: 0, y: 0, w: 0.3, h: 0.3, fromMs: clip.startMs + 630, toMs: clip.startMs + 730 },
    { x: 0.5, y: 0.5, w: 0.3, h: 0.3, fromMs: clip.startMs + 1590, toMs: clip.startMs + 1690 },
  ];
  const choice = redactionChoice.parse({ fill: 'none', regions });
  const made = await session.redactClip({ clipId: clip.clipId, span, choice });
  const selection = [{ clipId: clip.clipId, ...span, redactionId: made.redactionId }];
  const request = house.request().envelope;
  return { made, shown: session.preview({ request, agency: house.agency(), floorS: 0, selection }) };
}

function decode(bytes: Uint8Array): { pictures: Buffer[]; complaints: string } {
  const args = ['-v', 'warning', '-f', 'mp4', '-i', 'pipe:0', '-fps_mode', 'passthrough', '-pix_fmt', 'yuv420p'];
  const run = spawnSync('ffmpeg', [...args, '-f', 'rawvideo', 'pipe:1'], { input: bytes, maxBuffer: 2 ** 30 });
  const each = widthPx * heightPx * 1.5;
  const count = run.stdout.length / each;
  const pictures = Array.from({ length: count }, (_, i) => run.stdout.subarray(i * each, (i + 1) * each));
  return { pictures, complaints: run.stderr.toString() };
}

/** Both corners are black while they should be, and what is in other groups of pictures is as recorded. */
function requireExact(video: Uint8Array): void {
  const [before, after] = [decode(recorded), decode(video)];
  expect(after.complaints).toBe('');
  expect(after.pictures).toHaveLength(before.pictures.length);
  const same = after.pictures.map((picture, i) => picture.equals(before.pictures[i] ?? Buffer.of()));
  expect(same.filter(Boolean)).toHaveLength(before.pictures.length - 24);
  const frames = after.pictures.map((_, i) => ({
    i,
    people: [
      ...(i >= 16 && i <= 18 ? [{ id: 1, box: [0, 0, 192, 108] as const }] : []),
      ...(i >= 40 && i <= 42 ? [{ id: 2, box: [320, 180, 192, 108] as const }] : []),
    ],
  }));
  const score = scorePixels(video, { widthPx, heightPx, frames });
  expect(score.shown).toEqual([]);
  expect(score).toMatchObject({ boxCount: 6, filledBoxCount: 6 });
}

it.each(['high', 'baseline'])(
  'an encoder that passes its trial is used, and the file stays exact: profile %s',
  async (profile) => {
    const session = await openSession(standIn(profile));
    const { made, shown } = await redact(session);
    expect(asked()).toEqual(['hardware trial', 'hardware clip', 'hardware clip']);
    expect(made.untouchedCount).toBeGreaterThan(made.fragmentCount / 2);
    const files = await receive(house, session, shown.previewId);
    requireExact(files.find(({ name }) => name === '40-video.mp4')?.bytes ?? new Uint8Array());
    const verdict = verifyShare({ files });
    expect(verdict.problems).toEqual([]);
    expect(verdict.media).toMatchObject([{ unaltered: 'derived', sha256Ok: true }]);
  },
  60_000,
);

it.each([
  ['loses the last pictures', 'ffmpeg "$@" | head -c 20000'],
  ['changes what was filled', `exec ffmpeg $(echo "$*" | sed 's/maskedmerge/maskedmerge,lutyuv=y=val+12/')`],
  ['shifts its pictures', `exec ffmpeg $(echo "$*" | sed 's/flags=neighbor/flags=neighbor,tpad=start=3/')`],
] as const)(
  'one that %s on the clip gives way to the processor',
  async (_, real) => {
    const session = await openSession(standIn('main', real));
    const { shown } = await redact(session);
    expect(asked()).toEqual(['hardware trial', 'hardware clip', 'processor clip', 'processor clip']);
    requireExact(wholeOf(session.previewMedia(shown.previewId, '40-video.mp4')));
  },
  60_000,
);

it('one that fails its trial is not used', async () => {
  const path = standIn('main');
  const failing = readFileSync(path, 'utf8').replace(
    '[ $what = trial ] && exec ffmpeg "$@"',
    '[ $what = trial ] && exit 1',
  );
  writeFileSync(path, failing);
  const session = await openSession(path);
  const { shown } = await redact(session);
  expect(asked()).toEqual(['hardware trial', 'processor clip', 'processor clip']);
  requireExact(wholeOf(session.previewMedia(shown.previewId, '40-video.mp4')));
});

it('is tried once in a session, and one that failed is not asked again', async () => {
  const session = await openSession(standIn('main', 'exit 1'));
  await redact(session);
  await redact(session);
  expect(asked()).toEqual(['hardware trial', 'hardware clip', ...Array.from({ length: 4 }, () => 'processor clip')]);
}, 60_000);

it('encodes a whole clip anew that is not H.264', async () => {
  const session = await openSession(standIn('baseline'));
  const path = join(house.dataDir, 'other.mp4');
  const source = join(import.meta.dirname, '../../../test-fixtures/streams/smooth-25fps.mp4');
  const h265 = ['-c:v', 'libx265', '-preset', 'ultrafast', '-tag:v', 'hvc1', '-x265-params', 'log-level=none'];
  encode(source, path, ['-an', '-t', '1', '-g', '12', ...h265]);
  const of = await film(house, session, path, { cameraId: 'other' });
  const span = { fromMs: of.startMs, toMs: of.endMs };
  const choice = redactionChoice.parse({ fill: 'none', regions: [{ x: 0, y: 0, w: 0.3, h: 0.3 }] });
  const { redactionId } = await session.redactClip({ clipId: of.clipId, span, choice });
  expect(asked()).toEqual(['hardware trial', 'hardware clip']);
  const selection = [{ clipId: of.clipId, ...span, redactionId }];
  const request = house.request().envelope;
  const { previewId } = session.preview({ request, agency: house.agency(), floorS: 0, selection });
  const video = wholeOf(session.previewMedia(previewId, '40-video.mp4'));
  const { pictures, complaints } = decode(video);
  expect([pictures.length, complaints]).toEqual([25, '']);
  const frames = pictures.map((_, i) => ({ i, people: [{ id: 1, box: [0, 0, 192, 108] as const }] }));
  expect(scorePixels(video, { widthPx, heightPx, frames })).toMatchObject({ boxCount: 25, filledBoxCount: 25 });
}, 60_000);
