import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Child } from '../../agent/base/child.ts';

/** Starts `rtsp-camera.py`, a real RTSP server that streams a file for ever, and waits until it listens. */
export interface RtspCameraOptions {
  readonly file: string;
  readonly codec?: 'h264' | 'h265';
  /** A tone beside the pictures. */
  readonly sound?: 'aac' | 'pcmu';
  /** Free by default; named when a camera comes back where it was. */
  readonly port?: number;
  readonly user?: string;
  readonly password?: string;
}

export class RtspCamera implements AsyncDisposable {
  readonly port: number;
  readonly #child: Child;

  private constructor(child: Child, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(options: RtspCameraOptions): Promise<RtspCamera> {
    const script = fileURLToPath(new URL('rtsp-camera.py', import.meta.url));
    const named = [
      ['--file', options.file],
      ['--codec', options.codec],
      ['--sound', options.sound],
      ['--port', options.port],
      ['--user', options.user],
      ['--password', options.password],
    ] as const;
    const args = named.flatMap(([name, value]) => (value === undefined ? [] : [name, String(value)]));
    const child = new Child({
      command: '/usr/bin/python3',
      args: [script, ...args],
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const stdout = child.process.stdout;
    if (stdout === null) throw new Error('the test camera has no standard output');
    for await (const line of createInterface({ input: stdout })) {
      const port = /^port (\d+)$/.exec(line)?.[1];
      if (port !== undefined) return new RtspCamera(child, Number(port));
    }
    await child.exited;
    throw new Error(`the test camera did not start: ${child.lastLines.join(' | ')}`);
  }

  get url(): string {
    return `rtsp://127.0.0.1:${this.port}/stream`;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** As a power cut would: nothing is said to the clients. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#child.exited;
  }
}
