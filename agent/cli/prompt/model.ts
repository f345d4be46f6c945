/**
 * What the full-screen prompt shows and what a key does, as a pure function: no terminal, no socket. Nothing is chosen or
 * decided by default; Approve and Decline stand side by side and each takes one more deliberate step.
 */
import type {
  ClipSummary,
  LockState,
  Preview,
  Redaction,
  RequestDetail,
  RequestSummary,
  Selection,
} from '../../owner/service.ts';
import { wholeSelection } from '../request-text.ts';
import type { Key } from './keys.ts';

export interface ClipsScreen {
  readonly kind: 'clips';
  readonly request: RequestDetail;
  readonly clips: readonly ClipSummary[];
  readonly cursor: number;
  /** By clip id; a clip that isn't here is not shared. */
  readonly chosen: ReadonlyMap<string, Selection>;
  /** What goes along with the pictures: both off until chosen. */
  readonly sound: boolean;
  readonly discloseLineage: boolean;
  /** Who or what is filled with black in all of them; one by one, and by region, it is done on the page. */
  readonly hide: Redaction['fill'];
}

export type Screen =
  | { readonly kind: 'inbox'; readonly cursor: number }
  | { readonly kind: 'detail'; readonly request: RequestDetail; readonly scroll: number }
  | ClipsScreen
  | { readonly kind: 'preview'; readonly from: ClipsScreen; readonly preview: Preview; readonly scroll: number };

/** What the shell is asked to do; its result comes back through `arrive`. */
export type Effect =
  | { readonly do: 'quit' }
  | { readonly do: 'refresh' }
  | { readonly do: 'open'; readonly requestId: string }
  | { readonly do: 'review'; readonly requestId: string; readonly passphrase?: string }
  | { readonly do: 'preview'; readonly from: ClipsScreen }
  | { readonly do: 'approve'; readonly requestId: string; readonly previewId: string; readonly passphrase: string }
  | { readonly do: 'decline' | 'withdraw'; readonly requestId: string };

export interface Overlay {
  readonly kind: 'passphrase' | 'confirm';
  readonly question: string;
  /** Only for the passphrase; never drawn. */
  readonly typed: string;
  readonly proceed: (passphrase: string) => Effect;
}

export interface PromptState {
  readonly requests: readonly RequestSummary[];
  readonly lock: LockState;
  readonly screen: Screen;
  readonly overlay?: Overlay;
  readonly message: string;
  readonly busy: boolean;
  readonly webAddress: string;
  /** Shown under every question; the demo shows its throw-away passphrase here. */
  readonly reminder?: string;
}

export interface Step {
  readonly state: PromptState;
  readonly effect?: Effect;
}

export const trimStepMs = 1000;

const afterHide = { none: 'people', people: 'moving', moving: 'none' } as const;
const workingText = 'Working…';
const fillingText = 'Filling with black; that takes a while. Ctrl-C ends it and leaves.';

export function firstState(webAddress: string, reminder?: string): PromptState {
  const screen = { kind: 'inbox', cursor: 0 } as const;
  const state = { requests: [], lock: 'locked', screen, message: workingText, busy: true, webAddress } as const;
  return reminder === undefined ? state : { ...state, reminder };
}

/** True while an approval can still be taken back. */
export function canWithdraw(request: RequestSummary): boolean {
  return request.state === 'COOLING' || request.state === 'BODY_UP';
}

export function canDecide(request: RequestSummary): boolean {
  return request.state === 'PENDING' || request.state === 'REVIEWING';
}

function clamp(value: number, count: number): number {
  return Math.max(0, Math.min(count - 1, value));
}

function letter(key: Key): string {
  return typeof key === 'string' ? '' : key.character;
}

/** Arrow keys, or how far a key moves through a list. */
function movement(key: Key): number {
  if (key === 'up' || letter(key) === 'k') return -1;
  if (key === 'down' || letter(key) === 'j') return 1;
  if (key === 'page-up') return -10;
  return key === 'page-down' ? 10 : 0;
}

export function press(state: PromptState, key: Key): Step {
  if (key === 'interrupt') return { state, effect: { do: 'quit' } };
  // A list that is being read again decides nothing: leaving it needn't wait.
  const leaves = letter(key) === 'q' && state.overlay === undefined;
  if (state.busy) return leaves && state.screen.kind === 'inbox' ? { state, effect: { do: 'quit' } } : { state };
  if (state.overlay !== undefined) return pressOverlay(state, state.overlay, key);
  const clear = { ...state, message: '' };
  const { screen } = state;
  if (leaves) return { state, effect: { do: 'quit' } };
  switch (screen.kind) {
    case 'inbox':
      return pressInbox(clear, screen.cursor, key);
    case 'detail':
      return pressDetail(clear, screen, key);
    case 'clips':
      return pressClips(clear, screen, key);
    case 'preview':
      return pressPreview(clear, screen, key);
  }
}

