/** A recorder as a house runs it: the program itself, in a process of its own, on a data directory of its own. */
import { join } from 'node:path';
import { Child } from '../../agent/base/child.ts';
import { programEnvironment, programSpecs } from '../../agent/cli/run.ts';
import type { ConfigInput } from '../../agent/config/schema.ts';
import { TestCamera } from '../../test-fixtures/recording.ts';

const mainPath = join(import.meta.dirname, '../../agent/main.ts');

/** Something that runs until it is stopped. */
export interface RunningSystem extends AsyncDisposable {
  readonly name: string;
  readonly label: string;
  readonly pid: number;
  /** Small pictures decoded so far; undefined where it does not tell. A system that cannot keep up costs too little. */
  pictureCount(): Promise<number | undefined>;
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
    const specs = programSpecs(this.camera.config, this.camera.configPath, mainPath);
    const spec = specs.find((each) => each.name === 'recorder-door');
    if (spec === undefined) throw new Error('there is no recorder program');
    this.#child = new Child({
      command: process.execPath,
      args: spec.args,
      stdio: ['pipe', 'ignore', 'pipe'],
      env: programEnvironment(process.env),
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

  async pictureCount(): Promise<number> {
    return Number((await this.status())['frameCount']);
  }

  async check(): Promise<void> {
    const { frameCount, lostFragmentCount, problem } = await this.status();
    if (!(Number(frameCount) > 0) || lostFragmentCount !== 0 || problem !== null) {
      throw new Error(
        `${this.label} did not do its work: ${JSON.stringify({ frameCount, lostFragmentCount, problem })}`,
      );
    }
  }

  /** Everything is flushed; the clips can be read until it is disposed of. */
  async stop(): Promise<void> {
    await this.#child.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    this.camera.remove();
  }
}

export function pidOf(child: Child): number {
  const { pid } = child.process;
  if (pid === undefined) throw new Error('a program could not be started');
  return pid;
}
