/** Whole recorders as they run in a house, and the least that any of them could cost, all on one RTSP camera. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from '../../../agent/base/child.ts';
import { findFfmpeg } from '../../../agent/base/ffmpeg.ts';
import { pidOf, type RunningSystem } from '../recorder-system.ts';

export interface StreamSize {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly fps: number;
}

class ChildSystem implements RunningSystem {
  readonly name: string;
  readonly label: string;
  readonly #child: Child;
  #pictureCount: number | undefined;

  constructor(name: string, label: string, command: string, args: readonly string[]) {
    this.name = name;
    this.label = label;
    this.#child = new Child({ command, args, stdio: ['ignore', 'pipe', 'pipe'] });
    // ffmpeg's `-progress pipe:1` says it once a second.
    this.#child.process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const told = [...text.matchAll(/^frame=\s*(\d+)/gm)].at(-1)?.[1];
      if (told !== undefined) this.#pictureCount = Number(told);
    });
  }

  async pictureCount(): Promise<number | undefined> {
    return this.#pictureCount;
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

const fragments = '-c copy -f mp4 -movflags +frag_keyframe+empty_moov+default_base_moof -y /dev/null'.split(' ');
const rtspInput = (url: string): string[] => ['-rtsp_transport', 'tcp', '-i', url];
const videoOnly = ['-map', '0:v:0'];
const quiet = '-nostdin -v error'.split(' ');

/** Floor B: one ffmpeg, one decoding thread, small grey frames five times a second and a copy to fragmented MP4. */
export function floorB(url: string): RunningSystem {
  const decode = '-threads 1 -skip_loop_filter all'.split(' ');
  const filter = ['-filter_threads', '1', '-vf', 'fps=5,scale=640:360:flags=area,format=gray'];
  const progress = ['-progress', 'pipe:1'];
  const small = [...videoOnly, ...filter, '-f', 'rawvideo', '-y', '/dev/null'];
  const args = [...quiet, ...progress, ...decode, ...rtspInput(url), ...small, ...videoOnly, ...fragments];
  return new ChildSystem('floor', 'floor B: one ffmpeg', findFfmpeg(), args);
}

/** The floor of recording alone: one ffmpeg that copies. */
export function floorCopy(url: string): RunningSystem {
  const args = [...quiet, ...rtspInput(url), ...videoOnly, ...fragments];
  return new ChildSystem('floor-copy', 'one ffmpeg that only copies', findFfmpeg(), args);
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
