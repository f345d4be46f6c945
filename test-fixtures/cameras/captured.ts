import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { findFfmpeg, findFfprobe } from '../../agent/base/ffmpeg.ts';
import type { Log } from '../../agent/base/log.ts';
import type {
  CaptureSink,
  CaptureState,
  Fragment,
  Run,
  SmallFrame,
  Sound,
  SoundFragment,
} from '../../agent/recorder/stages.ts';

/** A sink that keeps everything, in order, and lets a test wait for what it expects. */
export class Captured implements CaptureSink {
  readonly runs: Run[] = [];
  readonly fragments: Fragment[] = [];
  readonly sounds: Sound[] = [];
  readonly soundFragments: SoundFragment[] = [];
  readonly frames: SmallFrame[] = [];
  readonly states: { readonly state: CaptureState; readonly code: string | undefined }[] = [];
  readonly anchors: { readonly runId: string; readonly wallAtZeroMs: number }[] = [];
  readonly endedRunIds: string[] = [];
  readonly logLines: string[] = [];
  readonly log: Log = {
    info: (event, fields) => this.#note(event, fields),
    warn: (event, fields) => this.#note(event, fields),
    error: (event, thrown, fields) => this.#note(event, [String(thrown), fields]),
  };
  readonly #waiting = new Set<() => void>();

  onRun(run: Run): void {
    this.runs.push(run);
    this.#changed();
  }

  onFragment(fragment: Fragment): void {
    this.fragments.push(fragment);
    this.#changed();
  }

  onSound(sound: Sound): void {
    this.sounds.push(sound);
    this.#changed();
  }

  onSoundFragment(fragment: SoundFragment): void {
    this.soundFragments.push(fragment);
    this.#changed();
  }

  onFrame(frame: SmallFrame): void | Promise<void> {
    this.frames.push(frame);
    this.#changed();
  }

  onAnchor(runId: string, wallAtZeroMs: number): void {
    this.anchors.push({ runId, wallAtZeroMs });
  }

  onRunEnd(runId: string): void {
    this.endedRunIds.push(runId);
    this.#changed();
  }

  onState(state: CaptureState, code?: string): void {
    this.states.push({ state, code });
    this.#changed();
  }

  fragmentsOf(runId: string | undefined): Fragment[] {
    return this.fragments.filter((fragment) => fragment.runId === runId);
  }

  framesOf(runId: string | undefined): SmallFrame[] {
    return this.frames.filter((frame) => frame.runId === runId);
  }

  /** Resolves as soon as the predicate holds; the test's own time limit is what ends a vain wait. */
  async until(predicate: () => boolean): Promise<void> {
    while (!predicate()) {
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
      });
    }
  }

  #note(event: string, fields: unknown): void {
    this.logLines.push(`${event} ${JSON.stringify(fields)}`);
  }

  #changed(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

export interface Probed {
  readonly frameCount: number;
  readonly codec: string;
  /** Presentation times of all frames, as ffprobe sees them. */
  readonly timesMs: readonly number[];
  /** What a decoder complained about. */
  readonly complaints: string;
}

/** Writes one run as a player would get it and lets ffprobe decode all of it. */
export function probeRun(captured: Captured, runId: string | undefined, path: string): Probed {
  const run = captured.runs.find((candidate) => candidate.runId === runId);
  if (run === undefined) throw new Error('no such run');
  writeFileSync(path, Buffer.concat([run.init, ...captured.fragmentsOf(runId).map((fragment) => fragment.bytes)]));
  const entries = 'stream=codec_name:frame=best_effort_timestamp_time';
  const args = ['-v', 'error', '-select_streams', 'v', '-show_entries', entries, '-of', 'json', path];
  const result = spawnSync(findFfprobe(findFfmpeg()), args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  const parsed = JSON.parse(result.stdout) as {
    readonly frames?: readonly { readonly best_effort_timestamp_time: string }[];
    readonly streams?: readonly { readonly codec_name: string }[];
  };
  const timesMs = (parsed.frames ?? []).map((frame) => Math.round(Number(frame.best_effort_timestamp_time) * 1000));
  const codec = parsed.streams?.[0]?.codec_name ?? '';
  return { frameCount: timesMs.length, codec, timesMs, complaints: result.stderr };
}

/** Encodes a piece of a fixture anew, for tests that need other pictures, keyframes or codecs than it has. */
export function encode(from: string, to: string, args: readonly string[]): void {
  const all = ['-nostdin', '-v', 'error', '-i', from, ...args, '-y', to];
  const result = spawnSync(findFfmpeg(), all, { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`cannot make the fixture: ${result.stderr}`);
}
