/**
 * A house, its agency, a broker and a request, and one run in which nothing goes wrong, of the real programs under a trace. Two
 * runs are told: `share`, from the request to a demand that the share be deleted, and `withdrawal`, taken back while the body is
 * on its way.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mqtt from 'mqtt';
import { type MosquittoFixture, startMosquitto } from '../brokers/mosquitto.ts';
import { startTusServer, type TusServerFixture } from '../brokers/tus-server.ts';
import { TestHouse, testPassphrase } from '../house.ts';
import { Running } from '../owner-program.ts';
import type { Told } from './house-left.ts';
import { type KnownImage, know } from './images.ts';
import { houseConfig } from './restart.ts';
import { appears, Owner } from './story.ts';
import { type Crash, crashes, type Killing, type Point, Trace } from './trace.ts';

export type Story = 'share' | 'withdrawal';

const main = join(import.meta.dirname, '../../agent/main.ts');

export class Scene {
  readonly story: Story;
  readonly work: string;
  readonly house: TestHouse;
  readonly broker: MosquittoFixture;
  readonly request: ReturnType<TestHouse['request']>;
  #intake: TusServerFixture;
  #letGo: (() => void) | undefined;
  #runs = 0;

  private constructor(
    story: Story,
    work: string,
    house: TestHouse,
    broker: MosquittoFixture,
    intake: TusServerFixture,
    request: ReturnType<TestHouse['request']>,
  ) {
    this.story = story;
    this.work = work;
    this.house = house;
    this.broker = broker;
    this.#intake = intake;
    this.request = request;
  }

  static async set(story: Story): Promise<Scene> {
    const work = mkdtempSync(join(tmpdir(), 'lk-crash-'));
    mkdirSync(join(work, 'store'));
    const house = await TestHouse.make();
    house.addClip({ startMs: Math.floor(Date.now() / 1000) * 1000 - 600_000 });
    const broker = await startMosquitto({ dir: join(work, 'broker') });
    let scene: Scene | undefined;
    const slow = async (method: string | undefined): Promise<void> => {
      if (story !== 'withdrawal' || method !== 'PATCH') return;
      await new Promise<void>((resolve) => {
        if (scene !== undefined) scene.#letGo = resolve;
      });
    };
    const intake = await startTusServer(join(work, 'intake'), '/files', ({ method }) => slow(method));
    const upload = { https: `http://127.0.0.1:${intake.port}${intake.path}` };
    const owner = new Running(house);
    await owner.start();
    await owner.call('addRoot', { passphrase: testPassphrase, root: house.rootDescription });
    const agency = house.agency((document) => ({ ...document, upload }));
    await owner.call('importAgency', { envelopeBase64: Buffer.from(agency).toString('base64') });
    await owner.call('setAgencyEnabled', { agency: 'test-police', enabled: true });
    await owner.stop();
    const request = house.request();
    const publisher = await mqtt.connectAsync(broker.url, { protocolVersion: 5 });
    await publisher.publishAsync(request.topic, Buffer.from(request.envelope), { qos: 1, retain: true });
    await publisher.endAsync();
    scene = new Scene(story, work, house, broker, intake, request);
    return scene;
  }

  get requestId(): string {
    return this.request.document.request_id;
  }

  get store(): string {
    return join(this.work, 'store');
  }

  /** A folder of its own for every run. */
  folder(): string {
    this.#runs += 1;
    const folder = join(this.work, `run-${this.#runs}`);
    mkdirSync(folder);
    return folder;
  }

  /** The programs on a copy of the house, under a trace that looks at every point, or kills at one. */
  async run(kill?: Killing): Promise<{ trace: Trace; dataDir: string; intake: string }> {
    const folder = this.folder();
    const dataDir = join(folder, 'data');
    cpSync(this.house.dataDir, dataDir, { recursive: true });
    const config = join(folder, 'config.json');
    writeFileSync(config, JSON.stringify(houseConfig(dataDir, this.broker.url)));
    const program = (name: string): string[] => [process.execPath, main, 'program', name, '--config', config];
    const intake = join(this.work, 'intake');
    const trace = new Trace({
      work: folder,
      store: this.store,
      dataDir,
      programs: { courier: program('courier'), owner: program('owner') },
      peers: { broker: `127.0.0.1:${this.broker.port}`, intake: `127.0.0.1:${this.#intake.port}` },
      intake,
      skip: ['cameras'],
      ...(kill === undefined ? {} : { kill }),
    });
    return { trace, dataDir, intake };
  }

  /** The owner's part; rejects where a program that it needs was killed. */
  async tell(dataDir: string, progress: { approved?: string } = {}, signal?: AbortSignal): Promise<void> {
    using owner = await Owner.of(dataDir, this.requestId, signal);
    owner.onApproved = (shareId) => {
      progress.approved = shareId;
    };
    if (this.story === 'share') {
      await owner.shareAndDemand();
      return;
    }
    await owner.reaches('PENDING');
    await owner.approve();
    await appears('the body on its way', () => this.#letGo !== undefined, signal);
    await owner.withdraw();
    await owner.rests();
    this.letGo();
  }

  /** The slow server goes on. */
  letGo(): void {
    this.#letGo?.();
    this.#letGo = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.letGo();
    await this.#intake.close();
    await this.broker.stop();
    this.house[Symbol.dispose]();
    rmSync(this.work, { recursive: true, force: true });
  }
}

