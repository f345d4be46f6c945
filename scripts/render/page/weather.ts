/** Where drops and flakes are at a time. A function of seed and time, so that any frame can be drawn alone. */
import { Vector3 } from 'three';
import { fork } from '../random.ts';
import { type LensSpec, toPixels } from './lens.ts';
import type { Stroke } from './particles.ts';

export interface WeatherLook {
  readonly tSec: number;
  readonly rain: number;
  readonly snow: number;
  readonly wind: number;
  /** Strength of the lamp at the camera, which lights what falls close to it. */
  readonly infrared: number;
  /** Light from everywhere. */
  readonly sky: number;
  readonly lamp: number;
  readonly exposureSec: number;
}

interface Speck {
  readonly x: number;
  readonly y: number;
  readonly z: number;
  readonly speed: number;
  readonly phase: number;
}

const TOP_M = 4.5;
const RAIN_COUNT = 420;
const SNOW_COUNT = 620;

export class Weather {
  readonly #specks: readonly Speck[];
  readonly #splashes: readonly Speck[];
  readonly #lens: LensSpec;
  readonly #toCamera: (world: Vector3) => Vector3;

  constructor(seed: number, lens: LensSpec, toCamera: (world: Vector3) => Vector3) {
    const random = fork(seed, 'weather');
    this.#lens = lens;
    this.#toCamera = toCamera;
    this.#specks = Array.from({ length: SNOW_COUNT }, (_, i) => {
      // Some fall right in front of the lens.
      const z = i % 12 === 0 ? -0.25 - 0.5 * random() : -0.9 - 8 * random() ** 1.5;
      return {
        x: (random() - 0.5) * (1.5 + 2.6 * -z),
        y: random() * TOP_M,
        z,
        speed: 0.8 + 0.4 * random(),
        phase: random() * 6.28,
      };
    });
    this.#splashes = Array.from({ length: 90 }, () => ({
      x: (random() - 0.5) * 7,
      y: 0.02,
      z: -1.2 - 6 * random(),
      speed: 3 + 4 * random(),
      phase: random() * 10,
    }));
  }

  strokes(look: WeatherLook): readonly Stroke[] {
    const out: Stroke[] = [];
    if (look.rain > 0) this.#rain(look, out);
    if (look.snow > 0) this.#snow(look, out);
    return out;
  }

  #project(
    x: number,
    y: number,
    z: number,
  ): { readonly at: readonly [number, number]; readonly distanceM: number } | undefined {
    const v = this.#toCamera(new Vector3(x, y, z));
    const at = toPixels(this.#lens, v.x, v.y, v.z);
    return at === undefined ? undefined : { at, distanceM: v.length() };
  }

  #line(
    x: number,
    y: number,
    z: number,
    dx: number,
    dy: number,
    radiusM: number,
    gain: number,
    look: WeatherLook,
    out: Stroke[],
  ): void {
    const from = this.#project(x, y, z);
    const to = this.#project(x + dx, y + dy, z);
    if (from === undefined || to === undefined) return;
    const pxPerM = this.#lens.widthPx / 2.1 / from.distanceM;
    // Near the lens everything is out of focus and as wide as its circle of confusion.
    const blurPx = (0.9 * this.#lens.widthPx) / 640 / Math.max(0.2, from.distanceM);
    const radiusPx = Math.max((0.45 * this.#lens.widthPx) / 640, radiusM * pxPerM) + blurPx;
    const thin = Math.min(1, (radiusM * pxPerM) / radiusPx + 0.12);
    const own =
      look.infrared * (5 / (0.25 + from.distanceM ** 1.55)) +
      look.sky * 1.1 +
      look.lamp * 0.6 * Math.exp(-from.distanceM * 0.4);
    const light = gain * own * thin;
    out.push({
      x0: from.at[0],
      y0: from.at[1],
      x1: to.at[0],
      y1: to.at[1],
      radiusPx,
      light: [light, light, light],
      cover: Math.min(0.9, gain * thin),
      distanceM: from.distanceM,
    });
  }

  #rain(look: WeatherLook, out: Stroke[]): void {
    const count = Math.round(RAIN_COUNT * Math.min(1.4, look.rain));
    for (const [i, s] of this.#specks.slice(0, count).entries()) {
      const speed = 6.5 * s.speed;
      const lap = Math.floor((s.y - speed * look.tSec) / TOP_M);
      const y = s.y - speed * look.tSec - lap * TOP_M - 0.1;
      // Each lap falls somewhere else.
      const x = s.x + ((((lap * 0.618 + i * 0.381) % 1) + 1) % 1) * 1.2 - 0.6 + look.wind * 0.25 * (TOP_M - y);
      this.#line(x, y, s.z, look.wind * 1.6 * look.exposureSec, -speed * look.exposureSec, 0.0016, 0.3, look, out);
    }
    const splashes = Math.round(this.#splashes.length * Math.min(1, look.rain));
    for (const s of this.#splashes.slice(0, splashes)) {
      const turn = Math.floor(look.tSec * s.speed + s.phase);
      if (look.tSec * s.speed + s.phase - turn > 0.35) continue;
      const jump = ((turn * 0.754877) % 1) * 3 - 1.5;
      this.#line(s.x + jump, s.y, s.z - ((turn * 0.569) % 1), 0, 0.015, 0.012, 0.3, look, out);
    }
  }

  #snow(look: WeatherLook, out: Stroke[]): void {
    const count = Math.round(SNOW_COUNT * Math.min(1, look.snow));
    for (const [i, s] of this.#specks.slice(0, count).entries()) {
      const speed = 1.05 * s.speed;
      const lap = Math.floor((s.y - speed * look.tSec) / TOP_M);
      const y = s.y - speed * look.tSec - lap * TOP_M - 0.1;
      const drift = Math.sin(look.tSec * 1.3 + s.phase) * 0.16 + look.wind * (TOP_M - y) * 0.5;
      const x = s.x + drift + ((((lap * 0.618 + i * 0.381) % 1) + 1) % 1) * 1.2 - 0.6;
      this.#line(x, y, s.z, look.wind * 0.6 * look.exposureSec, -speed * look.exposureSec, 0.0055, 0.75, look, out);
    }
  }
}
