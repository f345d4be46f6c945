/** People who come one after another and stand still, through the whole recorder with the embedded and a reference model. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type RecordedClip, TestCamera } from '../recording.ts';

const data = process.env['LATCHKEY_DATA'];
const modelPath = join(data ?? '', 'models/yolox_nano_416.onnx');
const streamPath = join(data ?? '', 'streams/one-by-one.mp4');
const truthPath = join(data ?? '', 'streams/one-by-one.truth.json');
const present = data !== undefined && [modelPath, streamPath, truthPath].every((path) => existsSync(path));
/** ffmpeg's time line of every run starts here. */
const streamStartMs = 10_000;
const toleranceMs = 500;

interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

function visits(): Span[] {
  const truth = JSON.parse(readFileSync(truthPath, 'utf8')) as { fps: number; personVisible: [number, number][] };
  const toMs = (frame: number): number => (frame * 1000) / truth.fps;
  return (
    truth.personVisible
      .map(([first, last]) => ({ fromMs: toMs(first), toMs: toMs(last) }))
      // No model confirms somebody who is in the picture for two frames.
      .filter(({ fromMs, toMs: untilMs }) => untilMs - fromMs > 600)
  );
}

function sha256Of(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

function inStream(clip: RecordedClip, wallMs: number): number {
  return wallMs - clip.opening.wall_at_zero_ms - streamStartMs;
}

function personSpans(clips: readonly RecordedClip[]): Span[] {
  return clips.flatMap((clip) =>
    (clip.closing?.labels ?? [])
      .filter(({ kind }) => kind === 'person')
      .map((label) => ({ fromMs: inStream(clip, label.from_ms), toMs: inStream(clip, label.to_ms) })),
  );
}

function overlapMs(a: Span, b: Span): number {
  return Math.max(0, Math.min(a.toMs, b.toMs) - Math.max(a.fromMs, b.fromMs));
}

let camera: TestCamera | undefined;
afterEach(() => camera?.remove());

describe('people who come one by one', () => {
  test.skipIf(!present).for(['embedded', 'yolox_nano'])(
    'are each in a clip with one person label, with %s (needs LATCHKEY_DATA)',
    { timeout: 300_000 },
    async (name) => {
      const model = name === 'embedded' ? 'embedded' : { path: modelPath, sha256: sha256Of(modelPath) };
      camera = new TestCamera({
        camera: {
          source: { kind: 'file', path: streamPath, pace: 'fast' },
          clip: { mode: 'person', preRollMs: 3000, postRollMs: 3000 },
          person: { model },
        },
      });
      const status = await camera.recordAll();
      expect(status).toMatchObject({ person: 'on', problem: null, lostFragmentCount: 0, failedLookCount: 0 });
      const clips = camera.clips();
      const people = personSpans(clips);
      for (const visit of visits()) {
        const labels = people.filter((span) => overlapMs(span, visit) > 0);
        expect(labels).toHaveLength(1);
        // The embedded model is held to recall and precision: it may take longer to be sure of somebody.
        for (const { fromMs, toMs } of labels) {
          if (name !== 'embedded') expect(Math.abs(fromMs - visit.fromMs)).toBeLessThanOrEqual(toleranceMs);
          expect(Math.abs(toMs - visit.toMs)).toBeLessThanOrEqual(toleranceMs);
        }
        const filmed = clips.reduce((sum, clip) => {
          const span = {
            fromMs: inStream(clip, clip.closing?.fragments[1]?.start_ms ?? 0),
            toMs: inStream(clip, clip.closing?.end_ms ?? 0),
          };
          return Math.max(sum, overlapMs(span, visit));
        }, 0);
        expect(filmed).toBe(visit.toMs - visit.fromMs);
      }
      const visibleMs = visits().reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
      const widened = people.map(({ fromMs, toMs }) => ({ fromMs: fromMs - toleranceMs, toMs: toMs + toleranceMs }));
      const recalledMs = visits().reduce(
        (sum, visit) => sum + widened.reduce((part, span) => part + overlapMs(span, visit), 0),
        0,
      );
      expect(recalledMs / visibleMs).toBeGreaterThanOrEqual(0.97);
      const labelledMs = people.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
      const rightMs = people.reduce(
        (sum, span) =>
          sum +
          visits().reduce((part, { fromMs, toMs }) => {
            return part + overlapMs(span, { fromMs: fromMs - toleranceMs, toMs: toMs + toleranceMs });
          }, 0),
        0,
      );
      expect(rightMs / labelledMs).toBeGreaterThanOrEqual(0.97);
    },
  );
});
