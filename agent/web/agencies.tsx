/** Which agencies may ask at all, and how often: none does until the owner says so. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { AgencySummary } from '../owner/service.ts';
import { AgencyCard } from './agency-card.tsx';
import { get, post } from './api.ts';
import type { PageProps } from './app.tsx';
import { Message, PageHeading } from './form.tsx';
import { useLoaded } from './load.ts';

export function AgenciesPage({ session, revision, refresh }: PageProps): JSX.Element {
  const { value: agencies, problem } = useLoaded(() => get<readonly AgencySummary[]>('/api/agencies'), [revision]);
  const [failure, setFailure] = useState<string>();
  // What a change answered, until the list has been loaded again: else a tick would fall back for that moment.
  const [changed, setChanged] = useState<AgencySummary>();
  useEffect(() => setChanged(undefined), [agencies]);
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
      <ul class="cards">
        {(agencies ?? []).map((agency) => (
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
