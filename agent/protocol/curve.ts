import { toHex } from './bytes.ts';

/**
 * Which public keys are no keys at all. Some libraries verify forged Ed25519 signatures under points of small order
 * (OpenSSL 3.0 does), so they are recognised here: y is one of five values (orders 1, 2, 4 and 8). Encodings that RFC
 * 8032 forbids (y ≥ p) and bytes that are no point of the curve are refused as well.
 */
const p = 2n ** 255n - 19n;
/** −121665 / 121666 mod p: the curve constant of edwards25519. */
const d = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;

const smallOrderY = new Set<bigint>([
  0n,
  1n,
  p - 1n,
  2707385501144840649318225287225658788936804267575313519463743609750303402022n,
  55188659117513257062467267217118295137698188065244968500265048394206261417927n,
]);
const lowOrderU = new Set<bigint>([
  0n,
  1n,
  p - 1n,
  325606250916557431795983626356110631294008115727848805560023387167927233504n,
  39382357235489614581723060781553021112529911719440698176882885853963445705823n,
]);

export type PointProblem = 'bad-length' | 'non-canonical' | 'small-order' | 'not-on-curve';

/** What is wrong with an encoded Ed25519 public key, if anything: the cheap part, enough before each verification. */
export function encodingProblem(publicKey: Uint8Array): Exclude<PointProblem, 'not-on-curve'> | undefined {
  if (publicKey.length !== 32) return 'bad-length';
  const y = yOf(publicKey);
  if (y >= p) return 'non-canonical';
  return smallOrderY.has(y) ? 'small-order' : undefined;
}

/** The whole check, for enrolment. */
export function pointProblem(publicKey: Uint8Array): PointProblem | undefined {
  return encodingProblem(publicKey) ?? (isOnCurve(yOf(publicKey)) ? undefined : 'not-on-curve');
}

function yOf(publicKey: Uint8Array): bigint {
  return littleEndian(publicKey) & (2n ** 255n - 1n);
}

/** True for an X25519 public key of small order, or one not written in its only canonical form. */
export function isLowOrderMontgomery(publicKey: Uint8Array): boolean {
  const u = littleEndian(publicKey);
  return u >= p || lowOrderU.has(u);
}

/** −x² + y² = 1 + d·x²·y² has a solution x exactly if (y² − 1)(d·y² + 1) is a square (Euler's criterion). */
function isOnCurve(y: bigint): boolean {
  const y2 = (y * y) % p;
  const product = ((y2 - 1n + p) * (d * y2 + 1n)) % p;
  return power(product, (p - 1n) / 2n) === 1n;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = base % p;
  for (let e = exponent; e > 0n; e >>= 1n) {
    if (e & 1n) result = (result * square) % p;
    square = (square * square) % p;
  }
  return result;
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes.toReversed())}`);
}
