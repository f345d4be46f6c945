/** A terminal taken over whole: alternate screen, raw keys, redraw of what changed, and given back however it ends. */
import type { CliIo } from '../io.ts';
import type { Line, Size } from './views.ts';

// Lines are never broken by the terminal: what it takes for wider than we do must not run into the line below.
const enter = '\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[2J';
const leave = '\u001b[0m\u001b[?7h\u001b[?25h\u001b[?1049l';
const styles = { reverse: '\u001b[7m', bold: '\u001b[1m' } as const;

export class Screen {
  readonly #io: CliIo;
  readonly #onResize: () => void;
  #drawn: string[] = [];

  constructor(io: CliIo, onResize: () => void) {
    this.#io = io;
    this.#onResize = () => {
      this.#drawn = [];
      io.stdout.write('\u001b[2J');
      onResize();
    };
    io.stdin.setRawMode?.(true);
    io.stdout.on('resize', this.#onResize);
    io.stdout.write(enter);
  }

  get size(): Size {
    const { columns = 80, rows = 24 } = this.#io.stdout;
    return { columns, rows };
  }

  draw(lines: readonly Line[]): void {
    let out = '';
    const drawn = lines.map(({ text, style }) => (style === undefined ? text : `${styles[style]}${text}\u001b[0m`));
    for (const [i, line] of drawn.entries()) {
      if (line !== this.#drawn[i]) out += `\u001b[${i + 1};1H\u001b[2K${line}`;
    }
    this.#drawn = drawn;
    if (out !== '') this.#io.stdout.write(out);
  }

  [Symbol.dispose](): void {
    this.#io.stdout.off('resize', this.#onResize);
    this.#io.stdin.setRawMode?.(false);
    this.#io.stdout.write(leave);
  }
}
