import type { Clock } from '../base/clock.ts';
import { type AgentError, asAgentError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { CameraConfig } from '../config/schema.ts';
import { type ResolvedSource, resolveSource } from '../config/source.ts';
import { startCapture } from './capture/capture.ts';
import { type Cost, CostMeter } from './cost-meter.ts';
import { MotionDetector } from './motion/detector.ts';
import { loadPersonLook } from './person-look.ts';
import { Pipeline } from './pipeline.ts';
import { type SeenEvent, type Shots, Sightings } from './sightings.ts';
import type { Detection, MotionResult, MotionStage, PersonStage, SmallFrame } from './stages.ts';

/**
 * The seeing half of the recorder, the very stages that `program.ts` runs, on a stream of which nothing is kept. A file
 * goes as fast as it can be looked at, every frame; a live camera is watched until it ends or the signal says so.
 */
export interface ObserveOptions {
  readonly camera: CameraConfig;
  readonly ffmpegPath: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly onEvent: (event: SeenEvent, shots: Shots) => void;
  /** Every look at a frame, for drawing; `atMs` from the start of the stream. */
  readonly trace?: Trace;
}

export interface Trace {
  /** `mask`: see `MotionStage`; a copy is made only when it is asked for, and only during the call. */
  onMotion(atMs: number, frame: SmallFrame, result: MotionResult, mask: () => Uint8Array | null): void;
  onPeople(atMs: number, frame: SmallFrame, found: readonly Detection[]): void;
}

export interface Observation extends Cost {
  readonly frames: number;
  /** Pictures of the stream, of which `frames` were looked at. */
  readonly sourceFrames: number;
  /** Of the stream. */
  readonly durationMs: number;
  readonly elapsedMs: number;
  readonly motionFrames: number;
  readonly looks: number;
  /** A live camera goes on while a look takes long. */
  readonly skippedLooks: number;
  readonly failedLooks: number;
  /** Why the stream ended before its end. */
  readonly error: AgentError | undefined;
}

/** Throws what a missing model, addon or ffmpeg throws; what befalls the stream stands in the result. */
export async function observe(options: ObserveOptions): Promise<Observation> {
  const { camera, ffmpegPath, clock, log, signal, onEvent, trace } = options;
  const source = fastest(resolveSource(camera.source));
  await using ending = new AsyncDisposableStack();
  const detector = ending.use(
    new MotionDetector({ ...camera.detect, ...camera.motion, privacyMasks: camera.privacyMasks }),
  );
  const motion: MotionStage = detector;
  const { model } = camera.person;
  const person = model === 'off' ? undefined : await loadPersonLook({ ...camera.person, model }, signal);
  ending.defer(() => person?.stage.close());
  const seen = new Sightings(onEvent);
  const counts = { motionFrames: 0, looks: 0 };
  const atMs = (frame: SmallFrame): number => Math.max(0, frame.timeMs - (seen.pictures.startMs ?? frame.timeMs));
  const watchedMotion: MotionStage = {
    reset: () => motion.reset(),
    detect: (frame) => {
      const result = motion.detect(frame);
      if (result.state === 'motion') counts.motionFrames += 1;
      trace?.onMotion(atMs(frame), frame, result, () => motion.mask?.() ?? null);
      return result;
    },
  };
  const pipeline = new Pipeline({
    cameraId: camera.id,
    ...camera.clip,
    // The event machine is the same; but a clip of everything is nothing to report.
    mode: camera.clip.mode === 'continuous' ? 'person' : camera.clip.mode,
    lossless: source.kind === 'file',
    motion: watchedMotion,
    clips: seen,
    log,
    publish: () => {},
  });
  if (person !== undefined) {
    const watchedPeople: PersonStage = {
      close: () => person.stage.close(),
      detect: async (frame, regions, how) => {
        counts.looks += 1;
        const found = await person.stage.detect(frame, regions, how);
        trace?.onPeople(atMs(frame), frame, found);
        return found;
      },
    };
    pipeline.usePerson({ stage: watchedPeople, tracker: person.tracker });
  }
  const startedMs = clock.monotonicMs();
  const capture = ending.use(
    startCapture(
      {
        source,
        detect: camera.detect,
        privacyMasks: camera.privacyMasks,
        ffmpegPath,
        clock,
        log,
        signal,
        restart: false,
      },
      pipeline,
    ),
  );
  using meter = new CostMeter(() => [capture.stats().copyPid, capture.stats().decodePid]);
  const error = await capture.done.then(() => undefined, asAgentError);
  return {
    ...counts,
    ...meter.read(),
    frames: capture.stats().frameCount,
    sourceFrames: seen.pictures.count,
    durationMs: Math.round(seen.pictures.durationMs),
    elapsedMs: Math.round(clock.monotonicMs() - startedMs),
    skippedLooks: pipeline.state.skippedLookCount,
    failedLooks: pipeline.state.failedLookCount,
    error,
  };
}

function fastest(source: ResolvedSource): ResolvedSource {
  return source.kind === 'file' ? { ...source, pace: 'fast', loop: false } : source;
}
