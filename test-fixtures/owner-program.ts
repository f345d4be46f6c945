/** The owner program as it runs, driven through its control socket; the test stands in for whoever writes its spool. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../agent/base/clock.ts';
import type { ClockTrust } from '../agent/base/clock-trust.ts';
import { ControlClient } from '../agent/base/control.ts';
import { type Log, silentLog } from '../agent/base/log.ts';
import { parseConfig } from '../agent/config/loader.ts';
import type { Config } from '../agent/config/schema.ts';
import { runOwner } from '../agent/owner/program.ts';
import type { ClipSummary, Preview, RequestSummary, ShareSummary } from '../agent/owner/service.ts';
import { type RequestOptions, type TestHouse, testPassphrase } from './house.ts';

export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  for (let i = 0; i < 1800; i += 1) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`never came: ${what}`);
}

export class Running {
  readonly house: TestHouse;
  readonly verdicts: string[] = [];
  readonly #settings: object;
  readonly #log: Log;
  trust: ClockTrust = 'trusted';
  #stop = new AbortController();
  #done: Promise<void> = Promise.resolve();
  #control: ControlClient | undefined;
  #spooled = 0;

  constructor(house: TestHouse, settings: object = {}, log: Log = silentLog) {
    this.house = house;
    this.#log = log;
    this.#settings = settings;
  }

  get config(): Config {
    return parseConfig(
      {
        dataDir: this.house.dataDir,
        cameras: [{ id: 'front', name: 'Front door', source: { kind: 'file', path: 'none.mp4' } }],
        regions: ['US-CA'],
        web: { port: 0 },
        clock: 'trust-system',
        coolingOffMs: 0,
        releaseSpreadMs: 0,
        ...this.#settings,
      },
      this.house.dataDir,
    );
  }

  async start(): Promise<void> {
    this.#stop = new AbortController();
    this.#done = runOwner({
      config: this.config,
      signal: this.#stop.signal,
      clock: systemClock,
      log: this.#log,
      onVerdict: (code) => this.verdicts.push(code),
      trust: () => this.trust,
    });
    this.#control = await until('control socket', async () => {
      try {
        return await ControlClient.connect(join(this.house.dataDir, 'run/owner.sock'));
      } catch {
        return undefined;
      }
    });
  }

  call<T = unknown>(method: string, params: object = {}): Promise<T> {
    if (this.#control === undefined) throw new Error('not started');
    return this.#control.call(method, params) as Promise<T>;
  }

  async stop(): Promise<void> {
    this.#control?.close();
    this.#stop.abort();
    await this.#done;
  }

  spool(topic: string, envelope: Uint8Array): void {
    this.#spooled += 1;
    const inbox = join(this.house.dataDir, 'spool/inbox');
    mkdirSync(inbox, { recursive: true });
    const name = `${1e13 + this.#spooled}-test.json`;
    const text = JSON.stringify({
      topic,
      receivedAtMs: Date.now(),
      envelope: Buffer.from(envelope).toString('base64'),
    });
    writeFileSync(join(inbox, `.${name}`), text);
    writeFileSync(join(inbox, name), text);
  }

  /** Spools and returns the verdict. */
  async verdictOn(topic: string, envelope: Uint8Array): Promise<string> {
    const before = this.verdicts.length;
    this.spool(topic, envelope);
    return until('verdict', () => this.verdicts[before]);
  }

  async enable(): Promise<void> {
    await this.call('addRoot', { passphrase: testPassphrase, root: this.house.rootDescription });
    await this.call('importAgency', { envelopeBase64: Buffer.from(this.house.agency()).toString('base64') });
    await this.call('setAgencyEnabled', { agency: 'test-police', enabled: true });
    this.verdicts.length = 0;
  }

  async send(options: RequestOptions = {}): Promise<{ verdict: string; requestId: string }> {
    const request = this.house.request(options);
    return { verdict: await this.verdictOn(request.topic, request.envelope), requestId: request.document.request_id };
  }

  async state(requestId: string): Promise<string | undefined> {
    const list = await this.call<RequestSummary[]>('listRequests');
    return list.find((r) => r.requestId === requestId)?.state;
  }

  async approve(requestId: string, clipId: string): Promise<ShareSummary> {
    await this.call('unlockDeciding', { passphrase: testPassphrase });
    const { clips } = await this.call<{ clips: ClipSummary[] }>('review', { requestId });
    const clip = clips.find((c) => c.clipId === clipId);
    const selection = [{ clipId, fromMs: clip?.startMs, toMs: clip?.endMs }];
    const { previewId } = await this.call<Preview>('preview', { requestId, selection });
    return this.call<ShareSummary>('approve', { requestId, previewId, passphrase: testPassphrase });
  }

  outbox(): string[] {
    return readdirSync(join(this.house.dataDir, 'spool/outbox'));
  }

  courierSays(shareId: string, state: string): void {
    writeFileSync(join(this.house.dataDir, 'spool/status', `${shareId}.json`), JSON.stringify({ state }));
  }
}
