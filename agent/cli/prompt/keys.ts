/** Bytes of a terminal in raw mode → keys. Escape alone and the beginning of an arrow key look alike until a moment later. */

export type Key =
  | 'up' | 'down' | 'left' | 'right' | 'page-up' | 'page-down' | 'home' | 'end' | 'enter' | 'escape' | 'backspace' | 'clear' | 'interrupt'
  | { readonly character: string }; // biome-ignore format: a list

const escapes: readonly (readonly [string, Key])[] = [
  ['[A', 'up'], ['[B', 'down'], ['[C', 'right'], ['[D', 'left'], ['OA', 'up'], ['OB', 'down'], ['OC', 'right'], ['OD', 'left'],
  ['[5~', 'page-up'], ['[6~', 'page-down'], ['[H', 'home'], ['[F', 'end'], ['[1~', 'home'], ['[4~', 'end'],
]; // biome-ignore format: a table

const controls: Readonly<Record<string, Key>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\u007f': 'backspace',
  '\b': 'backspace',
  '\u0015': 'clear',
  '\u0003': 'interrupt',
  '\u0004': 'interrupt',
};

const maxPendingChars = 4096;

export class KeyReader {
  #pending = '';

  /** True when what is held back could still become a longer key: call `flush` if nothing more comes within 50 ms. */
  get waiting(): boolean {
    return this.#pending !== '';
  }

  feed(text: string): Key[] {
    this.#pending = (this.#pending + text).slice(-maxPendingChars);
    return this.#take(false);
  }

  flush(): Key[] {
    return this.#take(true);
  }

  #take(final: boolean): Key[] {
    const keys: Key[] = [];
    while (this.#pending !== '') {
      if (this.#pending.startsWith('\u001b')) {
        const taken = this.#takeEscape(final);
        if (taken === undefined) return keys;
        if (taken !== 'unknown') keys.push(taken);
        continue;
      }
      const character = String.fromCodePoint(this.#pending.codePointAt(0) as number);
      this.#pending = this.#pending.slice(character.length);
      const key = controls[character] ?? (/^[^\p{C}]$/u.test(character) ? { character } : undefined);
      if (key !== undefined) keys.push(key);
    }
    return keys;
  }

  /** Undefined while more must come. A sequence that we don't know is dropped whole, so that its letters do nothing. */
  #takeEscape(final: boolean): Key | 'unknown' | undefined {
    const rest = this.#pending.slice(1);
    const known = escapes.find(([sequence]) => rest.startsWith(sequence));
    if (known !== undefined) {
      this.#pending = rest.slice(known[0].length);
      return known[1];
    }
    // oxlint-disable-next-line no-control-regex
    const whole = /^(?:\[[0-?]*[ -/]*[@-~]|O[@-~])/.exec(rest);
    if (whole !== null) {
      this.#pending = rest.slice(whole[0].length);
      return 'unknown';
    }
    const incomplete = rest === '' || /^(?:\[[0-?]*[ -/]*|O)$/.test(rest);
    if (incomplete && !final) return undefined;
    this.#pending = incomplete ? '' : rest;
    return 'escape';
  }
}
