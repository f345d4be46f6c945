import sharp from 'sharp';
import type { SmallFrame } from '../stages.ts';

/** A JPEG of a small frame. Frames are BT.601 limited-range YUV 4:2:0, which sharp can't read, hence the conversion. */

const widthPx = 320;
const quality = 72;

export async function encodeJpeg(frame: SmallFrame, maxWidthPx: number = widthPx): Promise<Uint8Array> {
  const picture = sharp(toRgb(frame), { raw: { width: frame.widthPx, height: frame.heightPx, channels: 3 } });
  return new Uint8Array(
    await picture.resize({ width: maxWidthPx, withoutEnlargement: true }).jpeg({ quality }).toBuffer(),
  );
}

function toRgb({ yuv, widthPx: width, heightPx: height }: SmallFrame): Uint8ClampedArray {
  const rgb = new Uint8ClampedArray(width * height * 3);
  const chromaWidth = width >> 1;
  const uAt = width * height;
  const vAt = uAt + chromaWidth * (height >> 1);
  let out = 0;
  for (let y = 0; y < height; y += 1) {
    const chromaRow = (y >> 1) * chromaWidth;
    for (let x = 0; x < width; x += 1) {
      const chroma = chromaRow + (x >> 1);
      const luma = 1.164 * ((yuv[y * width + x] ?? 16) - 16);
      const u = (yuv[uAt + chroma] ?? 128) - 128;
      const v = (yuv[vAt + chroma] ?? 128) - 128;
      rgb[out] = luma + 1.596 * v;
      rgb[out + 1] = luma - 0.392 * u - 0.813 * v;
      rgb[out + 2] = luma + 2.017 * u;
      out += 3;
    }
  }
  return rgb;
}
