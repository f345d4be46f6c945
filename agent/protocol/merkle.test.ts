import { createHash, randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256 } from './bytes.ts';
import { inclusionPath, leafHash, rootOf, verifyInclusion } from './merkle.ts';

/** RFC 9162 section 2.1, word for word: slow, recursive, on leaf hashes. */
function slowRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 1) return leaves[0] ?? new Uint8Array();
  const k = largestPowerBelow(leaves.length);
  return node(slowRoot(leaves.slice(0, k)), slowRoot(leaves.slice(k)));
}

function slowPath(leaves: readonly Uint8Array[], m: number): Uint8Array[] {
  if (leaves.length === 1) return [];
  const k = largestPowerBelow(leaves.length);
  return m < k
    ? [...slowPath(leaves.slice(0, k), m), slowRoot(leaves.slice(k))]
    : [...slowPath(leaves.slice(k), m - k), slowRoot(leaves.slice(0, k))];
}

function largestPowerBelow(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

function node(left: Uint8Array, right: Uint8Array): Uint8Array {
  return createHash('sha256').update(Uint8Array.of(1)).update(left).update(right).digest();
}

const leavesOf = (n: number): Uint8Array[] =>
  Array.from({ length: n }, (_, i) => leafHash(new Uint8Array(16).fill(i), 1, sha256(Buffer.from(String(i)))));

describe('the tree', () => {
  it('is that of RFC 9162 for every size and index up to 40', () => {
    for (let n = 1; n <= 40; n++) {
      const leaves = leavesOf(n);
      const root = rootOf(leaves);
      expect(Buffer.from(root).equals(slowRoot(leaves))).toBe(true);
      for (let i = 0; i < n; i++) {
        const path = inclusionPath(leaves, i);
        expect(Buffer.concat(path).equals(Buffer.concat(slowPath(leaves, i)))).toBe(true);
        expect(verifyInclusion(root, n, i, leaves[i] ?? root, path)).toBe(true);
      }
    }
  });

  it('proves no leaf at another index, in another size, or by another path', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 70 }), fc.nat(), fc.nat(80), fc.nat(90), (n, seed, index, size) => {
        const leaves = leavesOf(n);
        const i = seed % n;
        const [root, leaf, path] = [rootOf(leaves), leaves[i] ?? new Uint8Array(), inclusionPath(leaves, i)];
        if (index !== i) expect(verifyInclusion(root, n, index, leaf, path)).toBe(false);
        if (path.length > 0) {
          expect(verifyInclusion(root, n, i, leaf, path.slice(1))).toBe(false);
          expect(verifyInclusion(root, n, i, leaf, path.slice(0, -1))).toBe(false);
          const flipped = path.map((hash) => Uint8Array.from(hash));
          const hash = flipped[seed % flipped.length] ?? new Uint8Array(1);
          hash[seed % 32] = (hash[seed % 32] ?? 0) ^ 1;
          expect(verifyInclusion(root, n, i, leaf, flipped)).toBe(false);
        }
        expect(verifyInclusion(root, n, i, leaf, [...path, root])).toBe(false);
        expect(verifyInclusion(root, n, i, randomBytes(32), path)).toBe(false);
        expect(typeof verifyInclusion(root, size, index, leaf, path)).toBe('boolean');
      }),
      { numRuns: 200 },
    );
  });

  it('takes no odd numbers', () => {
    const leaves = leavesOf(3);
    const root = rootOf(leaves);
    for (const [size, index] of [
      [0, 0],
      [3, -1],
      [3, 0.5],
      [Number.NaN, 0],
      [2 ** 40, 1],
    ] as const) {
      expect(verifyInclusion(root, size, index, root, inclusionPath(leaves, 0))).toBe(false);
    }
  });
});

describe('a leaf', () => {
  it('is bound to salt, track and content', () => {
    const hash = sha256(Buffer.from('fragment'));
    const salt = new Uint8Array(16);
    const leaf = Buffer.from(leafHash(salt, 1, hash));
    const expected = createHash('sha256').update(Uint8Array.of(0)).update(salt).update(Uint8Array.of(1)).update(hash);
    expect(leaf.equals(expected.digest())).toBe(true);
    expect(leaf.equals(leafHash(salt, 2, hash))).toBe(false);
    expect(leaf.equals(leafHash(new Uint8Array(16).fill(1), 1, hash))).toBe(false);
  });

  it.each([
    ['a short salt', () => leafHash(new Uint8Array(15), 1, new Uint8Array(32)), 'merkle/bad-leaf'],
    ['a wide track', () => leafHash(new Uint8Array(16), 256, new Uint8Array(32)), 'merkle/bad-leaf'],
    ['an empty tree', () => rootOf([]), 'merkle/empty'],
    ['an index outside', () => inclusionPath([new Uint8Array(32)], 1), 'merkle/no-such-leaf'],
  ])('is a programming error with %s', (_name, run, code) => {
    expect(run).toThrow(expect.objectContaining({ kind: 'bug', code }));
  });
});