export interface LeftDisk {
  readonly known: KnownImage;
  readonly told: Told;
  /** The first point at which a crash leaves it, and which, before the call or after it. */
  readonly point: Point;
  readonly how: Crash;
  readonly when: 'before' | 'after';
}

const answers = {
  approved: /^\{"id":\d+,"result":\{"shareId":"([0-9a-f]{32})","state":"COOLING"/m,
  demanded: /^\{"id":\d+,"result":\{"shareId":"[0-9a-f]{32}","state":"SHARED"/m,
  withdrawn: /^\{"id":\d+,"result":\{"state":"WITHDRAWN"/m,
} as const;

/** Every disk that a crash at one of the points leaves, with all that the owner had been told by then. */
export function disksLeft(trace: Trace, scene: Scene): { points: Point[]; disks: LeftDisk[] } {
  const { images } = trace;
  // A call that fails changes nothing; one that is under way is no failure.
  const inProgress = -115;
  const points = trace.points.filter(({ result }) => result >= 0 || result === inProgress);
  const disks = new Map<string, LeftDisk>();
  let told: Told = { approved: undefined, withdrawn: false, demanded: false };
  for (const point of points) {
    for (const when of ['before', 'after'] as const) {
      if (when === 'after' && point.program === 'owner') {
        const says = point.says ?? '';
        const approved = answers.approved.exec(says)?.[1];
        if (approved !== undefined) told = { ...told, approved };
        if (answers.demanded.test(says)) told = { ...told, demanded: true };
        if (answers.withdrawn.test(says)) told = { ...told, withdrawn: true };
      }
      for (const how of crashes) {
        const id = point[when][how];
        const image = images.get(id);
        if (image === undefined) throw new Error('the trace lacks an image');
        const before = disks.get(id);
        const known =
          before?.known ?? know(image, { store: scene.store, work: scene.work, requestId: scene.requestId });
        disks.set(id, before === undefined ? { known, told, point, how, when } : { ...before, told });
      }
    }
  }
  return { points, disks: [...disks.values()] };
}

/** One disk of each kind: whoever starts on another of that kind finds the same. The last was told the most. */
export function oneOfEachKind(disks: readonly LeftDisk[]): LeftDisk[] {
  const kinds = new Map<string, LeftDisk>();
  for (const disk of disks) {
    const first = kinds.get(disk.known.kind);
    kinds.set(disk.known.kind, first === undefined ? disk : { ...first, told: disk.told });
  }
  return [...kinds.values()];
}
