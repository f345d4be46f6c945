/**
 * What happens to an approved share, by time alone: cooling-off, body into the outbox, and only after the courier says
 * that the body has arrived, a durable RELEASE, and then the key. Every step can be repeated after a crash at any point.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePrivateDir, removeDurable, renameDurable } from '../base/files.ts';
import type { Log } from '../base/log.ts';
import { peekDocument } from '../protocol/envelope.ts';
import type { LedgerDb } from '../store/ledger-db.ts';
import type { RequestRow, ShareRow, StoredState } from '../store/ledger-rows.ts';
import { dueEvent, type Effect, effectsOf, type ShareFacts, step } from './machine.ts';
import { Outbox } from './outbox.ts';

const dayS = 24 * 3600;
/** So much of a cooling-off may have to be waited for again after a power cut. */
const markMs = 15_000;

export interface ReleaseOptions {
  readonly dataDir: string;
  readonly db: LedgerDb;
  readonly log: Log;
  readonly nowMs: () => number;
  /** Never goes back and is not set by anybody: what a cooling-off is counted in. */
  readonly monotonicMs: () => number;
  readonly clockTrusted: () => boolean;
  readonly onChange: (requestHash: string, state: StoredState) => void;
  /** Signed demands of a share that has arrived are taken from its folder before that goes. */
  readonly keepDemands: (shareId: string, held: string) => void;
}

export class Release {
  readonly #options: ReleaseOptions;
  readonly #held: string;
  readonly #outbox: Outbox;
  #seenMs: number;
  #markedMs: number;
  /** Cooling-off left by share; on disk it is at most `markMs` more. */
  readonly #left = new Map<string, number>();

  constructor(options: ReleaseOptions) {
    this.#options = options;
    this.#held = join(options.dataDir, 'owner', 'held');
    ensurePrivateDir(this.#held);
    this.discardUnknown();
    this.#outbox = new Outbox(options.dataDir);
    this.#seenMs = options.monotonicMs();
    this.#markedMs = this.#seenMs;
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
    const shares = db.shares();
    this.#cool(shares, rows);
    let failure: unknown;
    for (const share of shares) {
      const row = rows.get(share.request_hash);
      if (row === undefined) continue;
      try {
        this.#move(share, row);
      } catch (thrown) {
        // One share whose files can't be moved must not keep another from being taken back.
        failure ??= thrown;
      }
    }
    if (failure !== undefined) throw failure;
  }

  #move(share: ShareRow, row: RequestRow): void {
    let { state } = row;
    // From cooling off to shared is three moves: a courier that was quick while this program was away waits for no tick.
    for (let moves = 0; moves <= 3; moves += 1) {
      for (const effect of effectsOf(state)) this.#perform(effect, share, state);
      const event = dueEvent(this.#facts(share, row, state));
      const next = event === undefined ? undefined : step(state, event)?.state;
      if (next === undefined) return;
      state = next as StoredState;
      this.#write(share, row, state);
    }
  }

  /** Lets the time that has passed since the last tick count for every share that cools off. */
  #cool(shares: readonly ShareRow[], rows: ReadonlyMap<string, RequestRow>): void {
    const { db, monotonicMs } = this.#options;
    const nowMs = monotonicMs();
    const elapsedMs = Math.max(0, nowMs - this.#seenMs);
    this.#seenMs = nowMs;
    const isMark = nowMs - this.#markedMs >= markMs;
    if (isMark) this.#markedMs = nowMs;
    for (const share of shares) {
      const isCooling = rows.get(share.request_hash)?.state === 'COOLING';
      if (!isCooling || share.cooling_left_ms === 0) {
        this.#left.delete(share.share_id);
        continue;
      }
      const known = this.#left.get(share.share_id);
      // One that was approved since the last tick begins now.
      const leftMs = known === undefined ? share.cooling_left_ms : Math.max(0, known - elapsedMs);
      this.#left.set(share.share_id, leftMs);
      if (isMark || leftMs === 0) db.setCoolingLeft(share.share_id, Math.floor(leftMs));
    }
  }

  #facts(share: ShareRow, row: RequestRow, state: StoredState): ShareFacts {
    const held = join(this.#held, share.share_id);
    return {
      state,
      nowMs: this.#options.nowMs(),
      clockTrusted: this.#options.clockTrusted(),
      releaseNotBeforeMs: share.release_not_before_ms,
      deadlineMs: share.deadline_ms,
      coolingLeftMs: this.#left.get(share.share_id) ?? share.cooling_left_ms,
      confirmed: share.second_approver === null || share.confirmed_at_s !== null,
      revoked: this.#options.db.revoked(row.agency, 'request').includes(row.request_id),
      filesHeld: ['body.age', 'header.age', 'dispatch.json'].every((name) => existsSync(join(held, name))),
      bodyOut: this.#outbox.has(share.share_id),
      upload: this.#outbox.status(share.share_id),
    };
  }

  /** Before anything is done about it. */
  #write(share: ShareRow, row: RequestRow, state: StoredState): void {
    const { db, log, nowMs, onChange } = this.#options;
    if (state === 'SHARED') {
      const { terms } = peekDocument('request', row.envelope).unverified;
      const nowS = Math.floor(nowMs() / 1000);
      db.finishShare(share, nowS, {
        deleteS: nowS + terms.delete_by_days * dayS,
        outcomeS: nowS + terms.outcome_due_days * dayS,
      });
    } else db.setState(share.request_hash, state);
    log.info('share-state', { share: share.share_id.slice(0, 8), state });
    onChange(share.request_hash, state);
  }

  #perform(effect: Effect, share: ShareRow, state: StoredState): void {
    const { share_id: id } = share;
    const held = join(this.#held, id);
    switch (effect) {
      case 'publish-body':
        this.#outbox.publish(id, held, ['body.age']);
        return;
      case 'publish-key': {
        const header = join(held, 'header.age');
        if (existsSync(header) && this.#outbox.has(id))
          renameDurable(header, join(this.#outbox.folder(id), 'header.age'));
        return;
      }
      case 'destroy-held':
        if (!existsSync(held)) return;
        if (state === 'SHARED') this.#options.keepDemands(id, held);
        removeDurable(held);
        return;
      case 'call-back':
        this.#outbox.callBack(id, this.#options.nowMs() >= share.deadline_ms);
        return;
      case 'clear-sent':
        if (this.#outbox.has(id)) this.#outbox.clear(id);
    }
  }
}
