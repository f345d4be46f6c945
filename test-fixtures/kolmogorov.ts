/**
 * The two-sample test of Kolmogorov and Smirnov: how likely two samples this far apart are if both come from one
 * distribution. Asymptotic, with Stephens's correction for small samples (Numerical Recipes, section 14.3).
 */
export interface KsResult {
  /** Greatest distance between the two empirical distributions. */
  readonly distance: number;
  readonly p: number;
}

export function compareSamples(a: readonly number[], b: readonly number[]): KsResult {
  const [x, y] = [a, b].map((values) => values.toSorted((one, other) => one - other));
  if (x === undefined || y === undefined || x.length === 0 || y.length === 0) throw new Error('an empty sample');
  let [i, j, distance] = [0, 0, 0];
  while (i < x.length && j < y.length) {
    const value = Math.min(x[i] ?? 0, y[j] ?? 0);
    while (i < x.length && (x[i] ?? 0) <= value) i += 1;
    while (j < y.length && (y[j] ?? 0) <= value) j += 1;
    distance = Math.max(distance, Math.abs(i / x.length - j / y.length));
  }
  const size = Math.sqrt((x.length * y.length) / (x.length + y.length));
  return { distance, p: tail((size + 0.12 + 0.11 / size) * distance) };
}

function tail(lambda: number): number {
  if (lambda < 0.2) return 1;
  let sum = 0;
  for (let k = 1; k <= 100; k += 1) sum += 2 * (-1) ** (k - 1) * Math.exp(-2 * k * k * lambda * lambda);
  return Math.min(1, Math.max(0, sum));
}

export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
