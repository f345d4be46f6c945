/** Small damage to bytes, the same in every run: what a broken disk, a broken program or a patient attacker would try. */

/** A generator of numbers below 2^24 (Numerical Recipes' constants; the low bits are left out, they repeat soonest). */
export function numbersFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 8;
  };
}

/** Flips, deletes, repeats, inserts or splices a few bytes. */
export function mutate(source: Buffer, next: () => number): Buffer {
  let bytes = Buffer.from(source);
  for (let edits = 1 + (next() % 3); edits > 0; edits--) {
    const at = next() % bytes.length;
    const length = 1 + (next() % 8);
    const kind = next() % 5;
    if (kind === 0) bytes[at] = next() & 255;
    else if (kind === 1) bytes[at] = (bytes[at] ?? 0) ^ (1 << (next() % 8));
    else if (kind === 2) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
    else if (kind === 3) bytes = Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]);
    else
      bytes = Buffer.concat([
        bytes.subarray(0, at),
        source.subarray(next() % source.length).subarray(0, length),
        bytes.subarray(at),
      ]);
  }
  return bytes;
}

const hostileNumbers: readonly unknown[] = [-1, 0.5, 2 ** 53, Number.MAX_VALUE];
const hostileTexts: readonly unknown[] = ['', 'a'.repeat(40_000), 'a\u202eb', '\ud800', 'e\u0301', '../../etc/passwd'];
const deep: unknown = JSON.parse(`${'['.repeat(12)}${']'.repeat(12)}`);
const hostileShapes: readonly unknown[] = [null, true, [], {}, deep, JSON.parse('{"__proto__":{"polluted":1}}')];
const hostile: readonly unknown[] = [...hostileNumbers, ...hostileTexts, ...hostileShapes];

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** A copy in which one or two values, at any depth, are replaced, removed, repeated or moved elsewhere. */
export function mutateValue(source: unknown, next: () => number): unknown {
  const copy: unknown = structuredClone(source);
  for (let edits = 1 + (next() % 2); edits > 0; edits--) {
    let holder = copy;
    for (;;) {
      if (!isObject(holder)) break;
      const keys = Object.keys(holder);
      const key = keys[next() % Math.max(1, keys.length)] ?? 'extra';
      const child = holder[key];
      if (isObject(child) && next() % 3 !== 0) {
        holder = child;
        continue;
      }
      const kind = next() % 4;
      if (kind === 0) holder[key] = structuredClone(hostile[next() % hostile.length]);
      else if (kind === 1) delete holder[key];
      else if (kind === 2) holder[`${key}2`] = structuredClone(child);
      else holder[key] = structuredClone(holder[keys[next() % Math.max(1, keys.length)] ?? key]);
      break;
    }
  }
  return copy;
}
