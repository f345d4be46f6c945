// Signed-distance fields: shapes as functions that are negative inside, and the noise that folds cloth.
// Distances are near enough (gradient between about 0.6 and 1.4) for skipping empty space with some slack.
import type { Random } from './actor.ts';

/** Signed distance in metres at (x, y, z). */
export type Field = (x: number, y: number, z: number) => number;
export type Point = readonly [number, number, number];

/** mulberry32: small, good enough for looks, the same everywhere. */
export function seedRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export const clamp = (x: number, low: number, high: number): number => (x < low ? low : x > high ? high : x);
export const lerp = (a: number, b: number, t: number): number => a + (b - a) * t;
/** 0 below `from`, 1 above `to`, smooth between; `from` may lie above `to`. */
export function ramp(from: number, to: number, x: number): number {
  const t = clamp((x - from) / (to - from), 0, 1);
  return t * t * (3 - 2 * t);
}

function lattice(x: number, y: number, z: number): number {
  let n = Math.imul(x, 374761393) ^ Math.imul(y, 668265263) ^ Math.imul(z, 1274126177);
  n = Math.imul(n ^ (n >>> 13), 1274126177);
  return ((n ^ (n >>> 16)) >>> 0) / 2147483648 - 1;
}

/** Value noise in [-1, 1] with a period of one unit. */
export function noise(x: number, y: number, z: number): number {
  const i = Math.floor(x);
  const j = Math.floor(y);
  const k = Math.floor(z);
  let u = x - i;
  let v = y - j;
  let w = z - k;
  u = u * u * (3 - 2 * u);
  v = v * v * (3 - 2 * v);
  w = w * w * (3 - 2 * w);
  const near = lerp(
    lerp(lattice(i, j, k), lattice(i + 1, j, k), u),
    lerp(lattice(i, j + 1, k), lattice(i + 1, j + 1, k), u),
    v,
  );
  const far = lerp(
    lerp(lattice(i, j, k + 1), lattice(i + 1, j, k + 1), u),
    lerp(lattice(i, j + 1, k + 1), lattice(i + 1, j + 1, k + 1), u),
    v,
  );
  return lerp(near, far, w);
}

/** Two octaves of noise, about [-1, 1]. */
export const cloud = (x: number, y: number, z: number): number =>
  0.68 * noise(x, y, z) + 0.32 * noise(2.1 * x + 7, 2.1 * y, 2.1 * z);

/** Union with a fillet of about `k` metres. */
export function join(k: number, a: number, b: number): number {
  const h = k - Math.abs(a - b);
  const low = a < b ? a : b;
  return h <= 0 ? low : low - (h * h) / (4 * k);
}
/** Intersection with a rounded edge. */
export const cut = (k: number, a: number, b: number): number => -join(k, -a, -b);

/** A cone with round ends; `flat` below 1 presses it together in z (a trunk rather than a pipe). */
export function roundCone(a: Point, b: Point, radiusA: number, radiusB: number, flat = 1): Field {
  const [ax, ay, az] = a;
  const dx = b[0] - ax;
  const dy = b[1] - ay;
  const dz = (b[2] - az) / flat;
  const inverse = 1 / (dx * dx + dy * dy + dz * dz + 1e-12);
  const grow = radiusB - radiusA;
  const shrink = 0.5 + 0.5 * flat;
  return (x, y, z) => {
    const px = x - ax;
    const py = y - ay;
    const pz = (z - az) / flat;
    const t = clamp((px * dx + py * dy + pz * dz) * inverse, 0, 1);
    const qx = px - dx * t;
    const qy = py - dy * t;
    const qz = pz - dz * t;
    return (Math.sqrt(qx * qx + qy * qy + qz * qz) - radiusA - grow * t) * shrink;
  };
}

export function ellipsoid(centre: Point, radii: Point): Field {
  const [cx, cy, cz] = centre;
  const [rx, ry, rz] = radii;
  const least = Math.min(rx, ry, rz);
  return (x, y, z) => {
    const ux = (x - cx) / rx;
    const uy = (y - cy) / ry;
    const uz = (z - cz) / rz;
    const k = Math.sqrt(ux * ux + uy * uy + uz * uz);
    const g = Math.sqrt((ux / rx) ** 2 + (uy / ry) ** 2 + (uz / rz) ** 2);
    return g < 1e-6 ? -least : (k * (k - 1)) / g;
  };
}

export function roundBox(centre: Point, half: Point, radius: number): Field {
  return (x, y, z) => {
    const qx = Math.abs(x - centre[0]) - half[0] + radius;
    const qy = Math.abs(y - centre[1]) - half[1] + radius;
    const qz = Math.abs(z - centre[2]) - half[2] + radius;
    const ox = Math.max(qx, 0);
    const oy = Math.max(qy, 0);
    const oz = Math.max(qz, 0);
    return Math.sqrt(ox * ox + oy * oy + oz * oz) + Math.min(Math.max(qx, qy, qz), 0) - radius;
  };
}

/** Distance to the segment from a to b. */
export function segmentDistance(x: number, y: number, z: number, a: Point, b: Point): number {
  const dx = b[0] - a[0];
  const dy = b[1] - a[1];
  const dz = b[2] - a[2];
  const px = x - a[0];
  const py = y - a[1];
  const pz = z - a[2];
  const t = clamp((px * dx + py * dy + pz * dz) / (dx * dx + dy * dy + dz * dz + 1e-12), 0, 1);
  return Math.hypot(px - dx * t, py - dy * t, pz - dz * t);
}
