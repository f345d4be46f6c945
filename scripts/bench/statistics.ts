/** Medians, spreads and intervals. Pure. */

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
  readonly runs: readonly number[];
}

/** `share` 0..1 of the way through the sorted values, interpolated; NaN for none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function spreadOf(runs: readonly number[]): Spread {
  return { median: median(runs), least: Math.min(...runs), most: Math.max(...runs), runs };
}

/** A small repeatable generator (Marsaglia's xorshift, 32 bits): 0 inclusive to 1 exclusive. */
export function seededRandom(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/**
 * The 95 % interval of a figure over `count` things by the bootstrap (Efron 1979): each resample says how often every
 * thing was drawn, and `figure` counts it that often. Resamples without a figure (NaN) are left out.
 */
export function bootstrapInterval(
  count: number,
  figure: (weights: Uint16Array) => number,
  { resamples = 1000, seed = 1 }: { readonly resamples?: number; readonly seed?: number } = {},
): readonly [low: number, high: number] {
  const random = seededRandom(seed);
  const weights = new Uint16Array(count);
  const figures: number[] = [];
  for (let resample = 0; resample < resamples; resample++) {
    weights.fill(0);
    for (let draw = 0; draw < count; draw++) {
      const at = Math.floor(random() * count);
      weights[at] = (weights[at] ?? 0) + 1;
    }
    const value = figure(weights);
    if (!Number.isNaN(value)) figures.push(value);
  }
  return [quantile(figures, 0.025), quantile(figures, 0.975)];
}
