/** Where in the picture something may have changed since the last frame: actors, their shadows, and where both were before. */
import { type PerspectiveCamera, Vector3 } from 'three';
import type { Cast } from './cast.ts';
import type { Region } from './compose.ts';
import { type LensSpec, type LensWindow, toPixels } from './lens.ts';
import type { LightRig, Strengths } from './light-rig.ts';

const MARGIN_PX = 12;

export class RegionFinder {
  readonly #lens: LensSpec;
  readonly #rig: LightRig;
  #before: Region | undefined;
  #now: Region | undefined;

  constructor(lens: LensSpec, rig: LightRig) {
    this.#lens = lens;
    this.#rig = rig;
  }

  /** Of the actors themselves and of their shadows; undefined when none of it lies in the picture. */
  get current(): Region | undefined {
    return this.#now;
  }

  next(cast: Cast, camera: PerspectiveCamera, window: LensWindow, strengths: Strengths): void {
    this.#before = this.#now;
    const { widthPx, heightPx } = this.#lens;
    let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
    const take = (point: Vector3): void => {
      const v = point.clone().applyMatrix4(camera.matrixWorldInverse);
      const at = toPixels(this.#lens, v.x, v.y, v.z);
      if (at === undefined) return;
      const x = widthPx / 2 + (at[0] - widthPx / 2) * window.zoom + (window.shiftX * widthPx) / 2;
      const y = heightPx / 2 - (at[1] - heightPx / 2) * window.zoom + (window.shiftY * heightPx) / 2;
      [x0, y0, x1, y1] = [Math.min(x0, x), Math.min(y0, y), Math.max(x1, x), Math.max(y1, y)];
    };
    const { sunFrom, lampAt } = this.#rig;
    const p = new Vector3();
    for (const { actor } of cast.present) {
      const points = actor.samplePoints();
      for (let i = 0; i + 2 < points.length; i += 3) {
        take(p.fromArray(points, i));
        // Every third point is enough for shadows: their edges are soft, and there is a margin.
        if (i % 9 !== 0) continue;
        if (strengths.sun > 0)
          take(p.clone().addScaledVector(sunFrom, -Math.min(25, Math.max(0, p.y) / Math.max(0.05, sunFrom.y))));
        if (strengths.lamp > 0 && p.y < lampAt.y - 0.15) {
          const reach = Math.min(8, lampAt.y / (lampAt.y - p.y));
          take(lampAt.clone().addScaledVector(p.clone().sub(lampAt), reach));
        }
      }
    }
    for (const [x, z, radius] of cast.contacts())
      for (const s of [-2.2, 2.2]) for (const t of [-2.2, 2.2]) take(p.set(x + s * radius, 0, z + t * radius));
    this.#now = clip(x0 - MARGIN_PX, y0 - MARGIN_PX, x1 + MARGIN_PX, y1 + MARGIN_PX, widthPx, heightPx);
  }

  /** Now and before together. */
  changed(): Region | undefined {
    const [a, b] = [this.#now, this.#before];
    if (a === undefined || b === undefined) return a ?? b;
    const [x, y] = [Math.min(a[0], b[0]), Math.min(a[1], b[1])];
    return [x, y, Math.max(a[0] + a[2], b[0] + b[2]) - x, Math.max(a[1] + a[3], b[1] + b[3]) - y];
  }
}

function clip(x0: number, y0: number, x1: number, y1: number, widthPx: number, heightPx: number): Region | undefined {
  const [left, bottom] = [Math.max(0, Math.floor(x0)), Math.max(0, Math.floor(y0))];
  const [right, top] = [Math.min(widthPx, Math.ceil(x1)), Math.min(heightPx, Math.ceil(y1))];
  return right > left && top > bottom ? [left, bottom, right - left, top - bottom] : undefined;
}
