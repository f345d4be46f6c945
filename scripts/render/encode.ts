/** Frames into an mp4 by a pipe, as a camera's encoder would make it, with a sound track if the plan has one. */
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { Child } from '../../agent/base/child.ts';
import { AgentError } from '../../agent/base/errors.ts';
import type { StreamPlan } from './plan.ts';

/** Which frames of the plan are in the file: frame `i` is shown at `round(1000 * i / fps)` ms unless it never arrived. */
export function frameTimes(plan: StreamPlan): readonly { readonly index: number; readonly ms: number }[] {
  const count = Math.round((plan.durationMs / 1000) * plan.fps);
  return Array.from({ length: count }, (_, index) => ({ index, ms: Math.round((1000 * index) / plan.fps) })).filter(
    ({ ms }) => !plan.gaps.some((gap) => gap.outage === 'missing' && ms >= gap.fromMs && ms < gap.toMs),
  );
}

export class Encoder implements AsyncDisposable {
  readonly #child: Child;
  readonly #input: Writable;
  #failed = false;

  constructor(ffmpeg: string, plan: StreamPlan, path: string, soundPath?: string) {
    const { encode, fps, widthPx, heightPx } = plan;
    const dropped = plan.gaps
      .filter((gap) => gap.outage === 'missing')
      .map(
        (gap) =>
          `between(n,${Math.ceil((gap.fromMs * fps) / 1000 - 1e-6)},${Math.ceil((gap.toMs * fps) / 1000 - 1e-6) - 1})`,
      );
    const gop = Math.max(1, Math.round(encode.gopSec * fps));
    const rate =
      encode.quality === undefined
        ? [
            '-b:v',
            `${encode.kbps}k`,
            '-maxrate',
            `${Math.round(encode.kbps * 1.3)}k`,
            '-bufsize',
            `${encode.kbps * 2}k`,
          ]
        : ['-crf', String(encode.quality), '-maxrate', `${encode.kbps}k`, '-bufsize', `${encode.kbps * 2}k`];
    const sound =
      soundPath === undefined ? [] : ['-i', soundPath, '-map', '0:v', '-map', '1:a', '-c:a', 'aac', '-b:a', '48k'];
    this.#child = new Child({
      command: ffmpeg,
      args: [
        '-hide_banner',
        '-nostdin',
        '-loglevel',
        'error',
        '-y',
        '-f',
        'rawvideo',
        '-pix_fmt',
        'yuv420p',
        '-s',
        `${widthPx}x${heightPx}`,
        '-r',
        String(fps),
        '-i',
        'pipe:3',
        ...sound,
        ...(dropped.length === 0 ? [] : ['-vf', `select='not(${dropped.join('+')})'`]),
        '-fps_mode',
        'passthrough',
        '-c:v',
        'libx264',
        '-profile:v',
        encode.profile ?? 'main',
        '-preset',
        encode.preset ?? 'medium',
        '-threads',
        '1',
        ...rate,
        '-g',
        String(gop),
        '-keyint_min',
        String(gop),
        '-sc_threshold',
        '0',
        '-bf',
        '0',

        '-color_range',
        'tv',
        '-colorspace',
        'smpte170m',
        '-fflags',
        '+bitexact',
        '-flags:v',
        '+bitexact',
        '-movflags',
        '+faststart',
        path,
      ],
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    });
    this.#input = this.#child.process.stdio[3] as Writable;
    this.#input.on('error', () => {
      this.#failed = true;
    });
  }

  async write(pixels: Uint8Array): Promise<void> {
    if (this.#failed) throw this.#error();
    if (!this.#input.write(pixels))
      await Promise.race([once(this.#input, 'drain').catch(() => undefined), this.#child.exited]);
  }

  async finish(): Promise<void> {
    this.#input.end();
    const exit = await this.#child.exited;
    if (exit.status !== 0) throw this.#error();
  }

  #error(): AgentError {
    return new AgentError(
      'unavailable',
      'render/encoder-failed',
      `Cannot encode: ${this.#child.lastLines.at(-1) ?? 'ffmpeg ended early'}`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stop();
  }
}