function begin(state: PromptState, effect: Effect, message = workingText): Step {
  return { state: { ...state, busy: true, message }, effect };
}

function askFirst(state: PromptState, kind: Overlay['kind'], question: string, proceed: Overlay['proceed']): Step {
  return { state: { ...state, overlay: { kind, question, typed: '', proceed } } };
}

function pressOverlay(state: PromptState, overlay: Overlay, key: Key): Step {
  const { overlay: _closed, ...closed } = state;
  if (key === 'escape') return { state: { ...closed, message: 'Nothing was done.' } };
  if (overlay.kind === 'confirm') {
    if (letter(key) === 'y') return begin(closed, overlay.proceed(''));
    return letter(key) === 'n' ? { state: { ...closed, message: 'Nothing was done.' } } : { state };
  }
  const typing = (typed: string): Step => ({ state: { ...state, overlay: { ...overlay, typed } } });
  if (key === 'enter') return overlay.typed.trim() === '' ? { state } : begin(closed, overlay.proceed(overlay.typed));
  if (key === 'backspace') return typing(Array.from(overlay.typed).slice(0, -1).join(''));
  if (key === 'clear') return typing('');
  return typeof key === 'string' || overlay.typed.length > 400 ? { state } : typing(overlay.typed + key.character);
}

function pressInbox(state: PromptState, cursor: number, key: Key): Step {
  if (letter(key) === 'r') return begin(state, { do: 'refresh' });
  const moved = clamp(cursor + movement(key), state.requests.length);
  const chosen = state.requests[moved];
  if ((key === 'enter' || key === 'right') && chosen !== undefined) {
    return begin(state, { do: 'open', requestId: chosen.requestId });
  }
  return { state: { ...state, screen: { kind: 'inbox', cursor: moved } } };
}

function toInbox(state: PromptState): Step {
  return begin({ ...state, screen: { kind: 'inbox', cursor: 0 } }, { do: 'refresh' });
}

function askDecline(state: PromptState, { requestId }: RequestSummary): Step {
  const question = 'Decline this request? Nobody outside learns of it. (y/n)';
  return askFirst(state, 'confirm', question, () => ({ do: 'decline', requestId }));
}

function pressDetail(state: PromptState, screen: Extract<Screen, { kind: 'detail' }>, key: Key): Step {
  const { request } = screen;
  const { requestId } = request;
  if (key === 'escape' || key === 'left') return toInbox(state);
  if (letter(key) === 'd' && canDecide(request)) return askDecline(state, request);
  if (letter(key) === 'w' && canWithdraw(request)) {
    const question = 'Withdraw this share? It can then be read by nobody. (y/n)';
    return askFirst(state, 'confirm', question, () => ({ do: 'withdraw', requestId }));
  }
  if (letter(key) === 'c' && canDecide(request)) {
    if (state.lock === 'deciding') return begin(state, { do: 'review', requestId });
    const question = 'Passphrase to look at the clips (six words, not shown)';
    return askFirst(
      state,
      'passphrase',
      question,
      (passphrase: string): Effect => ({ do: 'review', requestId, passphrase }),
    );
  }
  return { state: { ...state, screen: { ...screen, scroll: Math.max(0, screen.scroll + movement(key)) } } };
}

/** `[` and `]` move the beginning, `{` and `}` the end, by a second, within the clip and the request's window. */
export function trim(selection: Selection, whole: Selection, key: string): Selection {
  const { fromMs, toMs } = selection;
  const step = key === '[' || key === '{' ? -trimStepMs : trimStepMs;
  if (key === '[' || key === ']') {
    return { ...selection, fromMs: Math.max(whole.fromMs, Math.min(fromMs + step, toMs - trimStepMs)) };
  }
  return { ...selection, toMs: Math.min(whole.toMs, Math.max(toMs + step, fromMs + trimStepMs)) };
}

