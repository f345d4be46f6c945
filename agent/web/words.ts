/** What the page says: states, times, sizes and warnings in plain words. Pure. */
import type { AgencySummary, LockState, RequestState, ShareAftermath } from '../owner/service.ts';

const states: Readonly<Record<RequestState, string>> = {
  PENDING: 'Waits for you; no answer is needed',
  REVIEWING: 'You are looking at it',
  DECLINED: 'You said no; nobody is told',
  SEALING: 'Being sealed; nothing has left the house',
  COOLING: 'You said yes; nothing has left the house yet',
  BODY_UP: 'The sealed video is on its way, without its key',
  RELEASE: 'The key is being sent',
  SHARED: 'Shared',
  WITHDRAWN: 'You withdrew it; it can’t be read by anybody',
  REVOKED: 'The agency took its request back',
  EXPIRED: 'Past its date; nothing was shared',
  FAILED: 'Could not be delivered; nothing can be read',
};

const locks: Readonly<Record<LockState, string>> = {
  locked: 'Locked',
  viewing: 'Open for viewing',
  deciding: 'Open for deciding',
};

const warnings: Readonly<Record<string, string>> = {
  'assembly-wording': 'The text speaks of a gathering or protest. Attending one is lawful.',
  'recipient-changed': 'The agency’s key for receiving video has changed lately.',
};

const outcomes: Readonly<Record<ShareAftermath['outcome'], string>> = {
  due: 'The agency has not reported yet',
  overdue: 'The agency has not reported and should have',
  open: 'The agency reports that the case is open',
  closed: 'The agency reports that the case is closed',
};

const deletions: Readonly<Record<ShareAftermath['deletion'], string>> = {
  due: 'Not yet',
  demanded: 'You have demanded it',
  overdue: 'The agency should have confirmed it and has not',
  confirmed: 'The agency says that it was deleted',
};

const grounds: Readonly<Record<string, string>> = {
  retention_due: 'The demand for the day on which it should be gone',
  owner_request: 'Your demand',
  terms_breach: 'Your demand, because its terms were broken',
};

const demandStates: Readonly<Record<string, string>> = {
  waiting: 'is signed and waits for its day',
  sending: 'is on its way',
  sent: 'has arrived',
  failed: 'could not be delivered',
  dropped: 'was not needed',
};

const deeds: Readonly<Record<string, string>> = {
  view: 'Watched a clip',
  review: 'Looked at the clips of a request',
  approve: 'Approved a share',
  decline: 'Declined a request',
  withdraw: 'Withdrew a share',
  confirm: 'Confirmed a share',
  demand: 'Demanded a deletion',
  delete: 'Deleted a clip',
  pin: 'Marked a clip to be kept',
  unpin: 'Let a clip be deleted again when its time comes',
  undelete: 'Took a deleted clip back',
  export: 'Took out a clip',
  'own-share': 'Sealed a clip for a person',
  'account-add': 'Added a log-in',
  'account-password': 'Changed the password of a log-in',
  'account-remove': 'Removed a log-in',
};

/** What is not known here is shown as it is: nothing is swallowed. */
const known = (words: Readonly<Record<string, string>>, code: string): string =>
  Object.hasOwn(words, code) ? (words[code] ?? code) : code;

export function demandInWords(ground: string, state: string): string {
  return `${known(grounds, ground)} ${known(demandStates, state)}.`;
}

/** An action of the ledger: a verb and what it was done to, of which the first characters tell one from another. */
export function actionInWords(action: string): string {
  const [verb = '', what] = action.split(' ');
  if (!Object.hasOwn(deeds, verb)) return action;
  // A log-in is named in full; everything else is a long number.
  const shown = verb.startsWith('account-') ? what?.slice(0, 32) : what?.slice(0, 8);
  return shown === undefined ? known(deeds, verb) : `${known(deeds, verb)}: ${shown}`;
}

