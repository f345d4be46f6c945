/** Which agencies may ask at all, and how often: none does until the owner says so. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { AgencySummary } from '../owner/service.ts';
import { AgencyCard } from './agency-card.tsx';
import { get, post } from './api.ts';
import type { PageProps } from './app.tsx';
import { Message, PageHeading } from './form.tsx';
import { useLoaded } from './load.ts';

/** A county has a handful, a state fifteen hundred. */
const searchFrom = 10;
const mostShown = 50;

/** Those that may ask first, then by name. */
function choose(
  agencies: readonly AgencySummary[],
  sought: string,
): { readonly shown: readonly AgencySummary[]; readonly count: number } {
  const words = sought.toLowerCase().split(/\s+/);
  const found = agencies.filter(({ name, agency }) => {
    const text = `${name} ${agency}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const sorted = found.toSorted((a, b) => Number(b.enabled) - Number(a.enabled) || a.name.localeCompare(b.name));
  return { shown: sorted.slice(0, mostShown), count: found.length };
}

export function AgenciesPage({ session, revision, refresh }: PageProps): JSX.Element {
  const { value: agencies, problem } = useLoaded(() => get<readonly AgencySummary[]>('/api/agencies'), [revision]);
  const [failure, setFailure] = useState<string>();
  // What a change answered, until the list has been loaded again: else a tick would fall back for that moment.
  const [changed, setChanged] = useState<AgencySummary>();
  useEffect(() => setChanged(undefined), [agencies]);
  const [sought, setSought] = useState('');
  const { shown, count } = choose(agencies ?? [], sought);
  const change = async (agency: string, what: string, body: object): Promise<void> => {
    setFailure(undefined);
    try {
      setChanged(await post<AgencySummary>(`/api/agencies/${agency}/${what}`, body));
    } catch (thrown) {
      setFailure((thrown as Error).message);
    }
    await refresh();
  };
  return (
    <>
      <PageHeading>Agencies</PageHeading>
      <p class="lead">
        An agency can ask you something only while you allow it here. Not allowing it, muting it or hearing it less
        often is told to nobody.
      </p>
      <Message text={problem ?? failure} />
      {agencies?.length === 0 && <p class="empty">No agency is known to this device.</p>}
      {(agencies?.length ?? 0) > searchFrom && (
        <p class="field">
          <label for="sought">Find an agency</label>
          <input
            id="sought"
            type="search"
            autoComplete="off"
            value={sought}
            onInput={(event) => setSought(event.currentTarget.value)}
          />
          <span class="hint" role="status">
            {shown.length === count ? `${count} found` : `${count} found; the first ${shown.length} are shown`}
          </span>
        </p>
      )}
      <ul class="cards">
        {shown.map((agency) => (
          <AgencyCard
            key={agency.agency}
            agency={changed?.agency === agency.agency ? changed : agency}
            mayChange={session.role === 'owner'}
            change={(what, body) => void change(agency.agency, what, body)}
          />
        ))}
      </ul>
    </>
  );
}
