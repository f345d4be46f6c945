/** Asks a person, line by line: the same over ssh, in a pipe and in a test. Secrets are read without echo on a terminal. */
import { AgentError } from '../base/errors.ts';
import type { CliIo } from './io.ts';

const maxLineChars = 4096;

export class Prompter {
  readonly #io: CliIo;
  #pending = '';
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(io: CliIo) {
    this.#io = io;
    io.stdin.setEncoding('utf8');
    io.stdin.on('data', this.#onData);
    io.stdin.on('end', this.#onEnd);
  }

  readonly #onData = (text: string): void => {
    this.#pending += text;
    this.#wake?.();
  };

  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#wake?.();
  };

  /** Shows the question and returns the answer without surrounding space; an empty answer is the default. */
  async ask(question: string, fallback = ''): Promise<string> {
    this.#io.stderr.write(`${question}${fallback === '' ? '' : ` [${fallback}]`}: `);
    const answer = (await this.#line()).trim();
    return answer === '' ? fallback : answer;
  }

  async confirm(question: string): Promise<boolean> {
    return /^y(es)?$/i.test(await this.ask(`${question} (yes/no)`, 'no'));
  }

  async secret(question: string): Promise<string> {
    this.#io.stderr.write(`${question}: `);
    if (!this.#io.isTty) return this.#line();
    this.#io.stdin.setRawMode?.(true);
    try {
      return await this.#hiddenLine();
    } finally {
      this.#io.stdin.setRawMode?.(false);
      this.#io.stderr.write('\n');
    }
  }

  /** Asks until `read` no longer throws a usage error; on a pipe the first refusal ends it, because nobody would answer. */
  async askUntil<T>(question: string, fallback: string, read: (answer: string) => T): Promise<T> {
    for (;;) {
      const answer = await this.ask(question, fallback);
      try {
        return read(answer);
      } catch (thrown) {
        const mistake = thrown instanceof AgentError && (thrown.kind === 'usage' || thrown.kind === 'config');
        if (!mistake || !this.#io.isTty) throw thrown;
        this.#io.stderr.write(`  ${thrown.message}\n`);
      }
    }
  }

  async #more(): Promise<void> {
    if (this.#ended) {
      throw new AgentError(
        'usage',
        'cli/no-answer',
        'Cannot go on: the input ended before every question was answered',
      );
    }
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  async #line(): Promise<string> {
    for (;;) {
      const end = this.#pending.indexOf('\n');
      if ((end < 0 ? this.#pending.length : end) > maxLineChars) {
        const message = `Cannot read the answer: it has more than ${maxLineChars} characters`;
        throw new AgentError('usage', 'cli/answer-too-long', message);
      }
      if (end >= 0) {
        const line = this.#pending.slice(0, end).replace(/\r$/, '');
        this.#pending = this.#pending.slice(end + 1);
        return line;
      }
      if (this.#ended && this.#pending !== '') {
        const last = this.#pending;
        this.#pending = '';
        return last;
      }
      await this.#more();
    }
  }

  /** In raw mode the terminal does nothing for us: Enter, Backspace, Ctrl-U, Ctrl-C and Ctrl-D are ours. */
  async #hiddenLine(): Promise<string> {
    let typed = '';
    for (;;) {
      for (const key of this.#takePending()) {
        if (key === '\r' || key === '\n') return typed;
        if (key === '\u0003' || key === '\u0004')
          throw new AgentError('usage', 'cli/interrupted', 'Stopped: nothing was done');
        if (key === '\u007f' || key === '\b') typed = Array.from(typed).slice(0, -1).join('');
        else if (key === '\u0015') typed = '';
        else if (key >= ' ') typed += key;
      }
      await this.#more();
    }
  }

  /** Hands out one character at a time and keeps what comes after an Enter for the next question. */
  *#takePending(): Generator<string> {
    while (this.#pending !== '') {
      const key = String.fromCodePoint(this.#pending.codePointAt(0) as number);
      this.#pending = this.#pending.slice(key.length);
      yield key;
    }
  }

  [Symbol.dispose](): void {
    this.#io.stdin.off('data', this.#onData);
    this.#io.stdin.off('end', this.#onEnd);
    this.#io.stdin.pause();
  }
}
