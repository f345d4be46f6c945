import { sha256 } from './bytes.ts';
import { defect } from './refuse.ts';

/**
 * The Merkle tree of a clip, RFC 9162 section 2.1 with SHA-256. A leaf is
 * SHA-256(0x00 ‖ salt (16 bytes) ‖ track (1 byte) ‖ SHA-256(fragment)); the salt keeps a leaf that isn't shared from being
 * guessed. Trees grow by one leaf a second, so hashing all of it at close costs nothing.
 */
const leafTag = Uint8Array.of(0);
const nodeTag = Uint8Array.of(1);

export function leafHash(salt: Uint8Array, track: number, fragmentSha256: Uint8Array): Uint8Array {
  if (salt.length !== 16 || fragmentSha256.length !== 32 || !Number.isInteger(track) || track < 0 || track > 255) {
    throw defect('merkle/bad-leaf', 'Cannot make the leaf: salt of 16, track of 1 and hash of 32 bytes are needed');
  }
  return sha256(leafTag, salt, Uint8Array.of(track), fragmentSha256);
}

function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(nodeTag, left, right);
}

/** Root of at least one leaf hash. */
export function rootOf(leaves: readonly Uint8Array[]): Uint8Array {
  let level = [...leaves];
  if (level.length === 0) throw defect('merkle/empty', 'Cannot make the tree: it has no leaf');
  // Pairing level by level and carrying an odd node up gives the tree of RFC 9162, whose left side is always full.
  while (level.length > 1) level = nextLevel(level);
  return level[0] as Uint8Array;
}

function nextLevel(level: readonly Uint8Array[]): Uint8Array[] {
  const next: Uint8Array[] = [];
  for (let i = 0; i < level.length; i += 2) {
    const left = level[i] as Uint8Array;
    const right = level[i + 1];
    next.push(right === undefined ? left : nodeHash(left, right));
  }
  return next;
}

/** The sibling hashes from the leaf at `index` up to the root. */
export function inclusionPath(leaves: readonly Uint8Array[], index: number): Uint8Array[] {
  if (!Number.isInteger(index) || index < 0 || index >= leaves.length) {
    throw defect('merkle/no-such-leaf', 'Cannot prove the leaf: it is not in the tree');
  }
  const path: Uint8Array[] = [];
  let at = index;
  for (let level = [...leaves]; level.length > 1; level = nextLevel(level)) {
    const sibling = level[at ^ 1];
    if (sibling !== undefined) path.push(sibling);
    at >>= 1;
  }
  return path;
}

/** RFC 9162 section 2.1.3.2. False for any index, size or path that doesn't fit; never throws. */
export function verifyInclusion(
  root: Uint8Array,
  size: number,
  index: number,
  leaf: Uint8Array,
  path: readonly Uint8Array[],
): boolean {
  if (!Number.isSafeInteger(size) || !Number.isSafeInteger(index) || index < 0 || index >= size || size > 2 ** 30) {
    return false;
  }
  let fn = index;
  let sn = size - 1;
  let hash = leaf;
  for (const sibling of path) {
    if (sn === 0) return false;
    if ((fn & 1) === 1 || fn === sn) {
      hash = nodeHash(sibling, hash);
      while ((fn & 1) === 0 && fn !== 0) {
        fn >>= 1;
        sn >>= 1;
      }
    } else {
      hash = nodeHash(hash, sibling);
    }
    fn >>= 1;
    sn >>= 1;
  }
  return sn === 0 && Buffer.compare(hash, root) === 0;
}
