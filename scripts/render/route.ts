/** Writes an actor's way as a person would tell it: come in here, walk there, wait, turn, press, leave. */
import type { BeatPlan, WayPoint } from './plan.ts';

export interface Route {
  readonly way: readonly WayPoint[];
  readonly beats: readonly BeatPlan[];
}

export class RouteWriter {
  readonly #way: WayPoint[] = [];
  readonly #beats: BeatPlan[] = [];
  #at: WayPoint;
  readonly #moving: string;
  #holds: BeatPlan['holds'];

  /** `moving` is the action while under way. */
  constructor(
    fromMs: number,
    xM: number,
    zM: number,
    options: { moving?: string; yM?: number; holds?: BeatPlan['holds'] } = {},
  ) {
    this.#moving = options.moving ?? 'walk';
    this.#holds = options.holds;
    this.#at = { ms: fromMs, xM, zM, yM: options.yM ?? 0, headingRad: 0, walkedM: 0 };
  }

  #beat(action: string, reach?: BeatPlan['reach']): void {
    this.#beats.push({
      fromMs: Math.round(this.#at.ms),
      action,
      ...(this.#holds === undefined ? {} : { holds: this.#holds }),
      ...(reach === undefined ? {} : { reach }),
    });
  }

  #go(next: Partial<WayPoint>): void {
    this.#at = { ...this.#at, ...next };
    this.#way.push(this.#at);
  }

  get nowMs(): number {
    return Math.round(this.#at.ms);
  }

  /** Straight on to a point; turns on the way there in about a third of a second. */
  to(xM: number, zM: number, speedMps = 1.25, yM = this.#at.yM): this {
    const dx = xM - this.#at.xM;
    const dz = zM - this.#at.zM;
    const length = Math.hypot(dx, dz);
    if (length < 1e-6) return this;
    const headingRad = Math.atan2(dx, dz);
    const ms = (length / speedMps) * 1000;
    if (this.#beats.at(-1)?.action !== this.#moving) this.#beat(this.#moving);
    if (this.#way.length === 0) this.#go({ headingRad });
    else {
      const ratio = Math.min(0.5, 350 / ms);
      const mix = (a: number, b: number): number => a + (b - a) * ratio;
      this.#go({
        ms: this.#at.ms + ms * ratio,
        xM: mix(this.#at.xM, xM),
        zM: mix(this.#at.zM, zM),
        yM: mix(this.#at.yM, yM),
        headingRad,
        walkedM: this.#at.walkedM + length * ratio,
      });
    }
    const left = Math.hypot(xM - this.#at.xM, zM - this.#at.zM);
    this.#go({ ms: this.#at.ms + (left / speedMps) * 1000, xM, zM, yM, headingRad, walkedM: this.#at.walkedM + left });
    return this;
  }

  /** Through several points at one speed. */
  along(points: readonly (readonly [number, number])[], speedMps = 1.25): this {
    for (const [x, z] of points) this.to(x, z, speedMps);
    return this;
  }

  do(action: string, ms: number, reach?: BeatPlan['reach']): this {
    if (this.#way.length === 0) this.#go({});
    this.#beat(action, reach);
    this.#go({ ms: this.#at.ms + ms });
    return this;
  }

  /** Turns on the spot. */
  face(headingRad: number, ms = 700): this {
    if (this.#way.length === 0) this.#go({ headingRad });
    this.#beat('stand');
    this.#go({ ms: this.#at.ms + ms, headingRad });
    return this;
  }

  hold(holds: BeatPlan['holds']): this {
    this.#holds = holds;
    return this;
  }

  done(): Route {
    return { way: this.#way, beats: this.#beats };
  }
}

/** In the same place from `fromMs` to `toMs`. */
export function still(
  fromMs: number,
  toMs: number,
  xM: number,
  zM: number,
  headingRad: number,
  action = 'stand',
  yM = 0,
): Route {
  const point = { xM, zM, yM, headingRad, walkedM: 0 };
  return {
    way: [
      { ms: fromMs, ...point },
      { ms: toMs, ...point },
    ],
    beats: [{ fromMs, action }],
  };
}
