/** Redaction when things go wrong, and of recordings that are not as usual. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encode } from '../../../test-fixtures/cameras/captured.ts';
import { type FilmedClip, film, readTruth, scorePixels } from '../../../test-fixtures/filmed.ts';
import { TestHouse, testPassphrase } from '../../../test-fixtures/house.ts';
import { systemClock } from '../../base/clock.ts';
import { wholeOf } from '../media-content.ts';
import type { RedactionTools } from '../redactions.ts';
import { VaultSession } from '../session.ts';
import { type RedactionChoiceInput, redactionChoice } from './choice.ts';

const streams = join(import.meta.dirname, '../../../test-fixtures/streams');
const code = (wanted: string) => expect.objectContaining({ code: wanted });
let house: TestHouse;
let session: VaultSession;
let clip: FilmedClip;

async function openSession(redaction: RedactionTools = {}): Promise<VaultSession> {
  const opened = new VaultSession({ dataDir: house.dataDir, clock: systemClock, log2Work: 8, redaction });
  await opened.openDeciding(testPassphrase);
  return opened;
}

beforeAll(async () => {
  house = await TestHouse.make();
  await house.pinRoot();
  session = await openSession();
  clip = await film(house, session, join(streams, 'runs-past.mp4'), { cameraId: 'first' });
}, 60_000);
afterAll(() => house[Symbol.dispose]());

function redact(input: RedactionChoiceInput, { by = session, of = clip } = {}) {
  const span = { fromMs: of.startMs, toMs: of.endMs };
  return by.redactClip({ clipId: of.clipId, span, choice: redactionChoice.parse(input) });
}

function program(name: string, script: string): string {
  const path = join(house.dataDir, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o700);
  return path;
}

describe('a redaction that cannot be made', () => {
  it('says that ffmpeg died in the middle, or is not there, and goes on with another', async () => {
    const dying = await openSession({ ffmpegPath: program('dies', 'head -c 50000 >/dev/null; kill -9 $$') });
    await expect(redact({ fill: 'people' }, { by: dying })).rejects.toThrow(code('redact/ffmpeg'));
    const none = await openSession({ ffmpegPath: join(house.dataDir, 'no-such-ffmpeg') });
    await expect(redact({ fill: 'moving' }, { by: none })).rejects.toThrow(code('redact/ffmpeg'));
  });

  it('does not take a missing model for an empty street: what moves can still be filled', async () => {
    const blind = await openSession({ model: { name: 'own', path: '/nowhere.onnx', sha256: '0'.repeat(64) } });
    await expect(redact({ fill: 'people' }, { by: blind })).rejects.toThrow(code('redact/no-model'));
    expect(await blind.analyseClip(clip.clipId)).toMatchObject({ noModel: 'person/model-missing', people: [] });
    const made = await redact({ fill: 'moving' }, { by: blind });
    const span = { clipId: clip.clipId, fromMs: clip.startMs, toMs: clip.endMs };
    const shown = blind.preview({
      request: house.request().envelope,
      agency: house.agency(),
      floorS: 0,
      selection: [{ ...span, redactionId: made.redactionId }],
    });
    const score = scorePixels(
      wholeOf(blind.previewMedia(shown.previewId, '40-video.mp4')),
      readTruth(join(streams, 'runs-past.json')),
    );
    expect(score.shown).toEqual([]);
  }, 60_000);

  it('can be cancelled, and leaves nothing', async () => {
    const waiting = await openSession({ ffmpegPath: program('waits', 'exec sleep 60') });
    const running = redact({ fill: 'moving' }, { by: waiting });
    setTimeout(() => waiting.cancelRedaction(), 300);
    await expect(running).rejects.toThrow(code('redact/cancelled'));
  });

  it('names a stranger, a clip that was cut, a redaction of other times, and one that is gone', async () => {
    await expect(redact({ fill: 'people', keep: [99] })).rejects.toThrow(code('redact/no-such-person'));
    const cut = house.addClip({ startMs: clip.startMs - 120_000, cut: true });
    const of = { clipId: cut, startMs: clip.startMs - 120_000, endMs: clip.startMs };
    await expect(redact({ fill: 'people' }, { of })).rejects.toThrow(code('share/clip-cut'));
    const made = await redact({ fill: 'none', regions: [{ x: 0, y: 0, w: 1, h: 1 }] });
    const preview = (redactionId: string, toMs: number) => () =>
      session.preview({
        request: house.request().envelope,
        agency: house.agency(),
        floorS: 0,
        selection: [{ clipId: clip.clipId, fromMs: clip.startMs, toMs, redactionId }],
      });
    expect(preview('not-made', clip.endMs)).toThrow(code('vault/no-such-redaction'));
    expect(preview(made.redactionId, clip.endMs - 1500)).toThrow(code('share/redaction-differs'));
    const nothing = { clipId: clip.clipId, startMs: clip.startMs, endMs: clip.startMs + 100 };
    await expect(redact({ fill: 'moving' }, { of: nothing })).rejects.toThrow(code('share/nothing-selected'));
  }, 60_000);
});

describe('a recording that is not as usual', () => {
  const corner: RedactionChoiceInput = { fill: 'none', regions: [{ x: 0, y: 0, w: 0.25, h: 0.25 }] };
  const h264 = ['-an', '-c:v', 'libx264', '-preset', 'ultrafast', '-t', '2', '-g', '10'];
  it.each([
    ['pictures at uneven times', [...h264, '-bf', '0', '-vf', "select='mod(n*n,3)'", '-fps_mode', 'vfr'], 640, 360],
    ['B-pictures', [...h264, '-bf', '2', '-b_strategy', '0'], 640, 360],
    ['sides that are no multiples of 16', [...h264, '-bf', '0', '-vf', 'scale=426:238'], 426, 238],
    ['full range', [...h264, '-bf', '0', '-vf', 'scale=out_range=pc,format=yuvj420p'], 640, 360],
    [
      'H.265',
      [
        '-an',
        '-c:v',
        'libx265',
        '-preset',
        'ultrafast',
        '-t',
        '2',
        '-g',
        '10',
        '-tag:v',
        'hvc1',
        '-x265-params',
        'log-level=none',
      ],
      640,
      360,
    ],
    ['a picture on its side', ['-an', '-c:v', 'copy', '-metadata:s:v', 'rotate=90'], 360, 640],
  ] as const)(
    '%s: the corner is filled in every picture',
    async (name, args, widthPx, heightPx) => {
      const path = join(house.dataDir, `${name.replaceAll(/\W/g, '')}.mp4`);
      encode(join(streams, 'runs-past.mp4'), path, args);
      const of = await film(house, session, path, { cameraId: name.replaceAll(/\W/g, '').slice(0, 8).toLowerCase() });
      const made = await redact(corner, { of });
      const shown = session.preview({
        request: house.request().envelope,
        agency: house.agency(),
        floorS: 0,
        selection: [{ clipId: of.clipId, fromMs: of.startMs, toMs: of.endMs, redactionId: made.redactionId }],
      });
      const bytes = wholeOf(session.previewMedia(shown.previewId, '40-video.mp4'));
      const box = [0, 0, widthPx / 4, heightPx / 4] as const;
      const frames = Array.from({ length: 200 }, (_, i) => ({ i, people: [{ id: 1, box }] }));
      const score = scorePixels(bytes, { widthPx, heightPx, frames });
      expect(score.shown).toEqual([]);
      expect(score.filledBoxCount).toBe(score.pictureCount);
      expect(score.pictureCount).toBeGreaterThan(15);
      expect(score.blackRatio).toBeLessThan(0.4);
    },
    60_000,
  );
});
