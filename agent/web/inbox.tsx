/** All requests, newest first, each with its state in plain words. None is marked urgent, none is counted down. */
import type { JSX } from 'preact';
import type { RequestSummary } from '../owner/service.ts';
import { get } from './api.ts';
import type { PageProps } from './app.tsx';
import { Message, PageHeading, Theirs } from './form.tsx';
import { useLoaded } from './load.ts';
import { dateTime, isOpen, stateInWords, warningInWords } from './words.ts';

export function InboxPage({ health, revision }: PageProps): JSX.Element {
  const { value: requests, problem } = useLoaded(() => get<readonly RequestSummary[]>('/api/requests'), [revision]);
  const sorted = (requests ?? []).toSorted((a, b) => b.issuedAtMs - a.issuedAtMs);
  const open = sorted.filter((request) => isOpen(request.state));
  const rest = sorted.filter((request) => !isOpen(request.state));
  return (
    <>
      <PageHeading>Requests</PageHeading>
      <p class="lead">
        Agencies may ask for footage. Answering is voluntary, and saying nothing is an answer too: nobody learns which.
      </p>
      <Message text={problem} />
      {health.clock === 'unsynchronised' && (
        <p class="note">The device’s clock is not sure yet, so requests are held until it is.</p>
      )}
      {requests !== undefined && (
        <>
          <h2>Undecided</h2>
          {open.length === 0 ? <p class="empty">Nothing is asked of you.</p> : <RequestList requests={open} />}
          {rest.length > 0 && (
            <>
              <h2>Earlier</h2>
              <RequestList requests={rest} />
            </>
          )}
        </>
      )}
    </>
  );
}

function RequestList({ requests }: { readonly requests: readonly RequestSummary[] }): JSX.Element {
  return (
    <ul class="cards">
      {requests.map((request) => (
        <li key={request.requestId}>
          <a class="card" href={`#/requests/${request.requestId}`}>
            <strong>
              <Theirs text={request.incident} />
            </strong>
            <span>
              <Theirs text={request.agencyName} />
            </span>
            <span class="hint">Asks about {dateTime(request.windowFromMs)}</span>
            {request.related.length > 0 && (
              <span class="hint">One of {request.related.length + 1} requests of this case whose areas overlap</span>
            )}
            <span class="state">{stateInWords(request.state)}</span>
            {request.warnings.map((warning) => (
              <span key={warning} class="warning">
                {warningInWords(warning)}
              </span>
            ))}
          </a>
        </li>
      ))}
    </ul>
  );
}
