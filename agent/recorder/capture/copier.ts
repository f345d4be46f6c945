import type { Readable, Writable } from 'node:stream';
import { Child } from '../../base/child.ts';
import type { AgentError } from '../../base/errors.ts';
import { type BurnIn, cameraCommand, copyCommand } from './arguments.ts';
import { BoxSplitter } from './box-splitter.ts';
import { judgeEnd, soundFormat, sourceMissing } from './failure.ts';
import { type FragmentInfo, FragmentReader } from './fragment-reader.ts';
import { readInit, type StreamInit } from './init-reader.ts';
import { readSoundInit, renumberSound, type SoundInit, type SoundPlan } from './sound.ts';
import type { SourceConfig } from './source.ts';

/**
 * Process A: copies the source to fragments. It is one run from start to end and knows nothing of decoding. For the Pi
 * camera a second program stands before it, whose output is handed through.
 */
export interface CopierSink {
  onInit(init: StreamInit): void;
  onFragment(bytes: Uint8Array, info: FragmentInfo): void;
  onSoundInit(init: SoundInit & { readonly codec: string }): void;
  onSoundFragment(bytes: Uint8Array, info: FragmentInfo): void;
}

export class Copier implements AsyncDisposable {
  /** Resolves once everything has been delivered and the processes are gone; undefined: the file's end. Never rejects. */
  readonly ended: Promise<AgentError | undefined>;
  readonly #ffmpeg: Child;
  readonly #camera: Child | undefined;
  readonly #stdout: Readable;
  #fault: AgentError | undefined;
  #fragmentCount = 0;

  constructor(ffmpegPath: string, source: SourceConfig, sink: CopierSink, sound: SoundPlan = 'none', burnIn?: BurnIn) {
    const command = copyCommand(source, sound, burnIn);
    const stdin = command.stdin === 'nothing' ? 'ignore' : 'pipe';
    const soundPipe = sound === 'none' ? [] : ['pipe' as const];
    this.#ffmpeg = new Child({
      command: ffmpegPath,
      args: command.args,
      stdio: [stdin, 'pipe', 'pipe', ...soundPipe],
      secrets: command.secrets,
    });
    if (command.script !== undefined) feed(this.#ffmpeg.process.stdin as Writable).end(command.script);
    if (source.kind === 'rpicam') this.#camera = this.#startCamera(cameraCommand(source));
    this.#stdout = this.#ffmpeg.process.stdout as Readable;
    this.#readVideo(sink);
    if (sound !== 'none') this.#readSound(sink, sound);
    this.ended = this.#finish(source, sound);
  }

  get pid(): number | undefined {
    return this.#ffmpeg.process.pid;
  }

  pause(): void {
    this.#stdout.pause();
  }

  resume(): void {
    this.#stdout.resume();
  }

  /** Lets ffmpeg write what it holds; whatever arrives meanwhile is still delivered. */
  async stop(): Promise<void> {
    this.resume();
    await Promise.all([this.#camera?.stop(), this.#ffmpeg.stop()]);
    await this.ended;
  }

  /** For a process that hangs or has lied: nothing more is wanted of it. */
  kill(): void {
    this.resume();
    this.#camera?.kill('SIGKILL');
    this.#ffmpeg.kill('SIGKILL');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #startCamera(command: { readonly command: string; readonly args: readonly string[] }): Child {
    const camera = new Child({ ...command, stdio: ['ignore', 'pipe', 'pipe'] });
    const output = camera.process.stdout;
    const input = feed(this.#ffmpeg.process.stdin as Writable);
    if (output === null) input.end();
    else output.pipe(input);
    // Without its camera ffmpeg would wait for ever for one byte more.
    void camera.exited.then(() => input.end());
    return camera;
  }

  #readVideo(sink: CopierSink): void {
    let reader: FragmentReader | undefined;
    const splitter = new BoxSplitter({
      onInit: (bytes) => {
        const init = readInit(bytes);
        reader = new FragmentReader(init);
        sink.onInit(init);
      },
      onFragment: (bytes, mdatOffset) => {
        const info = (reader as FragmentReader).read(bytes, mdatOffset);
        this.#fragmentCount += 1;
        sink.onFragment(bytes, info);
      },
    });
    this.#split(this.#stdout, splitter, (fault) => fault);
  }

  #readSound(sink: CopierSink, plan: SoundPlan): void {
    let reader: FragmentReader | undefined;
    const splitter = new BoxSplitter(
      {
        onInit: (bytes) => {
          const init = readSoundInit(bytes);
          const { codec } = init;
          if (codec === undefined) throw soundFormat(plan);
          reader = new FragmentReader(init, 'sound');
          sink.onSoundInit({ ...init, codec });
        },
        onFragment: (bytes, mdatOffset) => {
          renumberSound(bytes, mdatOffset);
          sink.onSoundFragment(bytes, (reader as FragmentReader).read(bytes, mdatOffset));
        },
      },
      { initBytes: 1 << 16, moofBytes: 1 << 16, mdatBytes: 1 << 20 },
    );
    // Sound that makes no sense must not end the video for good: the next run does without it.
    this.#split(this.#ffmpeg.process.stdio[3] as Readable, splitter, () => soundFormat(plan));
  }

  #split(from: Readable, splitter: BoxSplitter, judge: (fault: AgentError) => AgentError): void {
    from.on('data', (chunk: Buffer) => {
      if (this.#fault !== undefined) return;
      try {
        splitter.push(chunk);
      } catch (thrown) {
        this.#fault = judge(thrown as AgentError);
        this.kill();
      }
    });
  }

  async #finish(source: SourceConfig, sound: SoundPlan): Promise<AgentError | undefined> {
    const exit = await this.#ffmpeg.exited;
    const camera = await this.#camera?.stop();
    if (this.#fault !== undefined) return this.#fault;
    if (camera?.startError !== undefined) return sourceMissing("the Pi camera's program");
    const { lastLines: lines } = this.#ffmpeg;
    return judgeEnd(source, { exit, lines, fragmentCount: this.#fragmentCount, sound });
  }
}

/** A child that is gone makes writing fail; its exit tells the same, so the error itself says nothing new. */
function feed(stdin: Writable): Writable {
  return stdin.on('error', () => {});
}
