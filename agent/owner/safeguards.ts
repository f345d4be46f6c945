/**
 * Cooling-off and the second approver: what stands between an owner under pressure and a share. Making them stronger counts
 * at once; making them weaker counts only 72 hours after it was first seen here, by a steady clock that no setting of the
 * wall clock moves. The time counts only while this program runs.
 */
import { z } from 'zod';
import type { LedgerDb } from '../store/ledger-db.ts';

export const weakeningDelayMs = 72 * 3600 * 1000;
/** So much of a wait may be lost to a power cut. */
const markMs = 30_000;

export interface Safeguards {
  readonly coolingOffMs: number;
  /** Log-in whose owner must confirm every share; null for nobody. */
  readonly secondApprover: string | null;
}

const guards = { coolingOffMs: z.number().int().min(0), secondApprover: z.string().nullable() };
const keptSchema = z.strictObject({
  inForce: z.strictObject(guards),
  /** What the configuration asks for, and how long until it counts. */
  wanted: z.strictObject({ ...guards, leftMs: z.number().min(0) }).optional(),
});
type Kept = z.infer<typeof keptSchema>;

/** Pure: what counts after `elapsedMs` more under this configuration. */
export function nextSafeguards(kept: Kept | undefined, configured: Safeguards, elapsedMs: number): Kept {
  if (kept === undefined) return { inForce: { ...configured } };
  const { inForce } = kept;
  const stronger: Safeguards = {
    coolingOffMs: Math.max(inForce.coolingOffMs, configured.coolingOffMs),
    // Nobody yet: whoever is named counts. Somebody already: another name would be a way around them.
    secondApprover: inForce.secondApprover ?? configured.secondApprover,
  };
  if (isSame(stronger, configured)) return { inForce: { ...stronger } };
  const known = kept.wanted !== undefined && isSame(kept.wanted, configured) ? kept.wanted.leftMs : weakeningDelayMs;
  const leftMs = Math.max(0, known - elapsedMs);
  if (leftMs === 0) return { inForce: { ...configured } };
  return { inForce: { ...stronger }, wanted: { ...configured, leftMs } };
}

function isSame(a: Safeguards, b: Safeguards): boolean {
  return a.coolingOffMs === b.coolingOffMs && a.secondApprover === b.secondApprover;
}

export class SafeguardKeeper {
  readonly #db: LedgerDb;
  readonly #configured: Safeguards;
  readonly #monotonicMs: () => number;
  #kept: Kept;
  #seenMs: number;
  #markedMs: number;

  constructor(options: { db: LedgerDb; configured: Safeguards; monotonicMs: () => number }) {
    this.#db = options.db;
    this.#configured = options.configured;
    this.#monotonicMs = options.monotonicMs;
    this.#seenMs = options.monotonicMs();
    this.#markedMs = this.#seenMs;
    this.#kept = nextSafeguards(readKept(this.#db), this.#configured, 0);
    this.#mark();
  }

  get inForce(): Safeguards {
    return this.#kept.inForce;
  }

  /** The weaker ones that will count, and after how much more running time. */
  get coming(): (Safeguards & { readonly leftMs: number }) | undefined {
    return this.#kept.wanted;
  }

  tick(): void {
    const nowMs = this.#monotonicMs();
    const before = this.#kept;
    this.#kept = nextSafeguards(before, this.#configured, Math.max(0, nowMs - this.#seenMs));
    this.#seenMs = nowMs;
    const isChanged = !isSame(before.inForce, this.#kept.inForce);
    if (isChanged || (this.#kept.wanted !== undefined && nowMs - this.#markedMs >= markMs)) this.#mark();
  }

  #mark(): void {
    this.#markedMs = this.#seenMs;
    this.#db.keep('safeguards', JSON.stringify(this.#kept));
  }
}

/** What can't be read counts as never written: then the configuration is all there is, as on the first start. */
function readKept(db: LedgerDb): Kept | undefined {
  const text = db.kept('safeguards');
  if (text === undefined) return undefined;
  try {
    return keptSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
