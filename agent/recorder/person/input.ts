import { type ColourMatrix, type CropBox, letterbox, type YuvPicture } from '../../base/image.ts';
import type { InputForm } from './head.ts';

/** The pad that `letterbox` writes. */
const letterboxPad = 114;

/**
 * Fills `out` (3 * sidePx * sidePx floats) with the crop as the model's maker fed it. Returns input pixels per picture
 * pixel. Throws `base/bad-picture`.
 */
export function fillInput(
  picture: YuvPicture,
  crop: CropBox,
  sidePx: number,
  out: Float32Array,
  { form, matrix }: { readonly form: InputForm; readonly matrix: ColourMatrix },
): number {
  const scale = letterbox(picture, crop, sidePx, out, matrix);
  const planePx = sidePx * sidePx;
  if (form.pad !== letterboxPad) {
    const [w, h] = [crop.w, crop.h].map((side) => Math.max(1, Math.round(side * scale))) as [number, number];
    for (let plane = 0; plane < 3; plane++) {
      const from = plane * planePx;
      if (w < sidePx) for (let y = 0; y < h; y++) out.fill(form.pad, from + y * sidePx + w, from + (y + 1) * sidePx);
      out.fill(form.pad, from + h * sidePx, from + planePx);
    }
  }
  if (form.pixelOrder === 'rgb') {
    const blue = out.slice(0, planePx);
    out.copyWithin(0, 2 * planePx);
    out.set(blue, 2 * planePx);
  }
  for (let plane = 0; plane < 3; plane++) {
    const mean = form.mean[plane] ?? 0;
    const factor = 1 / (form.std[plane] ?? 1);
    if (mean !== 0 || factor !== 1) standardise(out, plane * planePx, (plane + 1) * planePx, { mean, factor });
  }
  return scale;
}

/** By itself, so that the compiler sees nothing but the loop. */
function standardise(
  values: Float32Array,
  from: number,
  to: number,
  { mean, factor }: { readonly mean: number; readonly factor: number },
): void {
  const shift = -mean * factor;
  for (let i = from; i < to; i++) values[i] = (values[i] as number) * factor + shift;
}
