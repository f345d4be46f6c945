import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { ensurePrivateDir, readFileLimited, removeDurable, syncDir, writeFileDurable } from '../../agent/base/files.ts';
import { appendCustody, readCustody } from './custody.ts';
import { hashFile } from './custody-check.ts';
import { makeDirLikeParent } from './shared-dir.ts';

/** What the intake has on the disk: uploads under way, shares that are whole, demands, and the chain of custody. */
export interface KnownRequest {
  readonly requestId: string;
  /** Unix seconds. */
  readonly expiresAt: number;
}

export interface ReceivedShare {
  readonly shareId: string;
  readonly requestId: string;
  /** Holds `body.age`, `header.age` and `share.json`. */
  readonly dir: string;
  readonly receivedAtMs: number;
}

export interface StoreOptions {
  readonly dir: string;
  /** Asked at every creation, so that a request published later is known too. */
  readonly knownRequests: () => readonly KnownRequest[];
  readonly onShare?: (share: ReceivedShare) => void;
  readonly maxOpenPerRequest?: number;
  readonly nowMs?: () => number;
}

export const maxBodyBytes = 4 * 1024 ** 3;
/** A header, and a demand too, is a few hundred bytes. */
const maxSmallBytes = 64 * 1024;
const maxDemandsPerShare = 4;
/** Devices may send until so long after the request has expired. */
const graceS = 48 * 3600;
/** A body without its header can never be read: it is kept only as long as a late header might come. */
const keepS = 7 * 86_400;
export const uploadIdPattern = /^[0-9a-f]{32}$/;
const parts = ['body', 'header', 'demand'] as const;

interface Upload {
  readonly id: string;
  readonly shareId: string;
  readonly requestId: string;
  readonly part: (typeof parts)[number];
  readonly complete: boolean;
}

export class ShareStore {
  readonly incomingDir: string;
  readonly #sharesDir: string;
  readonly #demandsDir: string;
  readonly #options: StoreOptions;
  readonly #nowMs: () => number;
  /** Every share ever received, also those deleted since, and its request. Only this program adds to them. */
  readonly #received: Map<string, string>;
  #assembling: Promise<void> = Promise.resolve();

