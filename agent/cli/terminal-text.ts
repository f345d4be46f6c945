/** What others wrote, made safe for a terminal, and how times, sizes and lists are shown everywhere on the command line. */

// C0, C1, DEL, line and paragraph separators, bidirectional controls, zero-width and other invisible characters.
const unsafe = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/gu;

/** Agency text: no character may move the cursor, change colours or turn the reading direction. */
export function clean(text: string, maxChars = 4000): string {
  const short = Array.from(text).slice(0, maxChars).join('');
  const plain = short.replaceAll(/[\r\n\t]+/g, ' ').replaceAll(unsafe, '\ufffd');
  // Piled-up marks would paint over the lines above and below.
  return plain.replaceAll(/(\p{M}{2})\p{M}+/gu, '$1');
}

/** Local time with its offset, so that two readings of one clip can't be taken for two moments. */
export function localTime(wallMs: number): string {
  const date = new Date(wallMs);
  if (Number.isNaN(date.getTime())) return 'unknown time';
  const offsetMinutes = -date.getTimezoneOffset();
  const local = new Date(wallMs + offsetMinutes * 60_000).toISOString();
  const sign = offsetMinutes < 0 ? '-' : '+';
  const hours = String(Math.floor(Math.abs(offsetMinutes) / 60)).padStart(2, '0');
  const minutes = String(Math.abs(offsetMinutes) % 60).padStart(2, '0');
  return `${local.slice(0, 10)} ${local.slice(11, 19)} ${sign}${hours}:${minutes}`;
}

export function byteSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** `1 clip`, `2 clips`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

export function seconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(1)} s`;
}

/** Columns as wide as their widest cell, two spaces apart; the last one is not padded. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, displayWidth(cell))));
  return rows.map((row) =>
    row
      .map((cell, i) =>
        i === row.length - 1 ? cell : cell + ' '.repeat(Math.max(0, (widths[i] ?? 0) - displayWidth(cell))),
      )
      .join('  ')
      .trimEnd(),
  );
}

// Shown two columns wide by terminals: East Asian wide forms (UAX #11), pictographs, and the letters of flags.
const wide =
  /[\u1100-\u115f\u2630-\u2637\u268a-\u268f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Extended_Pictographic}|[\u{16fe0}-\u{1b2ff}\u{1d300}-\u{1d37f}\u{1f1e6}-\u{1f2ff}\u{20000}-\u{3fffd}]/u;

/** Columns that text takes on a terminal. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) width += /\p{M}/u.test(character) ? 0 : wide.test(character) ? 2 : 1;
  return width;
}

/** The longest beginning that fits, and the rest. */
function splitAtWidth(text: string, columns: number): [string, string] {
  let width = 0;
  let end = 0;
  for (const character of text) {
    width += displayWidth(character);
    if (width > columns) break;
    end += character.length;
  }
  return [text.slice(0, end), text.slice(end)];
}

export function cutToWidth(text: string, columns: number): string {
  return splitAtWidth(text, columns)[0];
}

/**
 * Label and value, the value within its own columns: a terminal that breaks a long line itself would begin the rest of what
 * others wrote where our labels stand.
 */
export function labelled(rows: readonly (readonly [string, string])[], columns: number, gap = 2): string[] {
  const indent = Math.max(0, ...rows.map(([label]) => displayWidth(label))) + gap;
  return rows.flatMap(([label, value]) =>
    wrap(value, Math.max(20, columns - indent)).map((text, i) => `${(i === 0 ? label : '').padEnd(indent)}${text}`),
  );
}

/** Breaks text at spaces, and in words that are too long, into lines of at most `columns` (at least 2). Nothing is lost. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && displayWidth(line) + 1 + displayWidth(word) <= columns) {
      line += ` ${word}`;
      continue;
    }
    if (line !== '') lines.push(line);
    let rest = word;
    while (displayWidth(rest) > columns) {
      const [head, tail] = splitAtWidth(rest, columns);
      lines.push(head);
      rest = tail;
    }
    line = rest;
  }
  if (line !== '') lines.push(line);
  return lines;
}
