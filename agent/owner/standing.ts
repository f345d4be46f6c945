/** How an agency stands with this owner: what it owes, what it has reported, and whether it is heard at all. */
import type { LedgerDb } from '../store/ledger-db.ts';
import type { AgencyRow, DutyRow } from '../store/ledger-rows.ts';

/** With more overdue reports than this an agency is muted until it has caught up. */
export const overdueLimitCount = 3;

export interface Score {
  /** Requests of the region whose report is known or was due. */
  readonly dueCount: number;
  readonly overdueCount: number;
  readonly openCount: number;
  readonly closedCount: number;
  /** How many reports named each use. */
  readonly uses: Readonly<Record<string, number>>;
}

/** Pure. A report that says "open" is a report: only silence is overdue. */
export function scoreOf(duties: readonly DutyRow[], nowS: number): Score {
  const uses: Record<string, number> = {};
  let [overdueCount, openCount, closedCount, dueCount] = [0, 0, 0, 0];
  for (const { due_s: dueS, status, uses: named } of duties) {
    if (status === 'open') openCount += 1;
    if (status === 'closed') closedCount += 1;
    if (status === null && dueS !== null && dueS < nowS) overdueCount += 1;
    if (status !== null || (dueS !== null && dueS < nowS)) dueCount += 1;
    for (const use of named.split(' ').filter((each) => each !== '')) uses[use] = (uses[use] ?? 0) + 1;
  }
  return { dueCount, overdueCount, openCount, closedCount, uses };
}

export function isOverdue(db: LedgerDb, agency: string, nowS: number): boolean {
  return db.published.overdueCount(agency, nowS) > overdueLimitCount;
}

/** By the owner, or for owing reports. */
export function isMuted(db: LedgerDb, row: AgencyRow, nowS: number): boolean {
  return row.muted === 1 || isOverdue(db, row.agency, nowS);
}
