/** How well a foreground mask fits a hand-made one, pixel by pixel. Pure. */

export interface PixelCounts {
  readonly hits: number;
  readonly falseAlarms: number;
  readonly misses: number;
}

/** Values in CDnet's masks (Wang et al. 2014): shadow counts as background; unknown and outside count neither way. */
const moving = 255;
const ignored: ReadonlySet<number> = new Set([85, 170]);

/** `mask` is 0 or not, `truth` as above; both one byte a pixel. `region`, where given, is 0 where nothing counts. */
export function countPixels(mask: Uint8Array, truth: Uint8Array, region?: Uint8Array): PixelCounts {
  if (mask.length !== truth.length || (region !== undefined && region.length !== truth.length)) {
    throw new RangeError('The masks have different sizes');
  }
  let [hits, falseAlarms, misses] = [0, 0, 0];
  for (let at = 0; at < truth.length; at++) {
    const wanted = truth[at] as number;
    if (ignored.has(wanted) || region?.[at] === 0) continue;
    if (mask[at] !== 0) {
      if (wanted === moving) hits++;
      else falseAlarms++;
    } else if (wanted === moving) misses++;
  }
  return { hits, falseAlarms, misses };
}

export function addCounts(a: PixelCounts, b: PixelCounts): PixelCounts {
  return { hits: a.hits + b.hits, falseAlarms: a.falseAlarms + b.falseAlarms, misses: a.misses + b.misses };
}

export const noPixels: PixelCounts = { hits: 0, falseAlarms: 0, misses: 0 };

export interface PixelScore {
  readonly precision: number;
  readonly recall: number;
  /** Harmonic mean of both; NaN where neither mask has a moving pixel. */
  readonly f: number;
}

export function pixelScore({ hits, falseAlarms, misses }: PixelCounts): PixelScore {
  return {
    precision: hits / (hits + falseAlarms),
    recall: hits / (hits + misses),
    f: (2 * hits) / (2 * hits + falseAlarms + misses),
  };
}

/** A mask in CDnet's values from counts of pixels that stay and that move, in turns, row by row. */
export function unpackRuns(runs: readonly number[], pixelCount: number): Uint8Array {
  const mask = new Uint8Array(pixelCount);
  let at = 0;
  for (const [index, length] of runs.entries()) {
    if (index % 2 === 1) mask.fill(moving, at, at + length);
    at += length;
  }
  if (at !== pixelCount) throw new RangeError('The runs do not fill the picture');
  return mask;
}
