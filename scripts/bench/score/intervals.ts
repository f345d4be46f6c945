/** How well reported times fit the true ones. Pure; all times in milliseconds of the stream. */

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Sorted, and joined wherever the pause is at most `gapMs`. */
export function joinSpans(spans: readonly Span[], gapMs = 0): Span[] {
  const joined: { fromMs: number; toMs: number }[] = [];
  for (const { fromMs, toMs } of spans.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const last = joined.at(-1);
    if (last !== undefined && fromMs - last.toMs <= gapMs) last.toMs = Math.max(last.toMs, toMs);
    else joined.push({ fromMs, toMs });
  }
  return joined;
}

export function widen(spans: readonly Span[], byMs: number): Span[] {
  return spans.map(({ fromMs, toMs }) => ({ fromMs: fromMs - byMs, toMs: toMs + byMs }));
}

export function lengthMs(spans: readonly Span[]): number {
  return joinSpans(spans).reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
}

/** Length of what lies in both, each moment counted once. */
export function sharedMs(a: readonly Span[], b: readonly Span[]): number {
  const [first, second] = [joinSpans(a), joinSpans(b)];
  let sum = 0;
  for (const one of first) {
    for (const other of second) {
      sum += Math.max(0, Math.min(one.toMs, other.toMs) - Math.max(one.fromMs, other.fromMs));
    }
  }
  return sum;
}

export interface VisibilityScore {
  /** Of the time that somebody is there. */
  readonly recall: number;
  /** Of the time that somebody is said to be there. */
  readonly precision: number;
}

/** Both within `toleranceMs`: what is said may begin and end that much off. NaN where there is no time to divide by. */
export function visibility(truth: readonly Span[], said: readonly Span[], toleranceMs: number): VisibilityScore {
  return {
    recall: sharedMs(truth, widen(said, toleranceMs)) / lengthMs(truth),
    precision: sharedMs(said, widen(truth, toleranceMs)) / lengthMs(said),
  };
}

export interface VisitMatch {
  readonly visit: Span;
  /** Spans that touch this visit. 0: missed; more than one: split. */
  readonly parts: readonly Span[];
  /** From the visit's beginning to the first of them that does not end before it; undefined when missed. */
  readonly latencyMs: number | undefined;
}

export interface VisitScore {
  readonly matches: readonly VisitMatch[];
  readonly foundCount: number;
  readonly splitCount: number;
  readonly missedCount: number;
  /** Visits that share a span with the visit before. */
  readonly mergedCount: number;
  /** Spans that touch no visit. */
  readonly falseSpans: readonly Span[];
}

/** A span that begins within `toleranceMs` before a visit or ends that long after it belongs to it. */
export function matchVisits(visits: readonly Span[], said: readonly Span[], toleranceMs: number): VisitScore {
  const touches = (visit: Span, span: Span): boolean =>
    span.fromMs <= visit.toMs + toleranceMs && span.toMs >= visit.fromMs - toleranceMs;
  const matches = visits.map((visit): VisitMatch => {
    const parts = said.filter((span) => touches(visit, span)).toSorted((a, b) => a.fromMs - b.fromMs);
    const [first] = parts;
    return { visit, parts, latencyMs: first === undefined ? undefined : Math.max(0, first.fromMs - visit.fromMs) };
  });
  return {
    matches,
    foundCount: matches.filter(({ parts }) => parts.length > 0).length,
    splitCount: matches.filter(({ parts }) => parts.length > 1).length,
    missedCount: matches.filter(({ parts }) => parts.length === 0).length,
    mergedCount: matches.filter(({ parts }, at) => parts.some((part) => matches[at - 1]?.parts.includes(part))).length,
    falseSpans: said.filter((span) => !visits.some((visit) => touches(visit, span))),
  };
}

/** Whole seconds (numbered from 0) of a stream in which something was reported. */
export function reportedSeconds(timesMs: readonly number[]): Set<number> {
  return new Set(timesMs.map((timeMs) => Math.floor(timeMs / 1000)));
}

export interface SecondsScore {
  /** Visits with a reported second in them. */
  readonly foundCount: number;
  /** Share of the seconds of visits that were reported. */
  readonly coverage: number;
  /** Reported seconds with no visit within a second of them. */
  readonly falseSeconds: readonly number[];
}

/** Seconds before `skipS` count neither way: every method may learn its background first. */
export function scoreSeconds(visits: readonly Span[], reported: ReadonlySet<number>, skipS: number): SecondsScore {
  const covers = ({ fromMs, toMs }: Span, second: number, slackMs: number): boolean =>
    fromMs < (second + 1) * 1000 + slackMs && toMs > second * 1000 - slackMs;
  const counted = [...reported].filter((second) => second >= skipS).toSorted((a, b) => a - b);
  const found = visits.filter((visit) => counted.some((second) => covers(visit, second, 0)));
  const visited = new Set<number>();
  for (const { fromMs, toMs } of visits) {
    for (let second = Math.floor(fromMs / 1000); second * 1000 < toMs; second++) {
      if (second >= skipS) visited.add(second);
    }
  }
  return {
    foundCount: found.length,
    coverage: counted.filter((second) => visited.has(second)).length / visited.size,
    falseSeconds: counted.filter((second) => !visits.some((visit) => covers(visit, second, 1000))),
  };
}
