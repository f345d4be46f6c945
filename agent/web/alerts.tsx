/** Alerts of agencies and neighbours' groups: read only. They ask for nothing, and there is no way to answer one. */
import type { JSX } from 'preact';
import type { NoticeSummary } from '../owner/service.ts';
import { get } from './api.ts';
import type { PageProps } from './app.tsx';
import { Message, PageHeading, Theirs } from './form.tsx';
import { useLoaded } from './load.ts';
import { dateTime } from './words.ts';

export function AlertsPage({ revision }: PageProps): JSX.Element {
  const { value: notices, problem } = useLoaded(() => get<readonly NoticeSummary[]>('/api/notices'), [revision]);
  return (
    <>
      <PageHeading>Alerts</PageHeading>
      <p class="lead">
        Signed notices of the agencies and groups that you allow. They ask for nothing, can’t be answered, and nobody
        learns that you read them.
      </p>
      <Message text={problem} />
      {notices?.length === 0 && <p class="empty">There are no alerts.</p>}
      <ul class="cards">
        {(notices ?? []).map((notice, i) => (
          <li key={`${notice.agency} ${notice.issuedAtMs} ${i}`}>
            <article class="card">
              <h2>
                <Theirs text={notice.headline} />
              </h2>
              <p class="statement">
                <Theirs text={notice.text} />
              </p>
              <p class="hint">
                <Theirs text={notice.agencyName} />, {dateTime(notice.issuedAtMs)}; until {dateTime(notice.expiresAtMs)}
              </p>
            </article>
          </li>
        ))}
      </ul>
    </>
  );
}
