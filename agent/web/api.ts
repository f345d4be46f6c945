/**
 * The page's only way out: same-origin JSON. Answers aren't parsed again here, because this page and its API are one
 * build and the API has checked them; every value is shown as text.
 */
import type { ErrorBody } from '../owner/api/types.ts';

/** A failure as the API reported it; `code` is `page/offline` when there was no answer at all. */
export class Problem extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Dispatched on the window when an answer says that the session has ended. */
export const loggedOut = 'latchkey-logged-out';

export function get<T>(path: string): Promise<T> {
  return send<T>(path, { method: 'GET' });
}

export function post<T>(path: string, body: unknown = {}): Promise<T> {
  return send<T>(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

async function send<T>(path: string, init: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, { ...init, credentials: 'same-origin', redirect: 'error' });
  } catch {
    throw new Problem('page/offline', 'The device does not answer. Are you on the home network?');
  }
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok) return answer as T;
  const report = answer as Partial<ErrorBody> | undefined;
  if (report?.code === 'api/not-logged-in') dispatchEvent(new Event(loggedOut));
  throw new Problem(
    report?.code ?? 'page/offline',
    report?.message ?? 'The device answered with something unreadable.',
  );
}

/**
 * Calls back on every change until the returned function is called, and whenever changes may have been missed: after
 * the browser has reconnected, and when it has given up because the session is over.
 */
export function follow(onChange: () => void): () => void {
  const source = new EventSource('/api/events');
  let opened = false;
  source.addEventListener('change', onChange);
  source.addEventListener('open', () => {
    if (opened) onChange();
    opened = true;
  });
  source.addEventListener('error', () => {
    if (source.readyState === EventSource.CLOSED) onChange();
  });
  return () => source.close();
}
