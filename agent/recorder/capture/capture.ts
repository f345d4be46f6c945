import { randomUUID } from 'node:crypto';
import { type Stats, statSync } from 'node:fs';
import type { Clock } from '../../base/clock.ts';
import type { AgentError } from '../../base/errors.ts';
import { findFfmpeg } from '../../base/ffmpeg.ts';
import type { Log } from '../../base/log.ts';
import { Backoff, type BackoffOptions } from '../../base/retry.ts';
import { findVideoEncoder } from '../../base/video-encoder.ts';
import type { CaptureSink, CaptureState } from '../stages.ts';
import { type BurnIn, copyCommand } from './arguments.ts';
import { noEncoder, sourceMissing } from './failure.ts';
import type { Polygon } from './privacy-mask.ts';
import { type RunResult, RunSession, type RunStats } from './run-session.ts';
import type { SoundPlan } from './sound.ts';
import type { DetectConfig, SourceConfig } from './source.ts';

/**
 * Keeps a source captured: run after run, with growing waits after failures and none between the passes of a looped file.
 * The recording side never waits for the decoding side.
 */
export interface CaptureOptions {
  readonly source: SourceConfig;
  /** Null: record only, no process B. */
  readonly detect: DetectConfig | null;
  /** Filled before anything is handed on: with one the stream is encoded anew and never copied. */
  readonly privacyMasks?: readonly Polygon[];
  /** Record what the camera hears. */
  readonly sound?: boolean;
  /** As configured; see `findFfmpeg`. */
  readonly ffmpegPath?: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** False: the first failure ends the capture. The end of a file that isn't looped ends it either way. */
  readonly restart: boolean;
  /** Silence after which a source counts as stalled. */
  readonly stallMs?: number | undefined;
  /** Waits between runs. A camera that refuses the password is always asked at the slowest pace. */
  readonly backoff?: BackoffOptions | undefined;
}

export interface CaptureStats extends RunStats {
  readonly state: CaptureState;
  readonly runCount: number;
  /** Since the last good fragment; undefined before the first. */
  readonly silentMs: number | undefined;
}

export interface Capture extends AsyncDisposable {
  /** Resolves after an abort or the end of the file; rejects with the reason when `restart` is false, or the sink threw. */
  readonly done: Promise<void>;
  /** Counts are totals over all runs. */
  stats(): CaptureStats;
}

const defaultStallMs = 10_000;
const defaultBackoff: BackoffOptions = { firstMs: 1000, maxMs: 30_000 };
const goodRunMs = 60_000;

/** Throws `base/ffmpeg-missing` and `capture/bad-address` at once: no retry can cure them. */
export function startCapture(options: CaptureOptions, sink: CaptureSink): Capture {
  const ffmpegPath = findFfmpeg({ configuredPath: options.ffmpegPath });
  copyCommand(options.source);
  return new CaptureLoop(options, ffmpegPath, sink);
}

class CaptureLoop implements Capture {
  readonly done: Promise<void>;
  readonly #options: CaptureOptions;
  readonly #ffmpegPath: string;
  readonly #sink: CaptureSink;
  readonly #disposed = new AbortController();
  readonly #signal: AbortSignal;
  #state: CaptureState | undefined;
  #session: RunSession | undefined;
  #runCount = 0;
  #sound: SoundPlan;
  #burnIn: BurnIn | undefined;
  #past: RunStats = emptyStats;

  constructor(options: CaptureOptions, ffmpegPath: string, sink: CaptureSink) {
    this.#options = options;
    this.#ffmpegPath = ffmpegPath;
    this.#sink = sink;
    this.#sound = options.sound === true ? 'copy' : 'none';
    this.#signal = AbortSignal.any([options.signal, this.#disposed.signal]);
    this.done = this.#loop();
    // Who doesn't look at `done` has `onState`; a rejection nobody awaits must not end the program.
    this.done.catch(() => {});
  }

