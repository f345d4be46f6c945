import type { Clock } from '../../base/clock.ts';
import { type AgentError, asAgentError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { BackoffOptions } from '../../base/retry.ts';
import type { CaptureSink } from '../stages.ts';
import { Anchor } from './anchor.ts';
import type { BurnIn } from './arguments.ts';
import { Copier } from './copier.ts';
import { Decoder } from './decoder.ts';
import { clockStepped, stalled } from './failure.ts';
import type { FragmentInfo } from './fragment-reader.ts';
import type { StreamInit } from './init-reader.ts';
import type { SoundPlan } from './sound.ts';
import { type DetectConfig, isLive, type SourceConfig } from './source.ts';
import { StallWatchdog, WallClockWatch } from './watchdog.ts';

/**
 * One run: one process A, one process B, one mapping to wall time. It ends with its source, or because the source stalls,
 * the wall clock is set, or somebody stops it.
 */
export interface RunOptions {
  readonly source: SourceConfig;
  readonly detect: DetectConfig | null;
  readonly ffmpegPath: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly stallMs: number;
  readonly decoderBackoff: BackoffOptions;
  readonly runId: string;
  readonly sound: SoundPlan;
  readonly burnIn: BurnIn | undefined;
}

export interface RunResult {
  /** Undefined: the file has been read to its end, or the run was stopped. */
  readonly error: AgentError | undefined;
  /** Thrown by the sink: not for capture to repair. */
  readonly sinkFault: AgentError | undefined;
  readonly fragmentCount: number;
  readonly durationMs: number;
}

/** A live run that is over may keep the next one waiting only so long for its last frames. */
const lastFramesMs = 1000;
/** A minute of sound that waits for its video. */
const maxHeardCount = 120;

export class RunSession {
  readonly #options: RunOptions;
  readonly #sink: CaptureSink;
  readonly #onVerdict: (verdict: 'ok' | 'stale') => void;
  readonly #fast: boolean;
  readonly #startedMs: number;
  readonly #anchor: Anchor;
  readonly #wallClock: WallClockWatch;
  readonly #watchdog: StallWatchdog;
  readonly #over = new AbortController();
  readonly #copier: Copier;
  readonly #startWallMs: number;
  #decoder: Decoder | undefined;
  #opened = false;
  /** Sound that came before the video's first bytes; a run begins with those. */
  #heard: (() => void)[] = [];
  #fragmentCount = 0;
  #bytes = 0;
  #lastFragmentMs: number | undefined;
  #ownReason: AgentError | undefined;
  #sinkFault: AgentError | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: RunOptions, sink: CaptureSink, onVerdict: (verdict: 'ok' | 'stale') => void) {
    const { clock, source } = options;
    this.#options = options;
    this.#sink = sink;
    this.#onVerdict = onVerdict;
    this.#fast = source.kind === 'file' && source.pace === 'fast';
    this.#startedMs = clock.monotonicMs();
    this.#startWallMs = clock.wallMs();
    this.#anchor = new Anchor(this.#startWallMs, this.#startedMs);
    this.#wallClock = new WallClockWatch(clock);
    this.#watchdog = new StallWatchdog(options.stallMs, this.#startedMs);
    const { runId } = options;
    this.#copier = new Copier(
      options.ffmpegPath,
      source,
      {
        onInit: (init) => this.#guard(() => this.#open(init)),
        onFragment: (bytes, info) => this.#guard(() => this.#receive(bytes, info)),
        onSoundInit: ({ bytes, codec }) => this.#hear(() => sink.onSound?.({ runId, init: bytes, codec })),
        onSoundFragment: (bytes, { startMs, durationMs }) =>
          this.#hear(() => sink.onSoundFragment?.({ runId, bytes, startMs, durationMs })),
      },
      options.sound,
      options.burnIn,
    );
  }

  get stats(): RunStats {
    return {
      fragmentCount: this.#fragmentCount,
      bytes: this.#bytes,
      lastFragmentMs: this.#lastFragmentMs,
      copyPid: this.#copier.pid,
      decodePid: this.#decoder?.pid,
      frameCount: this.#decoder?.frameCount ?? 0,
      skippedFragmentCount: this.#decoder?.skippedCount ?? 0,
      decoderRestartCount: this.#decoder?.restartCount ?? 0,
    };
  }

  /** Resolves when the run is over and the sink has seen its end. */
  async finished(): Promise<RunResult> {
    const watching = this.#fast ? Promise.resolve() : this.#watch();
    const ended = await this.#copier.ended;
    this.#over.abort();
    await Promise.all([watching, this.#stopping, this.#decoder?.finish(lastFramesMs)]);
    if (this.#opened) this.#guard(() => this.#sink.onRunEnd(this.#options.runId));
    const stopped = this.#stopping !== undefined && this.#ownReason === undefined;
    return {
      error: this.#ownReason ?? (stopped ? undefined : ended),
      sinkFault: this.#sinkFault,
      fragmentCount: this.#fragmentCount,
      durationMs: this.#options.clock.monotonicMs() - this.#startedMs,
    };
  }

  /** Ends the run in good order: what ffmpeg still holds is delivered first. */
  stop(): Promise<void> {
    // A fast file would be copied to its end otherwise, with nobody wanting its frames.
    if (this.#fast) this.#decoder?.stop();
    this.#stopping ??= this.#copier.stop();
    return this.#stopping;
  }

  #open(init: StreamInit): void {
    const { runId, detect, ffmpegPath, clock, log, decoderBackoff } = this.#options;
    this.#opened = true;
    this.#sink.onRun({ runId, init: init.bytes, codec: init.codec, widthPx: init.widthPx, heightPx: init.heightPx });
    for (const tell of this.#heard.splice(0)) tell();
    if (detect === null) return;
    this.#decoder = new Decoder({
      ffmpegPath,
      runId,
      init: init.bytes,
      detect,
      lossless: this.#fast,
      clock,
      log,
      backoff: decoderBackoff,
      onFrame: async (frame) => {
        if (this.#sinkFault !== undefined) return;
        try {
          await this.#sink.onFrame(frame);
        } catch (thrown) {
          this.#failSink(thrown);
        }
      },
      onRoom: () => this.#copier.resume(),
    });
  }

  #receive(bytes: Uint8Array, info: FragmentInfo): void {
    const { clock, runId } = this.#options;
    const nowMs = clock.monotonicMs();
    const { keyframe, startMs, durationMs, sampleCount } = info;
    this.#fragmentCount += 1;
    this.#bytes += bytes.byteLength;
    this.#lastFragmentMs = nowMs;
    this.#watchdog.fragmentArrived(nowMs);
    const wallAtZeroMs = this.#mapTime(info, nowMs);
    if (wallAtZeroMs !== undefined) this.#sink.onAnchor(runId, wallAtZeroMs);
    const fragment = { runId, bytes, keyframe, startMs, durationMs, pictureCount: sampleCount };
    this.#sink.onFragment(fragment);
    this.#onVerdict('ok');
    this.#decoder?.push(fragment);
    if (this.#decoder?.full === true) this.#copier.pause();
  }

  /** A fast file has no arrival worth the name: it counts as recorded from the moment it was opened. */
  #mapTime(info: FragmentInfo, nowMs: number): number | undefined {
    if (!this.#fast) return this.#anchor.observe(info.startMs + info.durationMs, nowMs);
    return this.#fragmentCount === 1 ? Math.round(this.#startWallMs - info.startMs) : undefined;
  }

  async #watch(): Promise<void> {
    const { clock, source, stallMs } = this.#options;
    const tickMs = Math.min(1000, stallMs / 4);
    for (;;) {
      await clock.sleep(tickMs, this.#over.signal).catch(() => {});
      if (this.#over.signal.aborted || this.#stopping !== undefined) return;
      const verdict = this.#watchdog.judge(clock.monotonicMs());
      if (verdict === 'stalled') {
        this.#ownReason = stalled();
        this.#copier.kill();
        return;
      }
      if (verdict === 'stale') this.#onVerdict('stale');
      if (isLive(source) && this.#wallClock.stepped()) {
        this.#ownReason = clockStepped();
        void this.stop();
        return;
      }
    }
  }

  #hear(tell: () => void): void {
    if (this.#opened) this.#guard(tell);
    else if (this.#heard.length < maxHeardCount) this.#heard.push(tell);
  }

  #guard(call: () => void): void {
    if (this.#sinkFault !== undefined) return;
    try {
      call();
    } catch (thrown) {
      this.#failSink(thrown);
    }
  }

  #failSink(thrown: unknown): void {
    this.#sinkFault ??= asAgentError(thrown);
    this.#decoder?.stop();
    this.#copier.kill();
  }
}

export interface RunStats {
  readonly fragmentCount: number;
  readonly bytes: number;
  /** Monotonic. */
  readonly lastFragmentMs: number | undefined;
  readonly copyPid: number | undefined;
  readonly decodePid: number | undefined;
  readonly frameCount: number;
  readonly skippedFragmentCount: number;
  readonly decoderRestartCount: number;
}
