import { chmodSync, closeSync, fsyncSync, linkSync, openSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePrivateDir, removeDurable, syncDir, writeFileDurable } from '../../agent/base/files.ts';
import { appendCustody, readCustody } from './custody.ts';
import { hashFile } from './custody-check.ts';
import { makeDirLikeParent } from './shared-dir.ts';
import { IntakeRefusal, isId, readUpload, readUploads, type Upload } from './uploads.ts';

/**
 * What the intake has on the disk: uploads under way, shares that are whole, demands, and the chain of custody. A demand
 * travels like a share, body and header under an id of its own, so that nobody on the way can tell; here its size does,
 * since a share is padded to a mebibyte at least.
 */
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
/** A header is a few hundred bytes; a demand's body is hardly more. */
const maxSmallBytes = 64 * 1024;
const maxDemandsPerShare = 4;
const dayS = 86_400;
/** Devices may send shares until so long after the request has expired. */
const graceS = 2 * dayS;
const idleMs = 3_600_000;
/** A body without its header can never be read: it is kept only as long as a late header might come. */
const keepS = 7 * dayS;
/** The latest day to delete by, and what a device that was off may take to say so. */
const demandS = (365 + 60) * dayS;

export class ShareStore {
  readonly incomingDir: string;
  readonly #sharesDir: string;
  readonly #demandsDir: string;
  readonly #options: StoreOptions;
  readonly #nowMs: () => number;
  /** Every share and demand ever received, also those deleted since, with its request. Only this program adds to them. */
  readonly #shares: Map<string, string>;
  readonly #demands: Map<string, string>;
  #assembling: Promise<void> = Promise.resolve();

