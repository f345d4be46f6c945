/**
 * How a vector writes a long text that mostly repeats itself: as `[text, times]` one after the other. What is at a limit of
 * many kilobytes then takes a line in a file that people may want to look at.
 */
export type Runs = string | readonly (readonly [text: string, times: number])[];

/** Texts that are shorter than this stay as they are. */
const minLength = 1 << 16;
const repetition = /(.{1,200}?)\1{99,}/gs;

export function asRuns(text: string): Runs {
  if (text.length < minLength) return text;
  const runs: (readonly [string, number])[] = [];
  let at = 0;
  for (const { index, 0: whole, 1: part = whole } of text.matchAll(repetition)) {
    if (index > at) runs.push([text.slice(at, index), 1]);
    runs.push([part, whole.length / part.length]);
    at = index + whole.length;
  }
  if (at < text.length) runs.push([text.slice(at), 1]);
  // Many short repetitions would take more lines than they are worth.
  return runs.length <= 100 ? runs : text;
}

export function writtenOut(runs: Runs): string {
  return typeof runs === 'string' ? runs : runs.map(([text, times]) => text.repeat(times)).join('');
}
