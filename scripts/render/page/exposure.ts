/** Automatic exposure as cameras do it: aims at a mean brightness, weighs the middle more, takes its time, sees only its own output. */
export class AutoExposure {
  value = 1;
  readonly #target: number;
  readonly #limit: readonly [number, number];

  constructor(targetLevel: number, limit: readonly [number, number]) {
    this.#target = targetLevel;
    this.#limit = limit;
  }

  /** `rate` 1 jumps; pixels as RGBA rows. */
  meter(pixels: Uint8Array, widthPx: number, heightPx: number, rate: number): void {
    let sum = 0;
    let weights = 0;
    for (let y = 2; y < heightPx; y += 6) {
      for (let x = 2; x < widthPx; x += 6) {
        const i = 4 * (y * widthPx + x);
        const level = (0.3 * (pixels[i] ?? 0) + 0.59 * (pixels[i + 1] ?? 0) + 0.11 * (pixels[i + 2] ?? 0)) / 255;
        const [dx, dy] = [x / widthPx - 0.5, y / heightPx - 0.55];
        const weight = 1 + 3 * Math.exp(-12 * (dx * dx + dy * dy));
        // What is blown out counts for more than it shows.
        sum += (level + 5 * Math.max(0, level - 0.78)) * weight;
        weights += weight;
      }
    }
    const mean = Math.max(0.01, sum / weights);
    const step = (this.#target / mean) ** (1.7 * rate);
    this.value = Math.min(this.#limit[1], Math.max(this.#limit[0], this.value * Math.min(2.5, Math.max(0.4, step))));
  }
}