  constructor(options: StoreOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? Date.now;
    this.incomingDir = join(options.dir, 'incoming');
    this.#sharesDir = join(options.dir, 'shares');
    this.#demandsDir = join(options.dir, 'demands');
    ensurePrivateDir(options.dir);
    for (const dir of [this.incomingDir, this.#sharesDir, this.#demandsDir]) makeDirLikeParent(dir);
    const received = readCustody(options.dir).filter(({ event }) => event === 'received');
    this.#received = new Map(received.map((entry) => [entry.share_id, entry.request_id]));
  }

  /** What an earlier run left half done: shares whose last upload had just ended. */
  async recover(): Promise<void> {
    this.purge();
    for (const shareId of new Set(this.#uploads().map((upload) => upload.shareId))) await this.finish(shareId);
  }

  /** Throws what the tus server answers with, unless the upload may be created. */
  admit(metadata: Readonly<Record<string, string | null>>, bytes: number): void {
    const { share_id: shareId, request_id: requestId } = metadata;
    const part = parts.find((known) => known === metadata['part']);
    if (!isId(shareId) || !isId(requestId) || part === undefined) throw no(400, 'not a share');
    if (!(bytes > 0) || bytes > (part === 'body' ? maxBodyBytes : maxSmallBytes)) throw no(413, 'too large');
    if (part === 'demand') return this.#admitDemand(shareId, requestId);
    const known = this.#options.knownRequests().find((request) => request.requestId === requestId);
    if (known === undefined) throw no(403, 'unknown request');
    if (known.expiresAt + graceS <= this.#nowMs() / 1000) throw no(403, 'the request is over');
    if (this.#received.has(shareId)) throw no(403, 'this share is complete');
    const open = this.#uploads().filter(
      (upload) => upload.requestId === requestId && !this.#received.has(upload.shareId),
    );
    if (open.length >= (this.#options.maxOpenPerRequest ?? 200)) throw no(429, 'too many open uploads');
  }

  /** A demand comes long after its request has expired; only those who sent a share know its id. */
  #admitDemand(shareId: string, requestId: string): void {
    if (this.#received.get(shareId) !== requestId) throw no(403, 'unknown share');
    const kept = readdirSync(this.#demandsDir).filter((name) => name.startsWith(shareId));
    const open = this.#uploads().filter(
      (upload) => upload.shareId === shareId && upload.part === 'demand' && !upload.complete,
    );
    if (open.length + kept.length >= maxDemandsPerShare) throw no(429, 'too many demands');
  }

  /** Whether bytes may still be added to the upload: what became a share is evidence and stays as it is. */
  isClosed(uploadId: string): boolean {
    const upload = this.#upload(uploadId);
    return upload !== undefined && upload.part !== 'demand' && this.#received.has(upload.shareId);
  }

  /**
   * Makes the share's folder when body and header are complete; the uploads stay, so that a sender can still ask for
   * them. Demands get a file each. One at a time, so that body and header ending together make one share.
   */
  finish(shareId: string): Promise<void> {
    this.#assembling = this.#assembling
      .catch(() => undefined)
      .then(async () => {
        await this.#assemble(shareId);
        await this.#keepDemands(shareId);
      });
    return this.#assembling;
  }

  async #assemble(shareId: string): Promise<void> {
    const uploads = this.#uploads().filter((upload) => upload.shareId === shareId && upload.complete);
    const body = uploads.find(({ part }) => part === 'body');
    const header = uploads.find(({ part }) => part === 'header');
    if (body === undefined || header === undefined || this.#received.has(shareId)) return;
    const { requestId } = header;
    const made = join(this.#sharesDir, `.${shareId}`);
    rmSync(made, { recursive: true, force: true });
    makeDirLikeParent(made);
    const facts: Record<string, string | number> = {};
    for (const { id, part } of [body, header]) {
      const file = join(this.incomingDir, id);
      syncFile(file);
      chmodSync(file, 0o440);
      linkSync(file, join(made, `${part}.age`));
      const hashed = await hashFile(file);
      facts[`${part}_bytes`] = hashed?.bytes ?? 0;
      facts[`${part}_sha256`] = hashed?.sha256 ?? '';
    }
    const receivedAtMs = this.#nowMs();
    writeFileDurable(join(made, 'share.json'), `${JSON.stringify({ shareId, requestId, receivedAtMs })}\n`, 0o440);
    const dir = join(this.#sharesDir, shareId);
    // A crash between the two: the next start finds the uploads complete and no entry, and does it again.
    rmSync(dir, { recursive: true, force: true });
    renameSync(made, dir);
    syncDir(this.#sharesDir);
    appendCustody(this.#options.dir, {
      atMs: receivedAtMs,
      actor: 'intake',
      event: 'received',
      shareId,
      requestId,
      facts,
    });
    this.#received.set(shareId, requestId);
    this.#options.onShare?.({ shareId, requestId, dir, receivedAtMs });
  }

  async #keepDemands(shareId: string): Promise<void> {
    const done = this.#uploads().filter((upload) => upload.shareId === shareId && upload.complete);
    for (const { id, requestId, part } of done) {
      const kept = join(this.#demandsDir, `${shareId}.${id}.age`);
      if (part !== 'demand' || existsSync(kept)) continue;
      const file = join(this.incomingDir, id);
      syncFile(file);
      const hashed = await hashFile(file);
      const facts = { demand: id, bytes: hashed?.bytes ?? 0, sha256: hashed?.sha256 ?? '' };
      appendCustody(this.#options.dir, {
        atMs: this.#nowMs(), actor: 'intake', event: 'demand-received', shareId, requestId, facts,
      }); // biome-ignore format: one entry
      linkSync(file, kept);
      syncDir(this.#demandsDir);
    }
  }

  /** Deletes what never became a share and whose time is over; returns how many uploads. */
  purge(): number {
    const until = new Map(this.#options.knownRequests().map((known) => [known.requestId, known.expiresAt]));
    const nowS = this.#nowMs() / 1000;
    const over = this.#uploads().filter((upload) => {
      const { requestId, part, id } = upload;
      if (part === 'demand') return statSync(join(this.incomingDir, id)).mtimeMs / 1000 + keepS <= nowS;
      return (until.get(requestId) ?? 0) + graceS + keepS <= nowS;
    });
    for (const { id, shareId, requestId, part } of over) {
      if (part !== 'demand' && !this.#received.has(shareId)) {
        const atMs = this.#nowMs();
        appendCustody(this.#options.dir, {
          atMs,
          actor: 'intake',
          event: 'purged',
          shareId,
          requestId,
          facts: { part },
        });
      }
      removeDurable(join(this.incomingDir, id));
      removeDurable(join(this.incomingDir, `${id}.json`));
    }
    return over.length;
  }

  /** What the tus store has on the disk: an upload and a JSON file about it. */
  #uploads(): Upload[] {
    return readdirSync(this.incomingDir).flatMap((id) => this.#upload(id) ?? []);
  }

  #upload(id: string): Upload | undefined {
    if (!uploadIdPattern.test(id)) return undefined;
    const bytes = readFileLimited(join(this.incomingDir, `${id}.json`), 16_384);
    return bytes === undefined ? undefined : readUpload(id, bytes, join(this.incomingDir, id));
  }
}

function isId(text: string | null | undefined): text is string {
  return typeof text === 'string' && uploadIdPattern.test(text);
}

function readUpload(id: string, bytes: Buffer, file: string): Upload | undefined {
  try {
    const { size, metadata } = JSON.parse(bytes.toString('utf8')) as {
      size?: unknown;
      metadata?: Record<string, string | null>;
    };
    const { share_id: shareId, request_id: requestId } = metadata ?? {};
    const part = parts.find((known) => known === metadata?.['part']);
    if (!isId(shareId) || !isId(requestId) || part === undefined) return undefined;
    return { id, shareId, requestId, part, complete: statSync(file).size === size };
  } catch {
    // Being written or deleted at this moment.
    return undefined;
  }
}

function syncFile(file: string): void {
  const fd = openSync(file, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** The shape in which the tus server takes a refusal. */
class IntakeRefusal extends Error {
  readonly status_code: number;
  readonly body: string;

  constructor(status: number, why: string) {
    super(why);
    this.status_code = status;
    this.body = `${why}\n`;
  }
}

function no(status: number, why: string): IntakeRefusal {
  return new IntakeRefusal(status, why);
}
