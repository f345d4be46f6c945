/** Picture files for `latchkey detect`: found in folders, checked before a decoder sees them, and made into a small frame. */
import { readdirSync, statSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import sharp, { type Metadata } from 'sharp';
import { AgentError, systemCode } from '../base/errors.ts';
import { readFileLimited } from '../base/files.ts';
import type { SmallFrame } from '../recorder/stages.ts';

const maxFileBytes = 64 << 20;
const maxPictureCount = 100_000;
const maxPixelCount = 100_000_000;
/** The model sees a few hundred pixels each way; beyond this a larger frame costs time and shows it nothing. */
const frameSidePx = 1280;
const extension = /\.(jpe?g|png|webp)$/i;

export interface PictureFile {
  readonly path: string;
  /** Below the folder that was named, or the file's own name. */
  readonly name: string;
}

/**
 * A file is taken whatever it is called; of a folder, and the folders in it, whatever is called like a picture, in the
 * order of their paths. Links inside are not followed. Throws `detect/missing`, `detect/cannot-read`, `detect/no-pictures`,
 * `detect/too-many`.
 */
export function findPictures(paths: readonly string[], maxCount: number = maxPictureCount): PictureFile[] {
  const found = paths.flatMap((path) => {
    const stats = reading(path, () => statSync(path, { throwIfNoEntry: false }));
    if (stats === undefined) {
      throw new AgentError('usage', 'detect/missing', `Cannot look for people: there is no ${path}`);
    }
    if (!stats.isDirectory()) return [{ path, name: basename(path) }];
    return picturesIn(path).map((picture) => ({ path: picture, name: relative(path, picture) }));
  });
  if (found.length === 0) {
    throw new AgentError('usage', 'detect/no-pictures', 'Cannot look for people: there is no jpg, png or webp file');
  }
  if (found.length > maxCount) {
    throw new AgentError('usage', 'detect/too-many', `Cannot look for people: more than ${maxCount} pictures`);
  }
  return found;
}

/** One folder at a time: Node's own recursive listing follows links to folders, round and round. */
function picturesIn(folder: string): string[] {
  const entries = reading(folder, () => readdirSync(folder, { withFileTypes: true }));
  return entries
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return picturesIn(path);
      return entry.isFile() && extension.test(entry.name) ? [path] : [];
    });
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'this user may not read it',
  ENAMETOOLONG: 'its name is too long',
  ELOOP: 'it is a link in a circle',
};

function reading<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (thrown) {
    const code = systemCode(thrown);
    if (thrown instanceof AgentError || code === undefined) throw thrown;
    const message = `Cannot read ${basename(path).slice(0, 100)}: ${reasons[code] ?? code}`;
    throw new AgentError('refused', 'detect/cannot-read', message, { cause: thrown });
  }
}

export interface OpenedPicture {
  /** As it is shown, in pixels. */
  readonly widthPx: number;
  readonly heightPx: number;
  /** At most 1280 pixels each way, even. */
  readonly frame: SmallFrame;
  /** Picture pixels per frame pixel. */
  readonly scale: { readonly x: number; readonly y: number };
}

/**
 * Turned as its EXIF says. Throws `detect/not-a-picture`, `detect/damaged` (corrupt), `detect/too-many-pixels`,
 * `base/too-large`, `base/not-a-file`, `detect/cannot-read`, `detect/gone` (refused).
 */
export async function openPicture(path: string): Promise<OpenedPicture> {
  const bytes = reading(path, () => readFileLimited(path, maxFileBytes));
  if (bytes === undefined) throw new AgentError('refused', 'detect/gone', 'Cannot read it: it is no longer there');
  // By content, before any parser: a file named .png may be an SVG that names other files.
  if (!isPicture(bytes)) {
    throw new AgentError('corrupt', 'detect/not-a-picture', 'Cannot read it: it is no JPEG, PNG or WebP');
  }
  const { width: widthPx, height: heightPx } = await decoding(() => sizeOf(bytes));
  if (widthPx * heightPx > maxPixelCount) {
    const message = `Cannot read it: ${widthPx}x${heightPx} is more than ${maxPixelCount} pixels`;
    throw new AgentError('refused', 'detect/too-many-pixels', message);
  }
  const shrink = Math.min(1, frameSidePx / Math.max(widthPx, heightPx));
  const [w, h] = [widthPx, heightPx].map((side) => Math.max(1, Math.round(side * shrink))) as [number, number];
  const { data, info } = await decoding(() =>
    sharp(bytes, { limitInputPixels: maxPixelCount, failOn: 'warning' })
      .autoOrient()
      .flatten({ background: '#727272' })
      .toColourspace('srgb')
      .resize(w, h, { fit: 'fill' })
      // Halved colour planes need even sides.
      .extend({ right: w % 2, bottom: h % 2, extendWith: 'copy' })
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true }),
  );
  const yuv = toYuv(data, info.width, info.height, info.channels);
  const frame: SmallFrame = { runId: 'picture', timeMs: 0, widthPx: info.width, heightPx: info.height, yuv };
  return { widthPx, heightPx, frame, scale: { x: widthPx / w, y: heightPx / h } };
}

function isPicture(bytes: Buffer): boolean {
  const starts = (hex: string): boolean => bytes.subarray(0, hex.length / 2).toString('hex') === hex;
  return starts('ffd8ff') || starts('89504e470d0a1a0a') || /^RIFF[^]{4}WEBP/.test(bytes.toString('latin1', 0, 12));
}

async function sizeOf(bytes: Buffer): Promise<Metadata['autoOrient']> {
  return (await sharp(bytes, { limitInputPixels: false }).metadata()).autoOrient;
}

async function decoding<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (thrown) {
    const message = 'Cannot read it: it is damaged or cut off';
    throw new AgentError('corrupt', 'detect/damaged', message, { cause: thrown });
  }
}

/** ITU-R BT.601, limited range, colour averaged over four pixels: what capture delivers. Grey has one channel. */
export function toYuv(rgb: Uint8Array, widthPx: number, heightPx: number, channelCount: number): Uint8Array {
  const lumaBytes = widthPx * heightPx;
  const yuv = new Uint8Array((lumaBytes * 3) / 2);
  const [green, blue] = channelCount >= 3 ? [1, 2] : [0, 0];
  const uAt = lumaBytes;
  const vAt = lumaBytes + lumaBytes / 4;
  for (let y = 0; y < heightPx; y += 2) {
    for (let x = 0; x < widthPx; x += 2) {
      let [r, g, b] = [0, 0, 0];
      for (let corner = 0; corner < 4; corner++) {
        const at = (y + (corner >> 1)) * widthPx + x + (corner & 1);
        const pixel = at * channelCount;
        const [r1, g1, b1] = [rgb[pixel] ?? 0, rgb[pixel + green] ?? 0, rgb[pixel + blue] ?? 0];
        yuv[at] = Math.round(16 + (65.738 * r1 + 129.057 * g1 + 25.064 * b1) / 256);
        r += r1;
        g += g1;
        b += b1;
      }
      const chroma = (y / 2) * (widthPx / 2) + x / 2;
      yuv[uAt + chroma] = Math.round(128 + (-37.945 * r - 74.494 * g + 112.439 * b) / 1024);
      yuv[vAt + chroma] = Math.round(128 + (112.439 * r - 94.154 * g - 18.285 * b) / 1024);
    }
  }
  return yuv;
}