  constructor(options: StoreOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? Date.now;
    this.incomingDir = join(options.dir, 'incoming');
    this.#sharesDir = join(options.dir, 'shares');
    this.#demandsDir = join(options.dir, 'demands');
    ensurePrivateDir(options.dir);
    for (const dir of [this.incomingDir, this.#sharesDir, this.#demandsDir]) makeDirLikeParent(dir);
    const entries = readCustody(options.dir);
    const logged = (event: string): Map<string, string> =>
      new Map(entries.filter((entry) => entry.event === event).map((entry) => [entry.share_id, entry.request_id]));
    this.#shares = logged('received');
    this.#demands = logged('demand-received');
  }

  /** What an earlier run left half done: shares whose last upload had just ended. */
  async recover(): Promise<void> {
    this.purge();
    for (const shareId of new Set(readUploads(this.incomingDir).map((upload) => upload.shareId))) {
      await this.finish(shareId);
    }
  }

  /** Throws what the tus server answers with, unless the upload may be created. */
  admit(metadata: Readonly<Record<string, string | null>>, bytes: number): void {
    const { share_id: shareId, request_id: requestId, part } = metadata;
    if (!isId(shareId) || !isId(requestId) || (part !== 'body' && part !== 'header')) {
      throw new IntakeRefusal(400, 'not a share');
    }
    const known = this.#options.knownRequests().find((request) => request.requestId === requestId);
    if (known === undefined) throw new IntakeRefusal(403, 'unknown request');
    if (!(bytes > 0) || bytes > (part === 'body' ? maxBodyBytes : maxSmallBytes)) {
      throw new IntakeRefusal(413, 'too large');
    }
    if (this.#isWhole(shareId)) throw new IntakeRefusal(403, 'this share is complete');
    const isSmall = bytes <= maxSmallBytes;
    const lateS = this.#nowMs() / 1000 - known.expiresAt;
    const shareCount = countOf(this.#shares, requestId);
    // Who never sent a share has nothing to demand.
    const mayDemand = isSmall && shareCount > 0 && lateS < demandS;
    if (lateS >= graceS && !mayDemand) throw new IntakeRefusal(403, 'the request is over');
    const uploads = readUploads(this.incomingDir);
    const open = uploads.filter((upload) => upload.requestId === requestId && !this.#isWhole(upload.shareId));
    const demandCount = countOf(this.#demands, requestId);
    const tooMany = open.length >= (this.#options.maxOpenPerRequest ?? 200);
    if ((tooMany && !this.#giveUpOne(open)) || (lateS >= graceS && demandCount >= maxDemandsPerShare * shareCount)) {
      throw new IntakeRefusal(429, 'too many open uploads');
    }
  }

  /**
   * Everybody knows the id of a request, so anybody could hold all its places: one at which nobody has sent anything for an
   * hour goes to who comes next. A sender that is still there begins again. What waits only for its header stays.
   */
  #giveUpOne(open: readonly Upload[]): boolean {
    const idle = open.filter(({ complete, changedAtMs }) => !complete && changedAtMs + idleMs < this.#nowMs());
    const [first] = idle.toSorted((a, b) => a.changedAtMs - b.changedAtMs);
    if (first === undefined) return false;
    removeDurable(join(this.incomingDir, first.id));
    removeDurable(join(this.incomingDir, `${first.id}.json`));
    return true;
  }

  /** Whether no bytes may be added to the upload any more: what became a share is evidence and stays as it is. */
  isClosed(uploadId: string): boolean {
    const upload = readUpload(this.incomingDir, uploadId);
    return upload !== undefined && this.#isWhole(upload.shareId);
  }

  /**
   * Makes the folder of a share or demand when body and header are complete; the uploads stay, so that a sender can still
   * ask for them. One at a time, so that body and header ending together make one share.
   */
  finish(shareId: string): Promise<void> {
    this.#assembling = this.#assembling.catch(() => undefined).then(() => this.#assemble(shareId));
    return this.#assembling;
  }

  async #assemble(shareId: string): Promise<void> {
    const uploads = readUploads(this.incomingDir).filter((upload) => upload.shareId === shareId && upload.complete);
    const body = uploads.find(({ part }) => part === 'body');
    const header = uploads.find(({ part }) => part === 'header');
    if (body === undefined || header === undefined || this.#isWhole(shareId)) return;
    const isDemand = body.bytes <= maxSmallBytes;
    const parent = isDemand ? this.#demandsDir : this.#sharesDir;
    const { requestId } = header;
    const made = join(parent, `.${shareId}`);
    rmSync(made, { recursive: true, force: true });
    makeDirLikeParent(made);
    const facts = { ...(await this.#keep(body, made)), ...(await this.#keep(header, made)) };
    const receivedAtMs = this.#nowMs();
    writeFileDurable(join(made, 'share.json'), `${JSON.stringify({ shareId, requestId, receivedAtMs })}\n`, 0o440);
    const dir = join(parent, shareId);
    // A crash between the two: the next start finds the uploads complete and no entry, and does it again.
    rmSync(dir, { recursive: true, force: true });
    renameSync(made, dir);
    syncDir(parent);
    const event = isDemand ? 'demand-received' : 'received';
    appendCustody(this.#options.dir, { atMs: receivedAtMs, actor: 'intake', event, shareId, requestId, facts });
    (isDemand ? this.#demands : this.#shares).set(shareId, requestId);
    if (!isDemand) this.#options.onShare?.({ shareId, requestId, dir, receivedAtMs });
  }

  async #keep({ id, part }: Upload, made: string): Promise<Record<string, string | number>> {
    const file = join(this.incomingDir, id);
    const fd = openSync(file, 'r');
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    chmodSync(file, 0o440);
    linkSync(file, join(made, `${part}.age`));
    const hashed = await hashFile(file);
    return { [`${part}_bytes`]: hashed?.bytes ?? 0, [`${part}_sha256`]: hashed?.sha256 ?? '' };
  }

  /** Deletes what never became a share and whose time is over; returns how many uploads. */
  purge(): number {
    const until = new Map(this.#options.knownRequests().map((known) => [known.requestId, known.expiresAt]));
    const nowS = this.#nowMs() / 1000;
    const over = readUploads(this.incomingDir).filter(({ requestId, changedAtMs }) => {
      // A demand comes long after its request: its parts have the same time from their last byte on.
      return (until.get(requestId) ?? 0) + graceS + keepS <= nowS && changedAtMs / 1000 + keepS <= nowS;
    });
    for (const { id, shareId, requestId, part } of over) {
      if (!this.#isWhole(shareId)) {
        const atMs = this.#nowMs();
        const facts = { part };
        appendCustody(this.#options.dir, { atMs, actor: 'intake', event: 'purged', shareId, requestId, facts });
      }
      removeDurable(join(this.incomingDir, id));
      removeDurable(join(this.incomingDir, `${id}.json`));
    }
    return over.length;
  }

  #isWhole(shareId: string): boolean {
    return this.#shares.has(shareId) || this.#demands.has(shareId);
  }
}

function countOf(received: ReadonlyMap<string, string>, requestId: string): number {
  return [...received.values()].filter((of) => of === requestId).length;
}