function pressClips(state: PromptState, screen: ClipsScreen, key: Key): Step {
  const { request, clips, chosen } = screen;
  const at = (next: ClipsScreen): Step => ({ state: { ...state, screen: next } });
  if (key === 'escape' || key === 'left') return toDetail(state, request);
  if (letter(key) === 'd') return askDecline(state, request);
  const clip = clips[screen.cursor];
  const selection = clip === undefined ? undefined : chosen.get(clip.clipId);
  if (letter(key) === ' ' && clip !== undefined) {
    const next = new Map(chosen);
    if (!next.delete(clip.clipId)) next.set(clip.clipId, wholeSelection(clip, request));
    return at({ ...screen, chosen: next });
  }
  if (clip !== undefined && selection !== undefined && letter(key) !== '' && '[]{}'.includes(letter(key))) {
    const trimmed = trim(selection, wholeSelection(clip, request), letter(key));
    return at({ ...screen, chosen: new Map(chosen).set(clip.clipId, trimmed) });
  }
  if (letter(key) === 's') {
    if (request.asksForSound) return at({ ...screen, sound: !screen.sound });
    return { state: { ...state, message: 'The request does not ask for sound, so none is sent.' } };
  }
  if (letter(key) === 'o') return at({ ...screen, discloseLineage: !screen.discloseLineage });
  if (letter(key) === 'h') return at({ ...screen, hide: afterHide[screen.hide] });
  if (letter(key) === 'p') {
    if (chosen.size > 0 && screen.hide === 'none') return begin(state, { do: 'preview', from: screen });
    if (chosen.size > 0) return begin(state, { do: 'preview', from: screen }, fillingText);
    return { state: { ...state, message: 'Choose a clip first: the space bar chooses the one that is marked.' } };
  }
  return at({ ...screen, cursor: clamp(screen.cursor + movement(key), clips.length) });
}

function toDetail(state: PromptState, request: RequestDetail): Step {
  return begin(
    { ...state, screen: { kind: 'detail', request, scroll: 0 } },
    { do: 'open', requestId: request.requestId },
  );
}

function pressPreview(state: PromptState, screen: Extract<Screen, { kind: 'preview' }>, key: Key): Step {
  const { from, preview } = screen;
  const { requestId } = from.request;
  if (key === 'escape' || key === 'left') return { state: { ...state, screen: from } };
  if (letter(key) === 'd') return askDecline(state, from.request);
  if (letter(key) === 'o') {
    return {
      state: {
        ...state,
        message: `Nothing is written to disk for playing: open ${state.webAddress} to see and hear it.`,
      },
    };
  }
  if (letter(key) === 'a') {
    const question = 'Passphrase to approve exactly this share (six words, not shown)';
    return askFirst(
      state,
      'passphrase',
      question,
      (passphrase: string): Effect => ({
        do: 'approve',
        requestId,
        previewId: preview.previewId,
        passphrase,
      }),
    );
  }
  return { state: { ...state, screen: { ...screen, scroll: Math.max(0, screen.scroll + movement(key)) } } };
}

/** What came back from the owner program. A failed effect leaves the screen as it was and says why. */
export type Arrival =
  | { readonly kind: 'inbox'; readonly requests: readonly RequestSummary[]; readonly lock: LockState }
  | { readonly kind: 'request'; readonly request: RequestDetail; readonly message?: string }
  | { readonly kind: 'clips'; readonly request: RequestDetail; readonly clips: readonly ClipSummary[] }
  | { readonly kind: 'preview'; readonly from: ClipsScreen; readonly preview: Preview }
  | { readonly kind: 'failed'; readonly message: string };

export function arrive(state: PromptState, arrival: Arrival): PromptState {
  const ready = { ...state, busy: false };
  switch (arrival.kind) {
    case 'inbox': {
      const { requests, lock } = arrival;
      const { screen } = state;
      const shown = screen.kind === 'inbox' ? { ...screen, cursor: clamp(screen.cursor, requests.length) } : screen;
      // What was said stays: the list is also read again by itself.
      const message = state.message === workingText ? '' : state.message;
      return { ...ready, requests, lock, screen: shown, message };
    }
    case 'request':
      return {
        ...ready,
        screen: { kind: 'detail', request: arrival.request, scroll: 0 },
        message: arrival.message ?? '',
      };
    case 'clips': {
      const { request, clips } = arrival;
      const nothing = { cursor: 0, chosen: new Map(), sound: false, discloseLineage: false, hide: 'none' } as const;
      return { ...ready, lock: 'deciding', screen: { kind: 'clips', request, clips, ...nothing }, message: '' };
    }
    case 'preview': {
      const { from, preview } = arrival;
      const missed = `Filled; somebody may have been missed. Only the page shows it: ${state.webAddress}`;
      const message = from.hide === 'none' ? '' : missed;
      return { ...ready, screen: { kind: 'preview', from, preview, scroll: 0 }, message };
    }
    case 'failed':
      return { ...ready, message: arrival.message };
  }
}
