import type { Readable, Writable } from 'node:stream';
import { Child } from '../../base/child.ts';
import type { Clock } from '../../base/clock.ts';
import { type AgentError, asAgentError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import { Backoff, type BackoffOptions } from '../../base/retry.ts';
import type { Fragment, SmallFrame } from '../stages.ts';
import { decodeArguments, frameBytes } from './arguments.ts';
import { BoxSplitter, badStream } from './box-splitter.ts';
import { DecodeFeed } from './decode-feed.ts';
import { FragmentReader, mdatHeaderBytes } from './fragment-reader.ts';
import { readInit, type StreamInit } from './init-reader.ts';
import type { DetectConfig } from './source.ts';

/**
 * Process B: decodes the fragments of one run to small frames. It may lag (whole GOPs are skipped), hang (it is killed)
 * or crash (it is started again): the copy never notices. What is under way is bounded by time, not by the pipe, which
 * holds many seconds of a quiet stream.
 */
export interface DecoderOptions {
  readonly ffmpegPath: string;
  readonly runId: string;
  /** ftyp + moov of the copied stream. */
  readonly init: Uint8Array;
  readonly detect: DetectConfig;
  /** True for a fast file: nothing is skipped, the reader waits. */
  readonly lossless: boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly backoff: BackoffOptions;
  /** A promise holds back further frames until it settles. Must neither throw nor reject. */
  readonly onFrame: (frame: SmallFrame) => void | Promise<void>;
  /** The backlog of a lossless feed has gone down again. */
  readonly onRoom: () => void;
}

/** How much video may be given ahead of the newest frame returned, in detection intervals and at least. */
const aheadIntervalCount = 3;
const aheadMs = 3000;
const stuckMs = 15_000;
const tickMs = 1000;

export class Decoder {
  readonly #options: DecoderOptions;
  readonly #feed: DecodeFeed;
  readonly #backoff: Backoff;
  readonly #over = new AbortController();
  readonly #supervised: Promise<void>;
  #child: Child | undefined;
  #blocked = false;
  #ending = false;
  /** Given to the present process, not yet answered by a frame. */
  #owed: Pick<Fragment, 'startMs' | 'durationMs'>[] = [];
  #frameMs = Number.NEGATIVE_INFINITY;
  #progressMs = 0;
  #delivery: Promise<void> = Promise.resolve();
  #waitingCount = 0;
  #frameCount = 0;
  #restartCount = 0;

  constructor(options: DecoderOptions) {
    this.#options = options;
    this.#feed = new DecodeFeed(options.lossless);
    this.#backoff = new Backoff(options.backoff);
    this.#supervised = this.#supervise();
  }

  get pid(): number | undefined {
    return this.#child?.process.pid;
  }

  get frameCount(): number {
    return this.#frameCount;
  }

  get restartCount(): number {
    return this.#restartCount;
  }

  /** Fragments that were never decoded because the decoder lagged or was down. */
  get skippedCount(): number {
    return this.#feed.droppedCount;
  }

  get full(): boolean {
    return this.#options.lossless && this.#feed.full && !this.#over.signal.aborted;
  }

  push(fragment: Fragment): void {
    if (this.#over.signal.aborted) return;
    this.#feed.push(fragment);
    this.#pump();
  }

  /** No more fragments come. Waits for the frames still owed, for a live source not longer than `limitMs`. */
  async finish(limitMs: number): Promise<void> {
    this.#ending = true;
    this.#pump();
    const limit = new AbortController();
    if (!this.#options.lossless) {
      void this.#options.clock.sleep(limitMs, limit.signal).then(
        () => this.stop(),
        () => {},
      );
    }
    await this.#supervised;
    limit.abort();
  }

  /** At once: frames not yet returned are lost. */
  stop(): void {
    this.#over.abort();
    this.#child?.kill('SIGKILL');
    // Unread output, held back for a busy sink, would keep the ended process open.
    this.#child?.process.stdout?.destroy();
  }

  async #supervise(): Promise<void> {
    const { clock, log } = this.#options;
    const watch = this.#watch();
    while (!this.#over.signal.aborted) {
      const startedMs = clock.monotonicMs();
      const framesBefore = this.#frameCount;
      const fault = await this.#runOnce();
      if (this.#over.signal.aborted || (this.#ending && (this.#feed.empty || !this.#options.lossless))) break;
      this.#restartCount += 1;
      if (this.#frameCount > framesBefore && clock.monotonicMs() - startedMs > 60_000) this.#backoff.reset();
      const waitMs = this.#backoff.nextMs();
      log.warn('decoder ended, starting it again', { code: fault?.code, waitMs, count: this.#restartCount });
      await clock.sleep(waitMs, this.#over.signal).catch(() => {});
    }
    this.#over.abort();
    await watch;
  }

  /** One process from start to end; returns what was wrong with its output, if anything was. */
  async #runOnce(): Promise<AgentError | undefined> {
    const { ffmpegPath, detect, init } = this.#options;
    const child = new Child({
      command: ffmpegPath,
      args: decodeArguments(detect),
      stdio: ['pipe', 'pipe', 'pipe'],
      graceMs: 1000,
    });
    let fault: AgentError | undefined;
    const stdin = child.process.stdin as Writable;
    stdin.on('error', () => {});
    stdin.on('drain', () => {
      this.#blocked = false;
      this.#pump();
    });
    this.#read(child.process.stdout as Readable, (thrown) => {
      fault = asAgentError(thrown);
      child.kill('SIGKILL');
    });
    this.#feed.restart();
    if (!this.full) this.#options.onRoom();
    this.#owed = [];
    this.#progressMs = this.#options.clock.monotonicMs();
    this.#child = child;
    this.#blocked = !stdin.write(init);
    this.#pump();
    await child.exited;
    this.#child = undefined;
    // A sink that never answers must not hold up the end.
    await Promise.race([this.#delivery, aborted(this.#over.signal)]);
    return fault;
  }

  #read(stdout: Readable, fail: (thrown: unknown) => void): void {
    let init: StreamInit | undefined;
    let reader: FragmentReader | undefined;
    let failed = false;
    const wantedBytes = frameBytes(this.#options.detect);
    const splitter = new BoxSplitter(
      {
        onInit: (bytes) => {
          init = readInit(bytes);
          reader = new FragmentReader(init);
        },
        onFragment: (bytes, mdatOffset) => {
          const { startMs } = (reader as FragmentReader).read(bytes, mdatOffset);
          const yuv = bytes.subarray(mdatOffset + mdatHeaderBytes(bytes, mdatOffset));
          if (yuv.byteLength !== wantedBytes) throw badStream('a decoded frame has the wrong size');
          this.#deliver(stdout, startMs, yuv);
        },
      },
      { initBytes: 1 << 16, moofBytes: 1 << 16, mdatBytes: wantedBytes + 16 },
    );
    stdout.on('data', (chunk: Buffer) => {
      if (failed) return;
      try {
        splitter.push(chunk);
      } catch (thrown) {
        failed = true;
        fail(thrown);
      }
    });
  }

  /** One frame after the other; while the sink is busy nothing more is read, so that the process itself waits. */
  #deliver(stdout: Readable, timeMs: number, yuv: Uint8Array): void {
    if (timeMs <= this.#frameMs) return;
    this.#frameMs = timeMs;
    this.#waitingCount += 1;
    stdout.pause();
    this.#delivery = this.#handOver(this.#delivery, timeMs, yuv, stdout);
  }

  async #handOver(earlier: Promise<void>, timeMs: number, yuv: Uint8Array, stdout: Readable): Promise<void> {
    const { runId, detect, clock, onFrame } = this.#options;
    await earlier;
    if (this.#over.signal.aborted) return;
    await onFrame({ runId, timeMs, widthPx: detect.widthPx, heightPx: detect.heightPx, yuv });
    this.#waitingCount -= 1;
    this.#frameCount += 1;
    while (this.#owed[0] !== undefined && this.#owed[0].startMs <= timeMs) this.#owed.shift();
    this.#progressMs = clock.monotonicMs();
    if (this.#waitingCount === 0) stdout.resume();
    this.#pump();
  }

  #pump(): void {
    const stdin = this.#child?.process.stdin;
    if (stdin === null || stdin === undefined) return;
    const wasFull = this.full;
    while (!this.#blocked && !this.#tooFarAhead()) {
      const fragment = this.#feed.shift();
      if (fragment === undefined) break;
      this.#owed.push({ startMs: fragment.startMs, durationMs: fragment.durationMs });
      this.#blocked = !stdin.write(fragment.bytes);
    }
    if (wasFull && !this.full) this.#options.onRoom();
    if (this.#ending && this.#feed.empty && !stdin.writableEnded) stdin.end();
  }

  #tooFarAhead(): boolean {
    if (this.#options.lossless) return false;
    const limitMs = Math.max(aheadMs, (aheadIntervalCount * 1000) / this.#options.detect.fps);
    // Durations, not the distance of times: after a skipped GOP that distance says nothing.
    return this.#owed.reduce((sum, { durationMs }) => sum + durationMs, 0) > limitMs;
  }

  /** A process that owes frames and returns none for long is beyond help. A busy sink is not its fault. */
  async #watch(): Promise<void> {
    const { clock, log } = this.#options;
    while (!this.#over.signal.aborted) {
      await clock.sleep(tickMs, this.#over.signal).catch(() => {});
      const owes = this.#blocked || this.#tooFarAhead() || this.#ending;
      const silentMs = clock.monotonicMs() - this.#progressMs;
      if (this.#child === undefined || this.#waitingCount > 0 || !owes || silentMs < stuckMs) continue;
      log.warn('decoder hangs, killing it', { durationMs: Math.round(silentMs) });
      this.#progressMs = clock.monotonicMs();
      this.#child.kill('SIGKILL');
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
