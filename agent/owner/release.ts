/**
 * What happens to an approved share, by time alone: cooling-off, body into the outbox, and only after the courier says
 * that the body has arrived, a durable RELEASE, and then the key. Every step can be repeated after a crash at any point.
 */
import { existsSync, linkSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import {
  ensurePrivateDir,
  readFileLimited,
  removeDurable,
  renameDurable,
  syncDir,
  writeFileDurable,
} from '../base/files.ts';
import type { Log } from '../base/log.ts';
import type { LedgerDb } from '../store/ledger-db.ts';
import type { RequestRow, ShareRow, StoredState } from '../store/ledger-rows.ts';
import { nextState, type RequestEvent } from './machine.ts';

const statusSchema = z.object({
  state: z.enum(['uploading', 'body-done', 'done', 'terminated', 'failed']),
  code: z.string().max(100).optional(),
});

export interface ReleaseOptions {
  readonly dataDir: string;
  readonly db: LedgerDb;
  readonly log: Log;
  readonly nowMs: () => number;
  readonly clockTrusted: () => boolean;
  readonly onChange: (requestHash: string, state: StoredState) => void;
}

export class Release {
  readonly #options: ReleaseOptions;
  readonly #held: string;
  readonly #outbox: string;
  readonly #status: string;

  constructor(options: ReleaseOptions) {
    this.#options = options;
    this.#held = join(options.dataDir, 'owner', 'held');
    this.#outbox = join(options.dataDir, 'spool', 'outbox');
    this.#status = join(options.dataDir, 'spool', 'status');
    for (const folder of [this.#held, this.#outbox, this.#status]) ensurePrivateDir(folder);
    this.discardUnknown();
    for (const name of readdirSync(this.#outbox)) if (name.startsWith('.')) removeDurable(join(this.#outbox, name));
  }

  /** A share that the ledger doesn't know was cut while it was made: its request is pending again, under a new key. */
  discardUnknown(): void {
    const known = new Set(this.#options.db.shares().map((s) => s.share_id));
    for (const name of readdirSync(this.#held)) if (!known.has(name)) removeDurable(join(this.#held, name));
  }

  /** Moves every share as far as time and the courier allow. */
  tick(): void {
    const { db } = this.#options;
    const rows = new Map(db.requests().map((r) => [r.request_hash, r]));
    for (const share of db.shares()) {
      const row = rows.get(share.request_hash);
      const state = row?.state;
      if ((state === 'COOLING' || state === 'BODY_UP') && this.#isRevoked(row)) this.#move(share, state, 'revoke');
      else if (state === 'COOLING') this.#cool(share);
      else if (state === 'BODY_UP') this.#await(share);
      else if (state === 'RELEASE') this.#finish(share);
      else if (state !== undefined) this.#clear(share, state);
    }
  }

  #isRevoked(row: RequestRow | undefined): boolean {
    return row !== undefined && this.#options.db.revoked(row.agency, 'request').includes(row.request_id);
  }

  #move(share: ShareRow, from: StoredState, event: RequestEvent): void {
    const to = nextState(from, event) as StoredState;
    this.#options.db.setState(share.request_hash, to);
    this.#options.log.info('share-state', { share: share.share_id.slice(0, 8), state: to });
    this.#options.onChange(share.request_hash, to);
  }

  #cool(share: ShareRow): void {
    const nowMs = this.#options.nowMs();
    if (nowMs >= share.deadline_ms) return this.#move(share, 'COOLING', 'expire');
    if (nowMs < share.release_not_before_ms || !this.#options.clockTrusted()) return;
    const outside = join(this.#outbox, share.share_id);
    if (!existsSync(outside)) {
      const held = join(this.#held, share.share_id);
      if (!existsSync(join(held, 'body.age')) || !existsSync(join(held, 'header.age'))) {
        return this.#move(share, 'COOLING', 'expire');
      }
      // Staged under a dot name, which the courier ignores, and shown whole by one rename.
      const staged = join(this.#outbox, `.${share.share_id}`);
      rmSync(staged, { recursive: true, force: true });
      mkdirSync(staged, { mode: 0o750 });
      const dispatch = readFileLimited(join(held, 'dispatch.json'), 64 * 1024);
      if (dispatch === undefined) return this.#move(share, 'COOLING', 'expire');
      writeFileDurable(join(staged, 'dispatch.json'), dispatch, 0o640);
      // A second name, not a move: a crash before the next line must not lose the body with the staged folder.
      linkSync(join(held, 'body.age'), join(staged, 'body.age'));
      syncDir(staged);
      renameDurable(staged, outside);
    }
    this.#move(share, 'COOLING', 'slot');
  }

  #readStatus(share: ShareRow): z.infer<typeof statusSchema> | undefined {
    // What the courier left there is a claim: nothing in it may keep other shares from moving.
    try {
      const bytes = readFileLimited(join(this.#status, `${share.share_id}.json`), 64 * 1024);
      if (bytes === undefined) return undefined;
      return statusSchema.parse(JSON.parse(bytes.toString('utf8')));
    } catch {
      return undefined;
    }
  }

  #await(share: ShareRow): void {
    const status = this.#readStatus(share);
    if (this.#options.nowMs() >= share.deadline_ms) this.#move(share, 'BODY_UP', 'expire');
    else if (status?.state === 'failed' || status?.state === 'terminated')
      this.#move(share, 'BODY_UP', 'upload-failed');
    else if (status?.state === 'body-done' && this.#options.clockTrusted()) {
      // The row first: from here on the owner has released, whatever happens to this program.
      this.#move(share, 'BODY_UP', 'body-done');
      this.#finish(share);
    }
  }

  #finish(share: ShareRow): void {
    const header = join(this.#held, share.share_id, 'header.age');
    const outside = join(this.#outbox, share.share_id);
    if (existsSync(header) && existsSync(outside)) renameDurable(header, join(outside, 'header.age'));
    const status = this.#readStatus(share);
    if (status?.state === 'done') this.#move(share, 'RELEASE', 'key-done');
    else if (status?.state === 'failed' || this.#options.nowMs() >= share.deadline_ms)
      this.#move(share, 'RELEASE', 'upload-failed');
    else return;
    removeDurable(join(this.#held, share.share_id));
    removeDurable(outside);
    removeDurable(join(this.#status, `${share.share_id}.json`));
  }

  /** Withdrawn, revoked or failed: the key is destroyed here; the courier ends what it has begun, as well as it can. */
  #clear(share: ShareRow, state: StoredState): void {
    const held = join(this.#held, share.share_id);
    if (existsSync(held)) removeDurable(held);
    const outside = join(this.#outbox, share.share_id);
    if (!existsSync(outside)) return;
    const status = this.#readStatus(share);
    const ended = state === 'SHARED' || status?.state === 'terminated' || status?.state === 'failed';
    if (ended || this.#options.nowMs() >= share.deadline_ms) {
      removeDurable(outside);
      removeDurable(join(this.#status, `${share.share_id}.json`));
    } else if (!existsSync(join(outside, 'withdrawn'))) {
      writeFileDurable(join(outside, 'withdrawn'), '', 0o640);
    }
  }
}
