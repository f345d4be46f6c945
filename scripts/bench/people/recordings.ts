/** Streams through the real recorder program; what it kept is read back from `clips.db`. */
import { setTimeout as delay } from 'node:timers/promises';
import { ControlClient } from '../../../agent/base/control.ts';
import type { RecordedClip } from '../../../test-fixtures/recording.ts';
import { type CameraInput, RecorderSystem } from '../recorder-system.ts';
import { joinSpans, type Span } from '../score/intervals.ts';
import type { TruthStream } from '../streams.ts';
import type { ComparedModel } from './models.ts';

/** Every run's time line starts here. */
const streamStartMs = 10_000;
/** A label goes on in the next clip where a clip was full. */
const clipSeamMs = 300;
const slowestRatio = 20;

export interface SaidPerson extends Span {
  readonly score: number;
  readonly box: readonly [x: number, y: number, w: number, h: number];
}

export interface Recording {
  /** When the clips' labels say that a person was there, in milliseconds of the stream. */
  readonly people: readonly Span[];
  readonly labels: readonly SaidPerson[];
  /** What was kept. */
  readonly clips: readonly Span[];
}

function cameraFor(stream: TruthStream, { model, role }: ComparedModel, pace: 'fast' | 'realtime'): CameraInput {
  const chosen = role === 'embedded' ? 'embedded' : { path: model.path, sha256: model.sha256 };
  return { source: { kind: 'file', path: stream.path, pace }, person: { model: chosen } };
}

/** As fast as every frame can be looked at. Throws when the recorder lost anything. */
export async function recordStream(
  stream: TruthStream,
  compared: ComparedModel,
  signal: AbortSignal,
): Promise<Recording> {
  await using system = new RecorderSystem(
    'recorder',
    `recorder on ${stream.name}`,
    cameraFor(stream, compared, 'fast'),
  );
  const limitMs = 60_000 + stream.durationMs * slowestRatio;
  await untilEnded(system, limitMs, signal);
  const { person, problem, lostFragmentCount, failedLookCount } = await system.status();
  if (person !== 'on' || problem !== null || lostFragmentCount !== 0 || failedLookCount !== 0) {
    throw new Error(`the recorder failed on ${stream.name}: ${JSON.stringify({ person, problem, lostFragmentCount, failedLookCount })}`); // biome-ignore format: one line
  }
  await system.stop();
  return readRecording(system.camera.clips());
}

async function untilEnded(system: RecorderSystem, limitMs: number, signal: AbortSignal): Promise<void> {
  const startedMs = performance.now();
  for (;;) {
    signal.throwIfAborted();
    // The control socket opens only when the model has been loaded.
    const status = await system.status().catch((thrown: unknown) => {
      if (thrown instanceof Error && / ended: /.test(thrown.message)) throw thrown;
      return undefined;
    });
    if (status?.['state'] === 'ended') return;
    if (performance.now() - startedMs > limitMs) throw new Error(`${system.label} took too long`);
    await delay(100);
  }
}

/** Wall time of the stream's beginning, as known when the clip closed: the anchor moves while a run is young. */
function streamZeroMs({ opening, closing }: RecordedClip): number {
  const runTimeMs = opening.start_ms - opening.wall_at_zero_ms;
  const first = closing?.fragments[1]?.start_ms ?? opening.start_ms;
  return first - runTimeMs + streamStartMs;
}

function readRecording(clips: readonly RecordedClip[]): Recording {
  const labels = clips.flatMap((clip) => {
    const zeroMs = streamZeroMs(clip);
    return (clip.closing?.labels ?? [])
      .filter(({ kind }) => kind === 'person')
      .map(({ from_ms, to_ms, score, box: { x, y, w, h } }): SaidPerson => {
        return { fromMs: from_ms - zeroMs, toMs: to_ms - zeroMs, score, box: [x, y, w, h] };
      });
  });
  const kept = clips.map((clip) => {
    const zeroMs = streamZeroMs(clip);
    return { fromMs: clip.opening.start_ms - clip.opening.wall_at_zero_ms - streamStartMs, toMs: (clip.closing?.end_ms ?? zeroMs) - zeroMs }; // biome-ignore format: one line
  });
  return { labels, people: joinSpans(labels, clipSeamMs), clips: kept };
}

export interface LiveRecording extends Recording {
  /** When the event of each person arrived at a listener, in milliseconds of the stream. */
  readonly toldMs: readonly number[];
}

/** Paced as it was filmed, with a listener on the control socket, as Home Assistant's bridge has one. */
export async function recordLive(
  stream: TruthStream,
  compared: ComparedModel,
  signal: AbortSignal,
): Promise<LiveRecording> {
  await using system = new RecorderSystem('live', `live recorder on ${stream.name}`, cameraFor(stream, compared, 'realtime')); // biome-ignore format: one line
  const toldAtMs: number[] = [];
  const client = await connect(system, signal);
  try {
    await client.subscribe(({ event }) => void (event === 'person' && toldAtMs.push(Date.now())));
    await untilEnded(system, 60_000 + stream.durationMs * 1.5, signal);
    // The last clip is closed by the stop.
    await system.stop();
  } finally {
    client.close();
  }
  const clips = system.camera.clips();
  const last = clips.at(-1);
  const zeroMs = last === undefined ? 0 : streamZeroMs(last);
  return { ...readRecording(clips), toldMs: toldAtMs.map((atMs) => atMs - zeroMs) };
}

async function connect(system: RecorderSystem, signal: AbortSignal): Promise<ControlClient> {
  const startedMs = performance.now();
  for (;;) {
    signal.throwIfAborted();
    try {
      return await ControlClient.connect(system.camera.socketPath);
    } catch (thrown) {
      if (performance.now() - startedMs > 30_000) throw thrown;
      await delay(20);
    }
  }
}
