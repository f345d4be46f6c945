/**
 * Gives the keys of stored clips to other recipients: only the small header rows change, the bodies stay as they are. Nothing
 * else may run. It can be interrupted and begun again: each header is either the old or the new one.
 */
import type Database from 'better-sqlite3';
import type { Log } from '../base/log.ts';
import { openClipsDatabase } from './clips-open.ts';
import { reserveJournal, wipeJournal } from './journal.ts';
import { translated } from './sqlite-errors.ts';

/** Small enough for a deletion's journal on a full disk. */
const batchRows = 200;
const journalBytes = 512 * 1024;

export interface RewrapCounts {
  readonly rewrappedCount: number;
  /** Already new: an interrupted change goes on. */
  readonly keptCount: number;
  /** Damaged, or sealed to keys that are not at hand: left as they are. */
  readonly foreignCount: number;
}

/** The new header, `kept` when it is new already, `foreign` when it can't be opened. */
export type Rewrap = (header: Uint8Array) => Uint8Array | 'kept' | 'foreign';

type Key = readonly (number | string)[];

interface HeaderTable {
  readonly name: string;
  readonly key: readonly string[];
  /** Before every row. */
  readonly start: Key;
}

const tables: readonly HeaderTable[] = [
  { name: 'segment', key: ['clip', 'track', 'position'], start: [0, 0, 0] },
  { name: 'meta_header', key: ['clip', 'phase'], start: [0, ''] },
];

export function rewrapClips(
  options: { readonly path: string; readonly log: Log; readonly wallMs: number },
  rewrap: Rewrap,
  onProgress: (doneCount: number) => void,
): RewrapCounts {
  const counts = { rewrappedCount: 0, keptCount: 0, foreignCount: 0 };
  const db = openClipsDatabase(options);
  try {
    reserveJournal(options.path, journalBytes);
    // Of an old header nothing may stay, in the database or in its journal.
    db.pragma('secure_delete = ON');
    for (const table of tables) {
      for (let after = table.start; ; ) {
        const last = rewrapBatch(db, table, after, rewrap, counts);
        wipeJournal(options.path);
        onProgress(counts.rewrappedCount + counts.keptCount + counts.foreignCount);
        if (last === undefined) break;
        after = last;
      }
    }
  } finally {
    db.close();
  }
  return counts;
}

/** Returns the last row looked at; undefined when there was none. */
function rewrapBatch(
  db: Database.Database,
  table: HeaderTable,
  after: Key,
  rewrap: Rewrap,
  counts: { -readonly [K in keyof RewrapCounts]: number },
): Key | undefined {
  const [key, marks] = [table.key.join(), table.key.map(() => '?').join()];
  const select = db
    .prepare(
      `SELECT header, ${key} FROM ${table.name} WHERE (${key}) > (${marks}) AND header IS NOT NULL
       ORDER BY ${key} LIMIT ${batchRows}`,
    )
    .raw();
  const update = db.prepare(`UPDATE ${table.name} SET header = ? WHERE (${key}) = (${marks})`);
  return translated('change the keys of clips', () => {
    const run = db.transaction((): Key | undefined => {
      const rows = select.all(...after) as [header: Uint8Array, ...id: Key][];
      for (const [header, ...id] of rows) {
        const fresh = rewrap(header);
        if (fresh === 'kept') counts.keptCount += 1;
        else if (fresh === 'foreign') counts.foreignCount += 1;
        else {
          update.run(fresh, ...id);
          counts.rewrappedCount += 1;
        }
      }
      return rows.at(-1)?.slice(1) as Key | undefined;
    });
    return run.immediate();
  });
}
