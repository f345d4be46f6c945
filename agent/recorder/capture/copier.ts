import type { Readable, Writable } from 'node:stream';
import { Child } from '../../base/child.ts';
import type { AgentError } from '../../base/errors.ts';
import { cameraCommand, copyCommand } from './arguments.ts';
import { BoxSplitter } from './box-splitter.ts';
import { judgeEnd, sourceMissing } from './failure.ts';
import { type FragmentInfo, FragmentReader } from './fragment-reader.ts';
import { readInit, type StreamInit } from './init-reader.ts';
import type { SourceConfig } from './source.ts';

/**
 * Process A: copies the source to fragments. It is one run from start to end and knows nothing of decoding. For the Pi
 * camera a second program stands before it, whose output is handed through.
 */
export interface CopierSink {
  onInit(init: StreamInit): void;
  onFragment(bytes: Uint8Array, info: FragmentInfo): void;
}

export class Copier implements AsyncDisposable {
  /** Resolves once everything has been delivered and the processes are gone; undefined: the file's end. Never rejects. */
  readonly ended: Promise<AgentError | undefined>;
  readonly #ffmpeg: Child;
  readonly #camera: Child | undefined;
  readonly #stdout: Readable;
  #fault: AgentError | undefined;
  #fragmentCount = 0;

  constructor(ffmpegPath: string, source: SourceConfig, sink: CopierSink) {
    const command = copyCommand(source);
    const stdin = command.stdin === 'nothing' ? 'ignore' : 'pipe';
    this.#ffmpeg = new Child({
      command: ffmpegPath,
      args: command.args,
      stdio: [stdin, 'pipe', 'pipe'],
      secrets: command.secrets,
    });
    if (command.script !== undefined) feed(this.#ffmpeg.process.stdin as Writable).end(command.script);
    if (source.kind === 'rpicam') this.#camera = this.#startCamera(cameraCommand(source));
    this.#stdout = this.#ffmpeg.process.stdout as Readable;
    this.#read(sink);
    this.ended = this.#finish(source);
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

  #read(sink: CopierSink): void {
    let init: StreamInit | undefined;
    let reader: FragmentReader | undefined;
    const splitter = new BoxSplitter({
      onInit: (bytes) => {
        init = readInit(bytes);
        reader = new FragmentReader(init);
        sink.onInit(init);
      },
      onFragment: (bytes, mdatOffset) => {
        const info = (reader as FragmentReader).read(bytes, mdatOffset);
        this.#fragmentCount += 1;
        sink.onFragment(bytes, info);
      },
    });
    this.#stdout.on('data', (chunk: Buffer) => {
      if (this.#fault !== undefined) return;
      try {
        splitter.push(chunk);
      } catch (thrown) {
        this.#fault = thrown as AgentError;
        this.kill();
      }
    });
  }

  async #finish(source: SourceConfig): Promise<AgentError | undefined> {
    const exit = await this.#ffmpeg.exited;
    const camera = await this.#camera?.stop();
    if (this.#fault !== undefined) return this.#fault;
    if (camera?.startError !== undefined) return sourceMissing("the Pi camera's program");
    return judgeEnd(source, { exit, lines: this.#ffmpeg.lastLines, fragmentCount: this.#fragmentCount });
  }
}

/** A child that is gone makes writing fail; its exit tells the same, so the error itself says nothing new. */
function feed(stdin: Writable): Writable {
  return stdin.on('error', () => {});
}
