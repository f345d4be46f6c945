import sharp from 'sharp';
import { yuvToRgb } from '../../base/image.ts';
import type { SmallFrame } from '../stages.ts';

/** A JPEG of a small frame: a clip's thumbnail, or the live still. sharp can't read YUV, so the addon converts. */

const defaultWidthPx = 320;
const quality = 72;

export async function encodeJpeg(frame: SmallFrame, maxWidthPx: number = defaultWidthPx): Promise<Uint8Array> {
  const raw = { width: frame.widthPx, height: frame.heightPx, channels: 3 } as const;
  const picture = sharp(yuvToRgb(frame), { raw }).resize({ width: maxWidthPx, withoutEnlargement: true });
  return new Uint8Array(await picture.jpeg({ quality }).toBuffer());
}
