/** People whom redaction was never tuned on: fresh seeds of the studio, and a real stream with boxes drawn by hand. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { catalog } from '../../../scripts/render/catalog/catalog.ts';
import type { StreamPlan } from '../../../scripts/render/plan.ts';
import { renderStream } from '../../../scripts/render/render-stream.ts';
import { Studio } from '../../../scripts/render/studio.ts';
import { encode } from '../../../test-fixtures/cameras/captured.ts';
import { film, type PixelScore, readTruth, receive, scorePixels, type Truth } from '../../../test-fixtures/filmed.ts';
import { TestHouse, testPassphrase } from '../../../test-fixtures/house.ts';
import { systemClock } from '../../base/clock.ts';
import { findFfmpeg } from '../../base/ffmpeg.ts';
import { VaultSession } from '../session.ts';
import { redactionChoice } from './choice.ts';

const dataDir = process.env['LATCHKEY_DATA'];
const realStream = join(dataDir ?? '', 'streams', 'one-by-one.mp4');
const work = mkdtempSync(join(tmpdir(), 'latchkey-unseen-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

/** Records, redacts people, approves, and scores what arrives. */
async function scoreReceived(path: string, truth: Truth): Promise<PixelScore> {
  using house = await TestHouse.make();
  await house.pinRoot();
  const session = new VaultSession({ dataDir: house.dataDir, clock: systemClock, log2Work: 8 });
  await session.openDeciding(testPassphrase);
  const { clipId, startMs, endMs } = await film(house, session, path);
  const span = { fromMs: startMs, toMs: endMs };
  const { redactionId } = await session.redactClip({ clipId, span, choice: redactionChoice.parse({ fill: 'people' }) });
  const request = house.request().envelope;
  const selection = [{ clipId, ...span, redactionId }];
  const { previewId } = session.preview({ request, agency: house.agency(), floorS: 0, selection });
  const files = await receive(house, session, previewId);
  return scorePixels(files.find(({ name }) => name === '40-video.mp4')?.bytes ?? new Uint8Array(), truth);
}

describe('people on seeds that nothing was tuned on', () => {
  const stop = new AbortController();
  let studio: Studio;
  beforeAll(async () => {
    studio = await Studio.open({ signal: stop.signal });
  }, 120_000);
  afterAll(async () => {
    await studio[Symbol.asyncDispose]();
  });

  it.each([
    ['day-front', 910_021, 0.12],
    ['ir-front', 910_022, -0.1],
    ['rain-hood', 910_023, 0.1],
    ['group-of-three', 910_024, -0.08],
    ['far-passer', 910_025, 0.05],
    ['crouching-ir', 910_026, 0.1],
  ] as const)(
    '%s, seed %i: every pixel of everybody is filled in every picture that arrives',
    async (name, seed, yawRad) => {
      const known = catalog.find((plan) => plan.name === name);
      if (known === undefined) throw new Error(`no stream is called ${name}`);
      const plan: StreamPlan = { ...known, name: `${name}-${seed}`, seed, camera: { ...known.camera, yawRad } };
      await renderStream(plan, { studio, ffmpeg: findFfmpeg(), outDir: work, onProgress: () => {} });
      const score = await scoreReceived(join(work, `${plan.name}.mp4`), readTruth(join(work, `${plan.name}.json`)));
      expect(score.shown).toEqual([]);
      expect(score.boxCount).toBeGreaterThan(20);
      expect(score.filledBoxCount).toBe(score.boxCount);
    },
    300_000,
  );
});

interface HandTruth {
  readonly fromS: number;
  readonly seconds: number;
  readonly fps: number;
  readonly widthPx: number;
  readonly heightPx: number;
  /** Picture, x, y, w, h; linear in between. */
  readonly boxes: readonly (readonly [number, number, number, number, number])[];
}

function interpolate({ boxes, widthPx, heightPx }: HandTruth): Truth {
  const last = boxes.at(-1)?.[0] ?? 0;
  const frames = Array.from({ length: last + 1 }, (_, i) => {
    const after = boxes.findIndex(([at]) => at >= i);
    const [b, a] = [boxes[after], boxes[after - 1]];
    if (b === undefined || (a === undefined && b[0] > i)) return { i, people: [] };
    const part = a === undefined ? 1 : (i - a[0]) / (b[0] - a[0]);
    const mix = (k: 1 | 2 | 3 | 4): number => (a?.[k] ?? b[k]) + (b[k] - (a?.[k] ?? b[k])) * part;
    return { i, people: [{ id: 1, box: [mix(1), mix(2), mix(3), mix(4)] as const }] };
  });
  return { widthPx, heightPx, frames };
}

it.skipIf(!existsSync(realStream))(
  'a real visitor, boxes drawn by hand: every pixel is filled in every picture that arrives (needs LATCHKEY_DATA)',
  async () => {
    const path = join(import.meta.dirname, '../../../test-fixtures/hand-truth/one-by-one-visit.json');
    const hand = JSON.parse(readFileSync(path, 'utf8')) as HandTruth;
    const cut = join(work, 'visit.mp4');
    const start = ['-ss', String(hand.fromS), '-t', String(hand.seconds), '-r', String(hand.fps)];
    encode(realStream, cut, [...start, '-an', '-c:v', 'libx264', '-preset', 'veryfast', '-g', '20', '-bf', '0']);
    const score = await scoreReceived(cut, interpolate(hand));
    expect(score.shown).toEqual([]);
    expect(score).toMatchObject({ pictureCount: 120, boxCount: 108, filledBoxCount: 108 });
  },
  300_000,
);
