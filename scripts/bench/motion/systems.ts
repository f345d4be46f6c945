/** Whole recorders as they run in a house, and the least that any of them could cost, all on one RTSP camera. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from '../../../agent/base/child.ts';
import { findFfmpeg } from '../../../agent/base/ffmpeg.ts';
import { programSpecs } from '../../../agent/cli/run.ts';
import type { ConfigInput } from '../../../agent/config/schema.ts';
import { TestCamera } from '../../../test-fixtures/recording.ts';
import { root } from './methods.ts';

export interface StreamSize {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly fps: number;
}

/** Something that runs until it is stopped. */
export interface RunningSystem extends AsyncDisposable {
  readonly name: string;
  readonly label: string;
  readonly pid: number;
  /** Throws when it has ended or does not do its work; asked at the end of the measurement. */
  check(): Promise<void>;
}

export type CameraInput = Partial<ConfigInput['cameras'][number]>;

/** The recorder program of one camera, started exactly as `latchkey run` starts it. */
export class RecorderSystem implements RunningSystem {
  readonly name: string;
  readonly label: string;
  readonly camera: TestCamera;
  readonly #child: Child;

  constructor(name: string, label: string, camera: CameraInput) {
    this.name = name;
    this.label = label;
    this.camera = new TestCamera({ camera });
    const specs = programSpecs(this.camera.config, this.camera.configPath, join(root, 'agent/main.ts'));
    const spec = specs.find((each) => each.name === 'recorder-door');
    if (spec === undefined) throw new Error('there is no recorder program');
    this.#child = new Child({
      command: process.execPath,
      args: spec.args,
      stdio: ['pipe', 'ignore', 'pipe'],
      env: { UV_THREADPOOL_SIZE: '2' },
    });
    this.#child.process.stdin?.on('error', () => {});
  }

  get pid(): number {
    return pidOf(this.#child);
  }

  async status(): Promise<Record<string, unknown>> {
    if (!this.#child.running) throw new Error(`${this.label} ended: ${this.#child.lastLines.slice(-3).join(' | ')}`);
    return this.camera.status();
  }

  async check(): Promise<void> {
    const { frameCount, lostFragmentCount, problem } = await this.status();
    if (!(Number(frameCount) > 0) || lostFragmentCount !== 0 || problem !== null) {
      throw new Error(
        `${this.label} did not do its work: ${JSON.stringify({ frameCount, lostFragmentCount, problem })}`,
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stop();
    this.camera.remove();
  }
}

class ChildSystem implements RunningSystem {
  readonly name: string;
  readonly label: string;
  readonly #child: Child;

  constructor(name: string, label: string, command: string, args: readonly string[]) {
    this.name = name;
    this.label = label;
    this.#child = new Child({ command, args, stdio: ['ignore', 'ignore', 'pipe'] });
  }

  get pid(): number {
    return pidOf(this.#child);
  }

  async check(): Promise<void> {
    if (!this.#child.running) throw new Error(`${this.label} ended: ${this.#child.lastLines.slice(-5).join(' | ')}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stop();
  }
}

function pidOf(child: Child): number {
  const { pid } = child.process;
  if (pid === undefined) throw new Error('a program could not be started');
  return pid;
}

const fragments = '-c copy -f mp4 -movflags +frag_keyframe+empty_moov+default_base_moof -y /dev/null'.split(' ');
const rtspInput = (url: string): string[] => ['-rtsp_transport', 'tcp', '-i', url];
const quiet = '-nostdin -v error'.split(' ');

/** Floor B: one ffmpeg, one decoding thread, small grey frames five times a second and a copy to fragmented MP4. */
export function floorB(url: string): RunningSystem {
  const small = ['-filter_threads', '1', '-vf', 'fps=5,scale=640:360:flags=area,format=gray'];
  return new ChildSystem('floor', 'floor B: one ffmpeg', findFfmpeg(), [
    ...quiet,
    ...'-threads 1 -skip_loop_filter all'.split(' '),
    ...rtspInput(url),
    ...['-map', '0:v:0', ...small, '-f', 'rawvideo', '-y', '/dev/null', '-map', '0:v:0', ...fragments],
  ]);
}

/** The floor of recording alone: one ffmpeg that copies. */
export function floorCopy(url: string): RunningSystem {
  return new ChildSystem('floor-copy', 'one ffmpeg that only copies', findFfmpeg(), [
    ...quiet,
    ...rtspInput(url),
    ...['-map', '0:v:0', ...fragments],
  ]);
}

/**
 * Debian's motion with its package's defaults but for the source, its size and rate, and files and ports that don't get in
 * the way. `passthrough` copies what it records; without, it encodes.
 */
export function debianMotion(url: string, size: StreamSize, workDir: string, passthrough: boolean): RunningSystem {
  const name = passthrough ? 'motion-copy' : 'motion-default';
  const home = join(workDir, `${name}-${size.widthPx}`);
  mkdirSync(home, { recursive: true });
  const config = join(home, 'motion.conf');
  const lines = {
    daemon: 'off',
    log_level: 4,
    target_dir: home,
    netcam_url: url,
    width: size.widthPx,
    height: size.heightPx,
    framerate: size.fps,
    text_left: 'CAMERA1',
    text_right: '%Y-%m-%d\\n%T-%q',
    threshold: 1500,
    despeckle_filter: 'EedDl',
    event_gap: 60,
    pre_capture: 3,
    picture_output: 'off',
    movie_output: 'on',
    movie_passthrough: passthrough ? 'on' : 'off',
    movie_max_time: 60,
    movie_quality: 45,
    movie_codec: 'mkv',
    webcontrol_port: 0,
    stream_port: 0,
  };
  writeFileSync(config, Object.entries(lines).map(([key, value]) => `${key} ${value}\n`).join('')); // biome-ignore format: one step
  const label = passthrough ? "Debian's motion, copying" : "Debian's motion, encoding (default)";
  return new ChildSystem(name, label, 'motion', ['-n', '-c', config]);
}