  stats(): CaptureStats {
    const total = addStats(this.#past, this.#session?.stats ?? emptyStats);
    const { lastFragmentMs } = total;
    const silentMs = lastFragmentMs === undefined ? undefined : this.#options.clock.monotonicMs() - lastFragmentMs;
    return { ...total, state: this.#state ?? 'connecting', runCount: this.#runCount, silentMs };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed.abort();
    await this.done.catch(() => {});
  }

  async #loop(): Promise<void> {
    const { source, clock, log, restart, backoff: waits = defaultBackoff } = this.#options;
    const backoff = new Backoff(waits);
    const loops = source.kind === 'file' && source.loop;
    await Promise.resolve();
    this.#burnIn = await this.#planBurnIn();
    while (!this.#signal.aborted) {
      const result = await this.#runOnce();
      if (result.sinkFault !== undefined) throw this.#lose(result.sinkFault);
      if (this.#signal.aborted) break;
      const { error } = result;
      if (error === undefined) {
        if (!loops) break;
        continue;
      }
      if (this.#replanSound(error)) continue;
      this.#lose(error);
      if (!restart) throw error;
      if (result.fragmentCount > 0 && result.durationMs > goodRunMs) backoff.reset();
      if (error.code === 'capture/clock-stepped') continue;
      const nextMs = backoff.nextMs();
      const waitMs = error.code === 'capture/unauthorised' ? waits.maxMs : nextMs;
      log.warn('capture lost, trying again', { code: error.code, waitMs });
      await clock.sleep(waitMs, this.#signal).catch(() => {});
    }
    this.#enter('ended');
  }

  /** Throws `capture/no-encoder`: what can't be masked is not recorded. */
  async #planBurnIn(): Promise<BurnIn | undefined> {
    const { privacyMasks: masks = [], log } = this.#options;
    if (masks.length === 0) return undefined;
    const encoder = await findVideoEncoder(this.#ffmpegPath);
    if (encoder === undefined) throw this.#lose(noEncoder());
    log.info('privacy masks are burned in', { codec: encoder, count: masks.length });
    return { masks, encoder };
  }

  async #runOnce(): Promise<RunResult> {
    const { source, detect, clock, log, stallMs = defaultStallMs, backoff = defaultBackoff } = this.#options;
    // Between two passes of a file there is nothing to connect to.
    if (source.kind !== 'file' || this.#state !== 'streaming') this.#enter('connecting');
    const missing = findMissing(source);
    if (missing !== undefined) return { error: missing, sinkFault: undefined, fragmentCount: 0, durationMs: 0 };
    const session = new RunSession(
      {
        source,
        detect,
        ffmpegPath: this.#ffmpegPath,
        clock,
        log,
        stallMs,
        decoderBackoff: { ...backoff, firstMs: Math.min(500, backoff.firstMs) },
        runId: randomUUID(),
        sound: this.#sound,
        burnIn: this.#burnIn,
      },
      this.#sink,
      (verdict) => {
        if (verdict === 'ok') this.#enter('streaming');
        else if (this.#state === 'streaming') this.#enter('stale', 'capture/stalled');
      },
    );
    this.#session = session;
    this.#runCount += 1;
    const stop = (): void => void session.stop();
    this.#signal.addEventListener('abort', stop, { once: true });
    try {
      return await session.finished();
    } finally {
      this.#signal.removeEventListener('abort', stop);
      this.#past = { ...addStats(this.#past, session.stats), copyPid: undefined, decodePid: undefined };
      this.#session = undefined;
    }
  }

  /** A camera's sound is found out by trying; that it has none, or none that can be kept, must not cost the video. */
  #replanSound(error: AgentError): boolean {
    if (this.#sound === 'none') return false;
    if (error.code !== 'capture/no-sound' && error.code !== 'capture/sound-format') return false;
    this.#sound = this.#sound === 'copy' && error.code === 'capture/sound-format' ? 'encode' : 'none';
    if (this.#sound === 'none') this.#options.log.warn('recording without sound', { code: error.code });
    return true;
  }

  #lose(error: AgentError): AgentError {
    this.#enter('lost', error.code);
    return error;
  }

  #enter(state: CaptureState, code?: string): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#options.log.info('capture state', { state, code });
    this.#sink.onState(state, code);
  }
}

/** ffmpeg would find out as well, but only in words. */
function findMissing(source: SourceConfig): AgentError | undefined {
  if (source.kind === 'rtsp' || source.kind === 'rpicam') return undefined;
  const [path, what] = source.kind === 'file' ? [source.path, 'the video file'] : [source.device, 'the V4L2 camera'];
  const found = stat(path);
  const usable = found !== undefined && (source.kind === 'v4l2' || found.isFile());
  return usable ? undefined : sourceMissing(what);
}

/** A name that no file can have names none. */
function stat(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

const emptyStats: RunStats = {
  fragmentCount: 0,
  bytes: 0,
  lastFragmentMs: undefined,
  copyPid: undefined,
  decodePid: undefined,
  frameCount: 0,
  skippedFragmentCount: 0,
  decoderRestartCount: 0,
};

function addStats(past: RunStats, now: RunStats): RunStats {
  return {
    fragmentCount: past.fragmentCount + now.fragmentCount,
    bytes: past.bytes + now.bytes,
    lastFragmentMs: now.lastFragmentMs ?? past.lastFragmentMs,
    copyPid: now.copyPid,
    decodePid: now.decodePid,
    frameCount: past.frameCount + now.frameCount,
    skippedFragmentCount: past.skippedFragmentCount + now.skippedFragmentCount,
    decoderRestartCount: past.decoderRestartCount + now.decoderRestartCount,
  };
}
