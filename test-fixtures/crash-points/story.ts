/** What the owner does in a run: looks, approves, locks, and later demands the deletion or takes the share back. Each may be begun anew. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ControlClient } from '../../agent/base/control.ts';
import type { ClipSummary, Preview, RequestDetail, ShareSummary } from '../../agent/owner/service.ts';
import { testPassphrase } from '../house.ts';

const limitMs = 90_000;

/** Waits for a condition, not for a time: a busy machine may take long. */
export async function appears<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  signal?: AbortSignal,
): Promise<T> {
  const untilMs = performance.now() + limitMs;
  for (;;) {
    signal?.throwIfAborted();
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > untilMs) throw new Error(`never came: ${what}`);
    await delay(20);
  }
}

export class Owner implements Disposable {
  readonly #control: ControlClient;
  readonly #dataDir: string;
  readonly #requestId: string;
  readonly #signal: AbortSignal | undefined;
  onApproved: (shareId: string) => void = () => {};

  private constructor(control: ControlClient, dataDir: string, requestId: string, signal: AbortSignal | undefined) {
    this.#control = control;
    this.#signal = signal;
    this.#dataDir = dataDir;
    this.#requestId = requestId;
  }

  static async of(dataDir: string, requestId: string, signal?: AbortSignal): Promise<Owner> {
    const path = join(dataDir, 'run', 'owner.sock');
    const control = await appears(
      'the owner program',
      () => ControlClient.connect(path).catch(() => undefined),
      signal,
    );
    return new Owner(control, dataDir, requestId, signal);
  }

  call<T = unknown>(method: string, params: object = {}): Promise<T> {
    return this.#control.call(method, params) as Promise<T>;
  }

  #appears<T>(what: string, look: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
    return appears(what, look, this.#signal);
  }

  async request(): Promise<RequestDetail> {
    return this.#appears('the request', () =>
      this.call<RequestDetail>('showRequest', { requestId: this.#requestId }).catch((thrown: unknown) => {
        if ((thrown as { code?: unknown }).code === 'owner/no-such-request') return undefined;
        throw thrown;
      }),
    );
  }

  async reaches(...states: readonly string[]): Promise<RequestDetail> {
    return this.#appears(states.join(' or '), async () => {
      const request = await this.request();
      return states.includes(request.state) ? request : undefined;
    });
  }

  async approve(): Promise<ShareSummary> {
    const requestId = this.#requestId;
    await this.call('unlockDeciding', { passphrase: testPassphrase });
    const { clips } = await this.call<{ clips: ClipSummary[] }>('review', { requestId });
    const selection = clips.map(({ clipId, startMs, endMs }) => ({ clipId, fromMs: startMs, toMs: endMs }));
    const { previewId } = await this.call<Preview>('preview', { requestId, selection });
    const share = await this.call<ShareSummary>('approve', { requestId, previewId, passphrase: testPassphrase });
    this.onApproved(share.shareId);
    await this.call('lock');
    return share;
  }

  /** From wherever it stands to a demand that has arrived. */
  async shareAndDemand(beforeApproval: () => void = () => {}): Promise<void> {
    const requestId = this.#requestId;
    if ((await this.request()).state === 'PENDING') {
      beforeApproval();
      await this.approve();
    }
    const shared = await this.reaches('SHARED');
    if (shared.share?.after?.demands.every(({ ground }) => ground !== 'owner_request') === true) {
      await this.call('unlockDeciding', { passphrase: testPassphrase });
      await this.call('demandDeletion', { requestId, ground: 'owner_request', passphrase: testPassphrase });
      await this.call('lock');
    }
    await this.#appears('the demand', async () => {
      const { share } = await this.request();
      return share?.after?.demands.some(({ ground, state }) => ground === 'owner_request' && state === 'sent');
    });
    await this.rests();
  }

  async withdraw(): Promise<void> {
    await this.call('withdraw', { requestId: this.#requestId });
  }

  /** Until nothing of this share is on its way any more. */
  async rests(): Promise<void> {
    const spool = (name: string): string => join(this.#dataDir, 'spool', name);
    await this.#appears('an empty spool', () =>
      ['inbox', 'outbox', 'status'].every((name) => existsSync(spool(name)) && readdirSync(spool(name)).length === 0),
    );
  }

  [Symbol.dispose](): void {
    this.#control.close();
  }
}
