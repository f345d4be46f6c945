/** The frame: who is logged in, what is unlocked, and which page the address names (`#/requests/…`). */
import type { JSX } from 'preact';
import { useCallback, useEffect, useState } from 'preact/hooks';
import type { SessionBody } from '../owner/api/types.ts';
import type { Health } from '../owner/service.ts';
import { AgenciesPage } from './agencies.tsx';
import { AlertsPage } from './alerts.tsx';
import { follow, get, loggedOut, Problem, post } from './api.ts';
import { ClipsPage } from './clips.tsx';
import { InboxPage } from './inbox.tsx';
import { LedgerPage } from './ledger.tsx';
import { LockPanel } from './lock.tsx';
import { LoginPage } from './login.tsx';
import { ReviewPage } from './review.tsx';

/** What every page gets: the state that all of them share, and a way to say that it may have changed. */
export interface PageProps {
  readonly session: SessionBody;
  readonly health: Health;
  /** Rises with every change on the device: pages ask again when it does. */
  readonly revision: number;
  readonly refresh: () => Promise<void>;
}

const pages = [
  { hash: '#/requests', title: 'Requests' },
  { hash: '#/clips', title: 'Clips' },
  { hash: '#/agencies', title: 'Agencies' },
  { hash: '#/alerts', title: 'Alerts' },
  { hash: '#/ledger', title: 'Ledger' },
] as const;

export function App(): JSX.Element {
  const hash = useHash();
  const [session, setSession] = useState<SessionBody>();
  const [health, setHealth] = useState<Health>();
  const [known, setKnown] = useState(false);
  const [problem, setProblem] = useState<string>();
  const [revision, setRevision] = useState(0);

  const refresh = useCallback(async () => {
    try {
      setSession(await get<SessionBody>('/api/session'));
      setHealth(await get<Health>('/api/health'));
      setRevision((n) => n + 1);
      setProblem(undefined);
    } catch (thrown) {
      if (thrown instanceof Problem && thrown.code === 'api/not-logged-in') setSession(undefined);
      else setProblem(thrown instanceof Error ? thrown.message : String(thrown));
    }
    setKnown(true);
  }, []);
  useEffect(() => {
    const onLoggedOut = (): void => setSession(undefined);
    addEventListener(loggedOut, onLoggedOut);
    void refresh();
    return () => removeEventListener(loggedOut, onLoggedOut);
  }, []);
  const loggedIn = session !== undefined;
  useEffect(() => (loggedIn ? follow(() => void refresh()) : undefined), [loggedIn]);

  const title = pages.find((page) => hash.startsWith(page.hash))?.title ?? 'Requests';
  useEffect(() => {
    document.title = `${session === undefined ? 'Log in' : title} · Latchkey`;
  }, [title, session]);

  if (!known) return <p class="loading">Opening…</p>;
  if (session === undefined) return <LoginPage problem={problem} refresh={refresh} />;
  const logOut = async (): Promise<void> => {
    await post('/api/logout');
    await refresh();
  };
  return (
    <>
      <a class="skip" href="#main" onClick={skipToMain}>
        Skip to the content
      </a>
      <header class="top">
        <p class="brand">Latchkey</p>
        <nav aria-label="Pages">
          {pages.map((page) => (
            <a key={page.hash} href={page.hash} {...(page.title === title && { 'aria-current': 'page' as const })}>
              {page.title}
            </a>
          ))}
        </nav>
        <button type="button" class="plain" onClick={() => void logOut()}>
          Log out {session.name}
        </button>
      </header>
      {problem !== undefined && (
        <p class="message wide" role="alert">
          {problem}
        </p>
      )}
      {health !== undefined && (
        <main id="main" tabIndex={-1}>
          <LockPanel session={session} health={health} revision={revision} refresh={refresh} />
          <Page hash={hash} session={session} health={health} revision={revision} refresh={refresh} />
        </main>
      )}
    </>
  );
}

function Page({ hash, ...props }: PageProps & { readonly hash: string }): JSX.Element {
  if (hash.startsWith('#/clips')) return <ClipsPage {...props} />;
  if (hash.startsWith('#/agencies')) return <AgenciesPage {...props} />;
  if (hash.startsWith('#/alerts')) return <AlertsPage {...props} />;
  if (hash.startsWith('#/ledger')) return <LedgerPage {...props} />;
  const requestId = /^#\/requests\/([A-Za-z0-9_-]{1,128})$/.exec(hash)?.[1];
  if (requestId !== undefined) return <ReviewPage key={requestId} requestId={requestId} {...props} />;
  return <InboxPage {...props} />;
}

function useHash(): string {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const onChange = (): void => {
      setHash(location.hash);
      scrollTo(0, 0);
    };
    addEventListener('hashchange', onChange);
    return () => removeEventListener('hashchange', onChange);
  }, []);
  return hash;
}

function skipToMain(event: Event): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}
