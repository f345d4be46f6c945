/** The prompt's state as lines of a terminal. Pure: the same state and size always give the same picture. */
import { banner, clipText, previewRows, requestRows, summaryRow } from '../request-text.ts';
import { cutToWidth, displayWidth, labelled, localTime, seconds, table, wrap } from '../terminal-text.ts';
import { type ClipsScreen, canDecide, canWithdraw, type PromptState, type Screen } from './model.ts';

export interface Line {
  readonly text: string;
  readonly style?: 'reverse' | 'bold';
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

interface Body {
  readonly title: string;
  readonly lines: readonly Line[];
  /** The line that must be visible; without it `scroll` says where to begin. */
  readonly focus?: number;
  readonly scroll?: number;
  readonly keys: string;
}

const overlayKeys = { passphrase: 'Enter go on   Esc back', confirm: 'y yes   n no' } as const;
const minimum: Size = { columns: 60, rows: 16 };
/** Both answers are the same size and style, and neither is marked. */
const answers = '[ a  Approve ]   [ d  Decline ]';
/** The title above; two lines of message and two of keys below. The banner's rows come on top of them. */
const fixedRows = 5;

/** Between a label and its value: every column counts here. */
const gap = 1;

const asLines = (texts: readonly string[]): Line[] => texts.map((text) => ({ text }));

function inbox({ requests, lock }: PromptState, cursor: number): Body {
  const rows = table(requests.map((request) => summaryRow(request).slice(1)));
  const lines: Line[] = rows.map((text, i) =>
    i === cursor ? { text: `> ${text}`, style: 'reverse' } : { text: `  ${text}` },
  );
  const empty: Line[] = [{ text: '  No requests. Nothing is asked of you.' }];
  const keys = 'up/down move   Enter read   r refresh   q quit';
  return {
    title: `Requests (${requests.length})   keys: ${lock}`,
    lines: lines.length === 0 ? empty : lines,
    focus: cursor,
    keys,
  };
}

function detail(screen: Extract<Screen, { kind: 'detail' }>, columns: number): Body {
  const { request, scroll } = screen;
  const { share } = request;
  const shared: [string, string][] =
    share === undefined || !canWithdraw(request)
      ? []
      : [
          [
            'Cooling off',
            `nobody can read it before ${localTime(share.releaseNotBeforeMs)}; until then w withdraws it`,
          ],
        ];
  const choices = [
    ...(canDecide(request) ? ['[ c  Choose clips ]   [ d  Decline ]'] : []),
    ...(canWithdraw(request) ? ['[ w  Withdraw ]'] : []),
  ];
  return {
    title: 'One request',
    lines: asLines(labelled([...requestRows(request), ...shared], columns, gap)),
    scroll,
    keys: [...choices, 'up/down scroll   Esc back   q quit'].join('   '),
  };
}

const hideText = {
  none: 'hide people with black: now nobody',
  people: 'black over everybody who is found',
  moving: 'black over everything that moves',
} as const;

function tick(isOn: boolean): string {
  return isOn ? '[x]' : '[ ]';
}

/** What goes along with the clips, below them. */
function extras({ request, sound, discloseLineage, hide }: ClipsScreen): Line[] {
  const heard = request.asksForSound ? [`  ${tick(sound)} s  the sound, which the request asks for`] : [];
  const linked = `  ${tick(discloseLineage)} o  proof of one device: the agency can link your shares of this month`;
  return ['', `  ${tick(hide !== 'none')} h  ${hideText[hide]}`, ...heard, linked].map((text) => ({ text }));
}

function clipList(screen: ClipsScreen): Body {
  const { clips, chosen, cursor } = screen;
  const lines = clips.flatMap((clip, i): Line[] => {
    const selection = chosen.get(clip.clipId);
    const text = `${i === cursor ? '>' : ' '} ${tick(selection !== undefined)} ${clipText(clip)}`;
    const part =
      selection === undefined
        ? []
        : [
            {
              text: `        shares ${seconds(selection.toMs - selection.fromMs)} from ${localTime(selection.fromMs)}`,
            },
          ];
    return [i === cursor ? { text, style: 'reverse' } : { text }, ...part];
  });
  const before = clips.slice(0, cursor).filter((clip) => chosen.has(clip.clipId)).length;
  const none: Line[] = [{ text: '  No clip meets the window: there is nothing to share.' }];
  return {
    title: `Clips that meet the window (${chosen.size} of ${clips.length} chosen)`,
    lines: lines.length === 0 ? none : [...lines, ...extras(screen)],
    focus: cursor + before,
    keys: 'space choose   [ ] beginning   { } end   s o h extras   p preview   d decline   Esc back   q quit',
  };
}

function previewBody(screen: Extract<Screen, { kind: 'preview' }>, columns: number): Body {
  return {
    title: 'Exactly this would be sent',
    lines: asLines(labelled(previewRows(screen.preview), columns, gap)),
    scroll: screen.scroll,
    keys: `${answers}   o how to play it   Esc back   q quit`,
  };
}

function bodyOf(state: PromptState, columns: number): Body {
  const { screen } = state;
  switch (screen.kind) {
    case 'inbox':
      return inbox(state, screen.cursor);
    case 'detail':
      return detail(screen, columns);
    case 'clips':
      return clipList(screen);
    case 'preview':
      return previewBody(screen, columns);
  }
}

function padded(text: string, columns: number): string {
  const cut = cutToWidth(text, columns);
  return cut + ' '.repeat(columns - displayWidth(cut));
}

/** The window on a body that is longer than the screen; says how much of it is seen, so that nothing hides below. */
function windowOn(body: Body, height: number): { lines: Line[]; position: string } {
  const last = Math.max(0, body.lines.length - height);
  const wanted = body.focus === undefined ? (body.scroll ?? 0) : body.focus - height + 2;
  const start = Math.max(0, Math.min(last, wanted));
  const lines = body.lines.slice(start, start + height);
  const position = last === 0 ? '' : `lines ${start + 1}-${start + lines.length} of ${body.lines.length}`;
  return { lines, position };
}

/** Exactly `rows` lines of at most `columns`. */
export function render(state: PromptState, { columns, rows }: Size): Line[] {
  if (columns < minimum.columns || rows < minimum.rows) {
    const text = cutToWidth(`Please enlarge the window to ${minimum.columns} x ${minimum.rows}.`, columns);
    return [{ text }, ...Array.from({ length: rows - 1 }, () => ({ text: '' }))];
  }
  const body = bodyOf(state, columns);
  const banners = wrap(banner, columns);
  const height = rows - fixedRows - banners.length;
  const { lines, position } = windowOn(body, height);
  const { overlay, message, reminder } = state;
  const spoken =
    overlay === undefined
      ? wrap(message, columns)
      : [...wrap(overlay.question, columns), ...wrap(reminder ?? '', columns)];
  const keys = wrap(overlay === undefined ? body.keys : overlayKeys[overlay.kind], columns);
  const foot = [spoken[0], spoken[1], keys[0], keys[1]];
  return [
    ...banners.map((text): Line => ({ text: padded(text, columns), style: 'reverse' })),
    { text: cutToWidth(position === '' ? body.title : `${body.title}   (${position})`, columns), style: 'bold' },
    ...lines.map(
      ({ text, style }): Line =>
        style === 'reverse' ? { text: padded(text, columns), style } : { text: cutToWidth(text, columns) },
    ),
    ...Array.from({ length: height - lines.length }, () => ({ text: '' })),
    ...foot.map((text = '', i): Line => (i < 2 ? { text, style: 'bold' } : { text })),
  ];
}