/** Why an agency is not heard although it may ask; empty where it is. */
export function standingInWords(
  agency: Pick<AgencySummary, 'suspended' | 'muted' | 'directory' | 'recipientChangedAtMs'>,
): string {
  if (agency.suspended) return 'It signed two documents that contradict each other and is not heard any more.';
  if (agency.muted === 'by-owner') return 'You have muted it.';
  if (agency.muted === 'overdue-outcomes') return 'It owes too many reports and is not heard until it has sent them.';
  if (agency.directory === 'agency-outdated') return 'A newer document of it has not arrived; its requests wait.';
  if (agency.directory === 'agency-unlisted') return 'Its county lists it no longer; its requests wait.';
  return agency.recipientChangedAtMs === undefined ? '' : `Its key changed on ${day(agency.recipientChangedAtMs)}.`;
}

export const outcomeInWords = (outcome: ShareAftermath['outcome']): string => outcomes[outcome];
export const deletionInWords = (deletion: ShareAftermath['deletion']): string => deletions[deletion];
export const stateInWords = (state: RequestState): string => states[state];
export const lockInWords = (lock: LockState): string => locks[lock];
export const warningInWords = (code: string): string => known(warnings, code);

/** Whether the owner can still say yes or no. */
export const isOpen = (state: RequestState): boolean => state === 'PENDING' || state === 'REVIEWING';
/** Whether the owner can still take a yes back. */
export const canWithdraw = (state: RequestState): boolean => state === 'COOLING' || state === 'BODY_UP';

/** `UTC+01:00` at that instant, in the reader's time zone or the given one; a true minus, which no line breaks after. */
export function offsetAt(ms: number, timeZone?: string): string {
  const parts = new Intl.DateTimeFormat('en', { timeZoneName: 'longOffset', ...(timeZone && { timeZone }) });
  const name = parts.formatToParts(ms).find((part) => part.type === 'timeZoneName')?.value ?? 'GMT';
  return name === 'GMT' ? 'UTC+00:00' : name.replace('GMT', 'UTC').replace('-', '\u2212');
}

/** `Sat 21 Nov 2026, 20:00 UTC+01:00`, in the reader's time zone or the given one. */
export function dateTime(ms: number, timeZone?: string): string {
  return `${day(ms, timeZone)}, ${clockTime(ms, timeZone).slice(0, 5)} ${offsetAt(ms, timeZone)}`;
}

/** `Sat 21 Nov 2026` */
export function day(ms: number, timeZone?: string): string {
  const zone = timeZone === undefined ? {} : { timeZone };
  const format = { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric', ...zone } as const;
  return new Intl.DateTimeFormat('en-GB', format).format(ms).replace(',', '');
}

/** `20:00:05` */
export function clockTime(ms: number, timeZone?: string): string {
  const zone = timeZone === undefined ? {} : { timeZone };
  const format = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23', ...zone } as const;
  return new Intl.DateTimeFormat('en-GB', format).format(ms);
}

/** `850 B`, `1.2 MB`: powers of ten, as networks and disks are sold. */
export function size(bytes: number): string {
  for (const [unit, factor] of [['GB', 1e9], ['MB', 1e6], ['kB', 1e3]] as const) {
    if (bytes >= factor) return `${(bytes / factor).toFixed(bytes >= 100 * factor ? 0 : 1)} ${unit}`;
  } // biome-ignore format: a table
  return `${bytes} B`;
}

/** `20 s`, `1 min 5 s`, `2 h`: the two largest units that count. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const parts = [
    [Math.floor(seconds / 3600), 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return '0 s';
  const told = parts.slice(first, first + 2).filter(([count]) => count > 0);
  return told.map(([count, unit]) => `${count} ${unit}`).join(' ');
}

/** `90 m`, `1.3 km` */
export function distance(metres: number): string {
  return metres >= 1000 ? `${(metres / 1000).toFixed(1)} km` : `${Math.round(metres)} m`;
}

/** Midnight to midnight of a `YYYY-MM-DD` in the reader's time zone; 23 or 25 hours when the clocks change. */
export function dayBounds(date: string): { fromMs: number; toMs: number } {
  const [year = 1970, month = 1, dayOfMonth = 1] = date.split('-').map(Number);
  const at = (offset: number): number => new Date(year, month - 1, dayOfMonth + offset).getTime();
  return { fromMs: at(0), toMs: at(1) };
}

/** `YYYY-MM-DD` of an instant in the reader's time zone. */
export function dateOf(ms: number): string {
  const date = new Date(ms);
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
