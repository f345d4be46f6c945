import { AgentError } from './errors.ts';
import { nativeAddon } from './native.ts';

/** Small pictures on their way to a model or a thumbnail: planar YUV 4:2:0, limited range, as capture delivers them. */
export interface YuvPicture {
  readonly widthPx: number;
  readonly heightPx: number;
  /** `widthPx * heightPx * 3 / 2` bytes. */
  readonly yuv: Uint8Array;
}

export interface CropBox {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

export type ColourMatrix = 'bt601' | 'bt709';
const matrixCodes = { bt601: 0, bt709: 1 } as const;

function refusedByAddon(thrown: unknown): AgentError {
  const why = thrown instanceof TypeError ? thrown.message : 'unexpected failure';
  return new AgentError('bug', 'base/bad-picture', `Cannot convert the picture: ${why}`, { cause: thrown });
}

/**
 * Fills `out` (3 * sidePx * sidePx floats: planes blue, green, red, 0..255) with the crop, scaled to fit at the top
 * left and padded with 114. Shrinks by area average, enlarges bilinearly. Returns tensor pixels per picture pixel.
 * Throws `base/bad-picture` when sizes do not fit.
 */
export function letterbox(
  picture: YuvPicture,
  crop: CropBox,
  sidePx: number,
  out: Float32Array,
  matrix: ColourMatrix = 'bt601',
): number {
  const { widthPx, heightPx, yuv } = picture;
  const addon = nativeAddon();
  try {
    return addon.letterbox(yuv, widthPx, heightPx, matrixCodes[matrix], crop.x, crop.y, crop.w, crop.h, sidePx, out);
  } catch (thrown) {
    throw refusedByAddon(thrown);
  }
}

/** Red, green, blue bytes of the whole picture, for a thumbnail. Throws `base/bad-picture`. */
export function yuvToRgb(picture: YuvPicture, matrix: ColourMatrix = 'bt601'): Buffer {
  const { widthPx, heightPx, yuv } = picture;
  const addon = nativeAddon();
  if (yuv.length * 2 !== widthPx * heightPx * 3) {
    throw refusedByAddon(new TypeError('The picture and its size do not fit'));
  }
  const out = Buffer.alloc(widthPx * heightPx * 3);
  try {
    addon.yuvToRgb(yuv, widthPx, heightPx, matrixCodes[matrix], out);
  } catch (thrown) {
    throw refusedByAddon(thrown);
  }
  return out;
}
