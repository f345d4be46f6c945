/** Looks at every pixel under privacy masks in every picture of a recording, decoded by ffmpeg. */
import { spawnSync } from 'node:child_process';
import { findFfmpeg } from '../agent/base/ffmpeg.ts';

export type MaskPolygon = readonly (readonly [x: number, y: number])[];

export interface UnderMask {
  readonly pictureCount: number;
  readonly maskedPixelCount: number;
  /** Largest distance of a masked pixel from the fill, in luma and in both colours. */
  readonly worstOff: number;
  /** Spread of the luma outside: a picture that is all fill has hidden too much. */
  readonly outsideSpread: number;
}

/** "gray" as ffmpeg fills it, in limited range. */
const fill = [126, 128, 128] as const;

export function inside(polygon: MaskPolygon, x: number, y: number): boolean {
  let odd = false;
  polygon.forEach(([ax, ay], i) => {
    const [bx, by] = polygon[(i + 1) % polygon.length] ?? [ax, ay];
    if (ay > y !== by > y && x < ax + ((bx - ax) * (y - ay)) / (by - ay)) odd = !odd;
  });
  return odd;
}

/** `media`: anything that ffmpeg reads from a pipe; planes of planar 4:2:0, one byte a sample. */
export function lookUnderMask(
  media: Uint8Array,
  widthPx: number,
  heightPx: number,
  masks: readonly MaskPolygon[],
): UnderMask {
  const args = ['-v', 'error', '-i', 'pipe:0', '-map', '0:v:0', '-fps_mode', 'passthrough'];
  const decoded = spawnSync(findFfmpeg(), [...args, '-pix_fmt', 'yuv420p', '-f', 'rawvideo', 'pipe:1'], {
    input: media,
    maxBuffer: 2 ** 31 - 1,
  });
  if (decoded.status !== 0) throw new Error(`cannot decode: ${decoded.stderr.toString().slice(0, 500)}`);
  return lookUnderMaskRaw(decoded.stdout, widthPx, heightPx, masks);
}

/** The same on raw planar 4:2:0 pictures. */
export function lookUnderMaskRaw(
  pictures: Uint8Array,
  widthPx: number,
  heightPx: number,
  masks: readonly MaskPolygon[],
): UnderMask {
  const pictureBytes = (widthPx * heightPx * 3) / 2;
  const planes = [
    { at: 0, w: widthPx, h: heightPx, want: fill[0] },
    { at: widthPx * heightPx, w: widthPx / 2, h: heightPx / 2, want: fill[1] },
    { at: (widthPx * heightPx * 5) / 4, w: widthPx / 2, h: heightPx / 2, want: fill[2] },
  ].map((plane) => {
    const masked: number[] = [];
    for (let y = 0; y < plane.h; y++) {
      for (let x = 0; x < plane.w; x++) {
        if (masks.some((mask) => inside(mask, (x + 0.5) / plane.w, (y + 0.5) / plane.h))) masked.push(y * plane.w + x);
      }
    }
    return { ...plane, masked };
  });
  const [luma] = planes;
  const under = new Set(luma?.masked);
  let [worstOff, low, high] = [0, 255, 0];
  const pictureCount = pictures.length / pictureBytes;
  for (let n = 0; n < pictureCount; n++) {
    for (const { at, masked, want } of planes) {
      const from = n * pictureBytes + at;
      for (const i of masked) worstOff = Math.max(worstOff, Math.abs((pictures[from + i] ?? 0) - want));
    }
    for (let i = 0; i < widthPx * heightPx; i += 7) {
      if (under.has(i)) continue;
      const value = pictures[n * pictureBytes + i] ?? 0;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  return { pictureCount, maskedPixelCount: under.size, worstOff, outsideSpread: high - low };
}
