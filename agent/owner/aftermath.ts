/**
 * After a share has arrived: what was promised by when, what became of it, and the demands that it be deleted. The demand for
 * the day on which it should be gone was signed and sealed at approval, so that this timer needs no key.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePrivateDir, removeDurable, renameDurable } from '../base/files.ts';
import type { Log } from '../base/log.ts';
import type { LedgerDb } from '../store/ledger-db.ts';
import type { DemandRow, ShareRow } from '../store/ledger-rows.ts';
import { Outbox } from './outbox.ts';
import type { ShareAftermath } from './service.ts';

const demandFiles = ['body.age', 'header.age'] as const;

/** Pure: how a share stands at that moment; undefined before it has arrived. */
export function aftermathOf(share: ShareRow, demands: readonly DemandRow[], nowS: number): ShareAftermath | undefined {
  const { shared_at_s: sharedS, delete_due_s: deleteS, outcome_due_s: outcomeS } = share;
  if (sharedS === null || deleteS === null || outcomeS === null) return undefined;
  const own = demands.filter((d) => d.share_id === share.share_id);
  const demanded = own.some((d) => d.state === 'sending' || d.state === 'sent');
  const deletion =
    share.deleted_at_s !== null ? 'confirmed' : demanded ? 'demanded' : deleteS <= nowS ? 'overdue' : 'due';
  return {
    sharedAtMs: sharedS * 1000,
    deleteDueMs: deleteS * 1000,
    outcomeDueMs: outcomeS * 1000,
    outcome: share.outcome ?? (outcomeS <= nowS ? 'overdue' : 'due'),
    deletion,
    demands: own.map(({ ground, state }) => ({ ground, state })),
  };
}

/** Pure: what becomes of a demand now. */
export function nextDemandState(
  demand: DemandRow,
  share: ShareRow | undefined,
  facts: {
    readonly nowS: number;
    readonly clockTrusted: boolean;
    /** The share came to nothing, or its time passed without it. */
    readonly ended: boolean;
    readonly upload: ReturnType<Outbox['status']>;
  },
): DemandRow['state'] {
  if (demand.state === 'waiting') {
    if (share === undefined || facts.ended || share.deleted_at_s !== null) return 'dropped';
    const isDue = share.delete_due_s !== null && facts.nowS >= share.delete_due_s;
    if (!isDue || !facts.clockTrusted) return 'waiting';
    return facts.nowS >= demand.deadline_s ? 'failed' : 'sending';
  }
  if (demand.state !== 'sending') return demand.state;
  if (facts.upload === 'done') return 'sent';
  const failed = facts.upload === 'failed' || facts.upload === 'terminated' || facts.nowS >= demand.deadline_s;
  return failed ? 'failed' : 'sending';
}

function isOver(state: DemandRow['state']): boolean {
  return state !== 'waiting' && state !== 'sending';
}

export class Aftermath {
  readonly #db: LedgerDb;
  readonly #log: Log;
  readonly #nowMs: () => number;
  readonly #clockTrusted: () => boolean;
  readonly #folder: string;
  readonly #outbox: Outbox;

  constructor(options: {
    readonly dataDir: string;
    readonly db: LedgerDb;
    readonly log: Log;
    readonly nowMs: () => number;
    readonly clockTrusted: () => boolean;
  }) {
    this.#db = options.db;
    this.#log = options.log;
    this.#nowMs = options.nowMs;
    this.#clockTrusted = options.clockTrusted;
    this.#folder = join(options.dataDir, 'owner', 'demands');
    ensurePrivateDir(this.#folder);
    this.#outbox = new Outbox(options.dataDir);
    this.clearAway();
  }

  /** What a crash left: of demands that were cut while they were made and are in no ledger, and of those that are over. */
  clearAway(): void {
    const demands = this.#db.demands();
    const known = new Set(demands.filter((d) => !isOver(d.state)).map((d) => d.demand_id));
    for (const name of readdirSync(this.#folder)) if (!known.has(name)) removeDurable(join(this.#folder, name));
    for (const { demand_id: id } of demands) if (!known.has(id) && this.#outbox.has(id)) this.#outbox.clear(id);
  }

  /** Out of the folder of a share that has arrived, before that goes. */
  keepDemands(shareId: string, held: string): void {
    for (const { demand_id: id, share_id: of } of this.#db.demands()) {
      const from = join(held, 'demand');
      if (of === shareId && existsSync(from) && !existsSync(join(this.#folder, id)))
        renameDurable(from, join(this.#folder, id));
    }
  }

  tick(): void {
    const demands = this.#db.demands().filter((d) => !isOver(d.state));
    if (demands.length === 0) return;
    const shares = new Map(this.#db.shares().map((s) => [s.share_id, s]));
    const states = new Map(this.#db.requests().map((r) => [r.request_hash, r.state]));
    for (const demand of demands) {
      const share = shares.get(demand.share_id);
      const state = share === undefined ? undefined : states.get(share.request_hash);
      const next = nextDemandState(demand, share, {
        nowS: Math.floor(this.#nowMs() / 1000),
        clockTrusted: this.#clockTrusted(),
        ended: state === undefined || state === 'WITHDRAWN' || state === 'REVOKED' || state === 'FAILED',
        upload: this.#outbox.status(demand.demand_id),
      });
      // The row first, as everywhere; what follows can be repeated.
      if (next !== demand.state) {
        this.#db.setDemandState(demand.demand_id, next);
        this.#log.info('demand-state', { state: next });
      }
      const folder = join(this.#folder, demand.demand_id);
      if (next === 'sending') this.#outbox.publish(demand.demand_id, folder, demandFiles);
      else if (next !== 'waiting') {
        if (this.#outbox.has(demand.demand_id)) this.#outbox.clear(demand.demand_id);
        removeDurable(folder);
      }
    }
  }
}
