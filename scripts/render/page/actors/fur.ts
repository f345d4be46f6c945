// The colours of fur, point by point.
import type { BeastJoint, Breed } from './breed.ts';
import { cloud, noise, ramp } from './field.ts';
import type { Rgb } from './layer.ts';
import { mix, shade } from './layer.ts';

const PALE: Rgb = [0.7, 0.65, 0.57];

/** Flecked fur, dark along the back and pale below, socks and the tip of a fox's tail, eyes, ears and nose. */
export function paintFur(
  b: Breed,
  joints: readonly BeastJoint[],
  main: Rgb,
  seed: number,
  x: number,
  y: number,
  z: number,
): Rgb {
  const s = b.shoulderM;
  const half = (b.lengthRatio * s) / 2;
  const fleck = 0.5 + 0.5 * cloud((9 * x) / s + seed, (5 * y) / s, (9 * z) / s);
  const grain = 0.5 + 0.5 * noise((33 * x) / s, (33 * y) / s, (21 * z) / s + seed);
  let c = mix(shade(main, 1.25), shade(main, 0.4), 0.55 * fleck + 0.45 * grain);
  const onTrunk = ramp(1.25 * half, half, Math.abs(z));
  c = mix(c, shade(c, 0.45), onTrunk * ramp(1.08, 1.2, y / s + 0.6 * Math.abs(x / s) ** 2) * 0.8);
  if (b.paleBelly) c = mix(c, PALE, 0.7 * ramp(0.86 * s, 0.7 * s, y) * (b.darkSocks && y < 0.6 * s ? 0 : 1));
  if (b.darkSocks && y < 0.5 * s && Math.abs(z) < 1.35 * half)
    c = mix(c, [0.02, 0.018, 0.016], ramp(0.5 * s, 0.36 * s, y));
  const tail = joints.find(({ name }) => name === 'tailEnd');
  if (b.darkSocks && tail && z < 0.45 * tail.to[2] + 0.55 * tail.from[2]) c = mix(c, PALE, 0.85);
  const head = joints.find(({ name }) => name === 'head');
  if (!head) return c;
  const r = b.headRatio * s;
  const [, hy, hz] = head.from;
  if (b.paleBelly && z > hz + 0.5 * r && y < hy) c = mix(c, PALE, 0.8);
  if (b.paleBelly && !b.floppy && z > 0.9 * half && z < hz + 0.5 * r && y < 0.98 * s && y > 0.6 * s)
    c = mix(c, PALE, 0.7);
  if (Math.hypot(Math.abs(x) - 0.48 * r, y - hy - 0.32 * r, z - hz - 1.1 * r) < 0.34 * r) c = [0.015, 0.015, 0.012];
  if (z > hz + 0.95 * r + b.snoutRatio * s && y > hy - 0.35 * r) c = [0.02, 0.018, 0.018];
  return !b.floppy && y > hy + 1.05 * r ? mix(c, [0.03, 0.025, 0.02], 0.6) : c;
}
