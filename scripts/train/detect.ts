// One detector in the YOLOX layout, for labelling and measuring: letterbox, run on one thread, decode, suppress.
import { readFileSync } from 'node:fs';
import * as ort from 'onnxruntime-node';
import sharp from 'sharp';

export type Picture = { readonly data: Uint8Array; readonly width: number; readonly height: number };
/** Corners in 0..1 of the picture. */
export type Box = { readonly x0: number; readonly y0: number; readonly x1: number; readonly y1: number };
export type Found = { readonly box: Box; readonly score: number };
export type Detector = {
  readonly inputPx: number;
  readonly milliseconds: number[];
  detect(picture: Picture, floor: number): Promise<Found[]>;
};

const PAD = 114;
const STRIDES = [8, 16, 32];
const NMS_IOU = 0.5;

/** Decodes a file to RGB, stretched to the given size if there is one. */
export async function readPicture(file: string, stretch?: { width: number; height: number }): Promise<Picture> {
  let image = sharp(readFileSync(file)).removeAlpha().toColourspace('srgb');
  if (stretch) image = image.resize(stretch.width, stretch.height, { fit: 'fill' });
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

export function overlap(a: Box, b: Box): number {
  const width = Math.min(a.x1, b.x1) - Math.max(a.x0, b.x0);
  const height = Math.min(a.y1, b.y1) - Math.max(a.y0, b.y0);
  if (width <= 0 || height <= 0) return 0;
  const both = width * height;
  return both / ((a.x1 - a.x0) * (a.y1 - a.y0) + (b.x1 - b.x0) * (b.y1 - b.y0) - both);
}

/** Picture at the top left of a padded square, as BGR planes 0..255. */
async function letterbox(picture: Picture, size: number): Promise<{ planes: Float32Array; scale: number }> {
  const scale = size / Math.max(picture.width, picture.height);
  const width = Math.round(picture.width * scale);
  const height = Math.round(picture.height * scale);
  const raw = { width: picture.width, height: picture.height, channels: 3 as const };
  const small = await sharp(picture.data, { raw })
    .resize(width, height, { fit: 'fill', kernel: 'linear' })
    .raw()
    .toBuffer();
  const planes = new Float32Array(3 * size * size).fill(PAD);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) planes[(2 - c) * size * size + y * size + x] = small[(y * width + x) * 3 + c] ?? 0;
    }
  }
  return { planes, scale };
}

/** Rows of cx, cy, w, h, objectness, first class (the person in COCO's order and in ours). */
function decode(rows: Float32Array, columns: number, size: number, floor: number): { box: Box; score: number }[] {
  const found: { box: Box; score: number }[] = [];
  let at = 0;
  for (const stride of STRIDES) {
    const side = size / stride;
    for (let cell = 0; cell < side * side; cell++, at += columns) {
      const score = (rows[at + 4] ?? 0) * (rows[at + 5] ?? 0);
      if (score < floor) continue;
      const cx = ((rows[at] ?? 0) + (cell % side)) * stride;
      const cy = ((rows[at + 1] ?? 0) + Math.floor(cell / side)) * stride;
      const w = Math.exp(rows[at + 2] ?? 0) * stride;
      const h = Math.exp(rows[at + 3] ?? 0) * stride;
      found.push({ score, box: { x0: cx - w / 2, y0: cy - h / 2, x1: cx + w / 2, y1: cy + h / 2 } });
    }
  }
  return found;
}

function suppress(found: Found[]): Found[] {
  const kept: Found[] = [];
  for (const one of found.toSorted((a, b) => b.score - a.score)) {
    if (kept.every((other) => overlap(one.box, other.box) < NMS_IOU)) kept.push(one);
  }
  return kept;
}

export async function openDetector(file: string, inputPx: number): Promise<Detector> {
  const session = await ort.InferenceSession.create(file, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
  });
  const [input, output] = [session.inputNames[0] ?? '', session.outputNames[0] ?? ''];
  const milliseconds: number[] = [];
  return {
    inputPx,
    milliseconds,
    async detect(picture, floor) {
      const { planes, scale } = await letterbox(picture, inputPx);
      const started = performance.now();
      const result = await session.run({ [input]: new ort.Tensor('float32', planes, [1, 3, inputPx, inputPx]) });
      milliseconds.push(performance.now() - started);
      const tensor = result[output];
      if (!tensor) throw new Error(`${file} gave no output`);
      const clip = (value: number, limit: number) => Math.min(Math.max(value / scale / limit, 0), 1);
      const found = decode(tensor.data as Float32Array, tensor.dims[2] ?? 6, inputPx, floor).map(({ box, score }) => ({
        score,
        box: {
          x0: clip(box.x0, picture.width),
          y0: clip(box.y0, picture.height),
          x1: clip(box.x1, picture.width),
          y1: clip(box.y1, picture.height),
        },
      }));
      return suppress(found);
    },
  };
}
