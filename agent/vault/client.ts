/** The owner program's side of the vault: starts the process, asks, and ends it. The only file of the room that owner sees. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { AgentError } from '../base/errors.ts';
import type { SignedDemand } from './demand.ts';
import type { ListedClip } from './library.ts';
import type { OwnPreviewReport } from './own-share.ts';
import type { RedactionChoice } from './redact/choice.ts';
import type { ClipAnalysisReport } from './redact/report.ts';
import type { RedactionReport } from './redactions.ts';
import type { ApprovalReport, MediaPiece, PreviewReport } from './reports.ts';
import type { VaultRequest } from './server.ts';
import type { Pairing, PairingRecord } from './viewing.ts';

export type {
  ApprovalReport,
  ClipAnalysisReport,
  ListedClip,
  MediaPiece,
  OwnPreviewReport,
  PairingRecord,
  PreviewReport,
  RedactionChoice,
  RedactionReport,
  SignedDemand,
};

type Arguments<M extends VaultRequest['method']> = Omit<Extract<VaultRequest, { method: M }>, 'method'>;

const startMs = 20_000;

export class VaultClient {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: AgentError) => void }>();
  readonly ended: Promise<void>;
  #nextId = 1;
  #alive = true;

  private constructor(child: ChildProcess) {
    this.#process = child;
    this.ended = new Promise((resolve) => {
      child.once('exit', () => {
        this.#alive = false;
        for (const waiting of this.#waiting.values()) waiting.reject(gone());
        this.#waiting.clear();
        resolve();
      });
    });
    // What can't be sent to a process that is ending: its end answers whoever waits.
    child.on('error', () => {});
    child.on('message', (message: unknown) => {
      const reply = message as { id?: unknown; result?: unknown; error?: unknown } | null;
      const waiting = typeof reply?.id === 'number' ? this.#waiting.get(reply.id) : undefined;
      if (waiting === undefined) return;
      this.#waiting.delete(reply?.id as number);
      if (reply?.error === undefined) waiting.resolve(reply?.result);
      else waiting.reject(AgentError.fromReport(reply.error));
    });
  }

  /** Throws `vault/cannot-start` when it doesn't come up, which includes a network filter that could not be set. */
  static async start(dataDir: string): Promise<VaultClient> {
    const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const child = fork(fileURLToPath(new URL(`./process.${ending}`, import.meta.url)), [dataDir], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: ['--max-semi-space-size=1', '--v8-pool-size=1'],
      env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C.UTF-8', UV_THREADPOOL_SIZE: '2' },
    });
    const lines: string[] = [];
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      if (lines.length < 50) lines.push(text.slice(0, 500));
    });
    await new Promise<void>((resolve, reject) => {
      const fail = (): void => {
        child.kill('SIGKILL');
        // Node prints the line that threw before the error itself.
        const why = /^AgentError: ([^\n]+)/m.exec(lines.join(''))?.[1];
        reject(
          new AgentError(
            'unavailable',
            'vault/cannot-start',
            `Cannot start the vault${why === undefined ? '' : `: ${why}`}`,
          ),
        );
      };
      const timer = setTimeout(fail, startMs);
      const failAtOnce = (): void => {
        clearTimeout(timer);
        fail();
      };
      child.once('exit', failAtOnce);
      child.once('error', failAtOnce);
      child.once('message', () => {
        clearTimeout(timer);
        child.removeAllListeners('exit');
        child.removeAllListeners('error');
        resolve();
      });
    });
    return new VaultClient(child);
  }

  get alive(): boolean {
    return this.#alive;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  #ask<M extends VaultRequest['method']>(method: M, params: Arguments<M>): Promise<unknown> {
    if (!this.#alive) return Promise.reject(gone());
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#process.send({ id, request: { method, ...params } });
    });
  }

  async openDeciding(passphrase: string, agencies: readonly Uint8Array[] = []): Promise<void> {
    await this.#ask('openDeciding', { passphrase, agencies: [...agencies] });
  }

  async openViewing(record: PairingRecord, viewingKey: string, floorS: number): Promise<void> {
    await this.#ask('openViewing', { record, viewingKey, floorS });
  }

  async pair(passphrase: string, name: string): Promise<Pairing> {
    return (await this.#ask('pair', { passphrase, name })) as Pairing;
  }

  /** All pinned roots after the change. */
  async addRoot(passphrase: string, root: unknown): Promise<readonly unknown[]> {
    return (await this.#ask('addRoot', { passphrase, root })) as readonly unknown[];
  }

  async openNotes(notes: Arguments<'openNotes'>['notes']): Promise<readonly { id: string; text: string }[]> {
    return (await this.#ask('openNotes', { notes })) as { id: string; text: string }[];
  }

  async listClips(fromMs: number, toMs: number): Promise<readonly ListedClip[]> {
    return (await this.#ask('listClips', { fromMs, toMs })) as ListedClip[];
  }

  async clipMedia(params: Arguments<'clipMedia'>): Promise<MediaPiece> {
    return (await this.#ask('clipMedia', params)) as MediaPiece;
  }

  async analyseClip(clipId: string): Promise<ClipAnalysisReport> {
    return (await this.#ask('analyseClip', { clipId })) as ClipAnalysisReport;
  }

  async redactClip(params: Arguments<'redactClip'>): Promise<RedactionReport> {
    return (await this.#ask('redactClip', params)) as RedactionReport;
  }

  /** Ends the analysis or redaction that runs now; nothing of it is kept. */
  cancelRedaction(): void {
    if (this.#alive) this.#process.send({ cancel: true });
  }

  async preview(params: Arguments<'preview'>): Promise<PreviewReport> {
    return (await this.#ask('preview', params)) as PreviewReport;
  }

  async previewMedia(params: Arguments<'previewMedia'>): Promise<MediaPiece> {
    return (await this.#ask('previewMedia', params)) as MediaPiece;
  }

  async ownPreview(params: Arguments<'ownPreview'>): Promise<OwnPreviewReport> {
    return (await this.#ask('ownPreview', params)) as OwnPreviewReport;
  }

  async ownMedia(params: Arguments<'ownMedia'>): Promise<MediaPiece> {
    return (await this.#ask('ownMedia', params)) as MediaPiece;
  }

  async ownShare(params: Arguments<'ownShare'>): Promise<{ path: string; bytes: number }> {
    return (await this.#ask('ownShare', params)) as { path: string; bytes: number };
  }

  async approve(params: Arguments<'approve'>): Promise<ApprovalReport> {
    return (await this.#ask('approve', params)) as ApprovalReport;
  }

  async demand(params: Arguments<'demand'>): Promise<SignedDemand> {
    return (await this.#ask('demand', params)) as SignedDemand;
  }

  /** Locking: the process, and with it every opened key, is gone when this resolves. */
  async stop(): Promise<void> {
    if (!this.#alive) return;
    this.#process.disconnect();
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), 2000);
    await this.ended;
    clearTimeout(timer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

function gone(): AgentError {
  return new AgentError('refused', 'vault/locked', 'The vault is locked');
}
