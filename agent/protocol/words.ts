import { sha256, toHex } from './bytes.ts';

/**
 * A fingerprint that people compare or type back: 32 hex digits of SHA-256 over the sorted keys, in groups of four.
 * The order in which the keys are listed doesn't matter.
 */
export function fingerprint(publicKeys: readonly Uint8Array[]): string {
  const sorted = publicKeys.toSorted((a, b) => Buffer.compare(a, b));
  return (
    toHex(sha256(...sorted))
      .slice(0, 32)
      .match(/.{4}/g) ?? []
  ).join(' ');
}

/** True if what was typed is the fingerprint: case, spaces and hyphens don't matter. */
export function fingerprintMatches(typed: string, publicKeys: readonly Uint8Array[]): boolean {
  const bare = typed.toLowerCase().replaceAll(/[\s-]/g, '');
  return bare === fingerprint(publicKeys).replaceAll(' ', '');
}
