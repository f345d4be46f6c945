/** What `requests approve` is told to fill: `--redact`, `--keep`, `--region`, and how a clip's people are shown. */
import { AgentError } from '../base/errors.ts';
import type { ClipPeople, RedactedRegion, Redaction, Selection } from '../owner/service.ts';
import { findId } from './clip-ids.ts';
import { localTime } from './terminal-text.ts';

export const redactWords = ['none', 'people', 'moving', 'masks'] as const;

export interface RedactOption {
  readonly redact?: (typeof redactWords)[number];
  /** `CLIP,N`, or `N` where one clip is chosen. */
  readonly keep?: readonly string[];
  /** `[CLIP,]X,Y,W,H[,FROM,TO]`: per cent of the picture, times as of `--clip`. */
  readonly region?: readonly string[];
}

function usage(code: string, message: string): AgentError {
  return new AgentError('usage', code, message);
}

/** An id, or its first digits, is taken from the front where there are more parts than the rest has. */
function clipOf(parts: string[], selection: readonly Selection[], bareCounts: readonly number[]): string {
  const ids = selection.map(({ clipId }) => clipId);
  const [given = ''] = parts;
  const named = bareCounts.includes(parts.length) ? ids.find((id) => id === given) : findId(given, ids);
  if (named !== undefined) {
    parts.shift();
    return named;
  }
  const [only, ...more] = selection;
  if (only === undefined || more.length > 0) {
    throw usage('requests/which-clip', 'Cannot tell which clip is meant: put its id and a comma in front');
  }
  return only.clipId;
}

function parseRegion(parts: readonly string[], time: (text: string) => number): RedactedRegion {
  const numbers = parts.slice(0, 4).map((part) => (part.trim() === '' ? Number.NaN : Number(part) / 100));
  const [x = -1, y = -1, w = -1, h = -1] = numbers;
  const times = parts.slice(4);
  const inside = numbers.length === 4 && numbers.every((n) => n >= 0 && n <= 1) && w > 0 && h > 0;
  if (!inside || (times.length !== 0 && times.length !== 2)) {
    throw usage('requests/bad-region', 'Cannot read --region: expected X,Y,W,H in per cent of the picture[,FROM,TO]');
  }
  const [from, to] = times;
  if (from === undefined || to === undefined) return { x, y, w, h };
  const [fromMs, toMs] = [time(from), time(to)];
  if (fromMs <= toMs) return { x, y, w, h, fromMs, toMs };
  throw usage('requests/bad-region', 'Cannot read --region: FROM must be before TO');
}

/** The selection with what is to be filled; as it was where nothing is. */
export function withRedaction(
  selection: readonly Selection[],
  option: RedactOption,
  time: (text: string) => number,
): readonly Selection[] {
  const { redact = 'none', keep = [], region = [] } = option;
  const keeps = keep.map((text) => {
    const parts = text.split(',');
    const clipId = clipOf(parts, selection, [1]);
    const id = Number(parts[0]);
    if (parts.length !== 1 || !Number.isSafeInteger(id) || id < 1) {
      throw usage(
        'requests/bad-person',
        'Cannot read --keep: expected the number of a person, as "requests people" lists',
      );
    }
    return { clipId, id };
  });
  if (keeps.length > 0 && redact !== 'people') {
    throw usage('requests/keep-without-people', 'Cannot keep somebody: only "--redact people" fills people one by one');
  }
  const regions = region.map((text) => {
    const parts = text.split(',');
    return { clipId: clipOf(parts, selection, [4, 6]), region: parseRegion(parts, time) };
  });
  return selection.map((chosen) => {
    const own = regions.filter(({ clipId }) => clipId === chosen.clipId).map((r) => r.region);
    if (redact === 'none' && own.length === 0) return chosen;
    const wanted: Redaction = {
      fill: redact === 'masks' ? 'none' : redact,
      keep: keeps.filter(({ clipId }) => clipId === chosen.clipId).map(({ id }) => id),
      regions: own,
      masks: redact !== 'none',
    };
    return { ...chosen, redact: wanted };
  });
}

/** One line for each person of a clip, and what the owner should look at. */
export function peopleLines(found: ClipPeople): string[] {
  const middle = ({ places }: ClipPeople['people'][number]): string => {
    const place = places[places.length >> 1];
    if (place === undefined) return '';
    const percent = (e6: number): string => `${Math.round(e6 / 10_000)} %`;
    return `around ${percent(place.x + place.w / 2)} from the left, ${percent(place.y + place.h / 2)} from the top`;
  };
  return [
    ...(found.noModel === undefined
      ? []
      : ['The person model cannot be used here: fill what moves ("--redact moving") or draw regions.']),
    ...found.people.map(
      (p) =>
        `  ${p.id}  ${localTime(p.fromMs)} to ${localTime(p.toMs)}  ${middle(p)}  (sure: ${Math.round(p.score * 100)} %)`,
    ),
    ...(found.people.length === 0 && found.noModel === undefined ? ['Nobody was found.'] : []),
    ...found.unsure.map((span) => `  ?  look yourself: ${localTime(span.fromMs)} to ${localTime(span.toMs)}`),
  ];
}
