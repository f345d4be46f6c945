/**
 * The ledger: what was looked at, decided and shared, one entry for each time the device was open. That nothing was taken out
 * of it shows without a key; what stands in it is sealed until viewing is open, and then for every account of the house.
 */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { LedgerEntry, LedgerHead } from '../owner/service.ts';
import { get } from './api.ts';
import type { PageProps } from './app.tsx';
import { Fact, Message, PageHeading } from './form.tsx';
import { useLoaded } from './load.ts';
import { actionInWords, dateTime } from './words.ts';

/** So many are told in one answer. */
const pageCount = 100;

/** The newest `count` entries, newest first. */
async function newest(entryCount: number, count: number): Promise<readonly LedgerEntry[]> {
  const found: LedgerEntry[] = [];
  for (let from = Math.max(1, entryCount - count + 1); from <= entryCount; ) {
    const page = await get<readonly LedgerEntry[]>(`/api/ledger?from=${from}`);
    found.push(...page);
    const last = page.at(-1);
    if (last === undefined) break;
    from = last.entry + 1;
  }
  return found.toReversed();
}

export function LedgerPage({ health, revision }: PageProps): JSX.Element {
  const open = health.lock !== 'locked';
  const [count, setCount] = useState(pageCount);
  const { value: head, problem } = useLoaded(() => get<LedgerHead>('/api/ledger/head'), [revision]);
  const entryCount = head?.entryCount ?? 0;
  const { value: entries, problem: sealed } = useLoaded(
    () => (open ? newest(entryCount, count) : Promise.resolve(undefined)),
    [open, entryCount, count],
  );
  return (
    <>
      <PageHeading>Ledger</PageHeading>
      <p class="lead">
        Each time the device was open left one entry, whatever was done: what was watched, decided, shared and deleted.
      </p>
      <Message text={problem ?? sealed} />
      {head !== undefined && <HeadCard head={head} />}
      {!open && <p class="empty">What stands in it is sealed. Unlock viewing to read it.</p>}
      {open && entries !== undefined && (
        <>
          <ol class="cards" aria-label="Entries, newest first">
            {entries.map((entry) => (
              <EntryCard key={entry.entry} entry={entry} />
            ))}
          </ol>
          {entries.length < entryCount && (
            <button type="button" onClick={() => setCount(count + pageCount)}>
              Show earlier entries
            </button>
          )}
        </>
      )}
    </>
  );
}

function HeadCard({ head }: { readonly head: LedgerHead }): JSX.Element {
  const { entryCount, headHash, brokenAtEntry } = head;
  if (brokenAtEntry !== undefined) {
    const text = `The ledger was changed: entry ${brokenAtEntry} does not follow from the one before it.`;
    return <Message text={text} />;
  }
  if (entryCount === 0) return <p class="empty">It has no entry yet.</p>;
  return (
    <dl class="card">
      <Fact name="Whole">
        {entryCount} {entryCount === 1 ? 'entry' : 'entries'}, each covering all before it
      </Fact>
      <Fact name="Head">
        <code class="long">
          {entryCount}:{headHash}
        </code>
        <span class="hint">Note it elsewhere: it shows later that nothing before it was changed or taken out.</span>
      </Fact>
    </dl>
  );
}

function EntryCard({ entry }: { readonly entry: LedgerEntry }): JSX.Element {
  const { actions, moreCount, readable } = entry;
  return (
    <li class="card">
      <strong>
        {entry.entry}. {dateTime(entry.atMs)}
      </strong>
      {!readable && <p class="warning">It does not open with this key.</p>}
      {readable && actions.length === 0 && <p class="hint">Opened; nothing was done.</p>}
      {actions.length > 0 && (
        <ul class="deeds">
          {countAlike(actions).map(({ action, count }) => (
            <li key={action}>
              {actionInWords(action)}
              {count > 1 && ` (${count} times)`}
            </li>
          ))}
        </ul>
      )}
      {moreCount > 0 && <p class="hint">and {moreCount} more that found no room</p>}
    </li>
  );
}

function countAlike(actions: readonly string[]): readonly { readonly action: string; readonly count: number }[] {
  const counts = new Map<string, number>();
  for (const action of actions) counts.set(action, (counts.get(action) ?? 0) + 1);
  return [...counts].map(([action, count]) => ({ action, count }));
}
