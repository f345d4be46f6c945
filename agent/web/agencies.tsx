/** Which agencies may ask at all: none does until the owner says so. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { AgencySummary } from '../owner/service.ts';
import { get, post } from './api.ts';
import type { PageProps } from './app.tsx';
import { Fact, Message, PageHeading } from './form.tsx';
import { useLoaded } from './load.ts';
import { day, standingInWords } from './words.ts';

export function AgenciesPage({ session, revision, refresh }: PageProps): JSX.Element {
  const { value: agencies, problem } = useLoaded(() => get<readonly AgencySummary[]>('/api/agencies'), [revision]);
  const [failure, setFailure] = useState<string>();
  const enable = async (agency: AgencySummary, enabled: boolean): Promise<void> => {
    setFailure(undefined);
    try {
      await post(`/api/agencies/${agency.agency}/enabled`, { enabled });
    } catch (thrown) {
      setFailure((thrown as Error).message);
    }
    await refresh();
  };
  return (
    <>
      <PageHeading>Agencies</PageHeading>
      <p class="lead">
        An agency can ask you something only while you allow it here. Not allowing it is told to nobody.
      </p>
      <Message text={problem ?? failure} />
      {agencies?.length === 0 && <p class="empty">No agency is known to this device.</p>}
      <ul class="cards">
        {(agencies ?? []).map((agency) => (
          <li key={agency.agency} class="card">
            <strong>{agency.name}</strong>
            <dl>
              <Fact name="Document">
                version {agency.version}, valid until {day(agency.expiresAtMs)}
              </Fact>
              <Fact name="Reports of what shares led to">
                {agency.score.openCount + agency.score.closedCount} of {agency.score.dueCount} that were due
              </Fact>
              {standingInWords(agency) !== '' && <Fact name="Note">{standingInWords(agency)}</Fact>}
              <Fact name="Key it receives with">
                <code>{agency.recipientKeyId}</code>
              </Fact>
            </dl>
            <label class="tick">
              <input
                type="checkbox"
                checked={agency.enabled}
                disabled={session.role !== 'owner'}
                onChange={(event) => void enable(agency, event.currentTarget.checked)}
              />
              May ask me
            </label>
          </li>
        ))}
      </ul>
    </>
  );
}
