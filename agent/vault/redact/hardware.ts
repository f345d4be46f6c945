/**
 * Encoding by the hardware of the board. What comes out is believed only after every picture was decoded and every filled
 * cell looked at: a driver may lose pictures, or smear what is beside a filled cell into it.
 */
import { AgentError } from '../../base/errors.ts';
import type { VideoEncoder } from '../../base/video-encoder.ts';
import type { CellGrid, Cells } from './cells.ts';
import { type Encoded, type EncodeJob, encodeFilled } from './encoder.ts';
import { runPipes } from './ffmpeg-pipes.ts';
import { renumber } from './renumber.ts';

/** Undefined when it can't be done so, whatever the reason: then the processor does it. Throws the signal's reason. */
export async function encodeInHardware(job: EncodeJob, encoder: VideoEncoder): Promise<Encoded | undefined> {
  // What such an encoder writes about the range of its levels can't be told.
  if (job.fullRange) return undefined;
  try {
    const encoded = renumber(await encodeFilled({ ...job, encoder }), job.setId);
    return encoded !== undefined && (await isFilled(encoded, job)) ? encoded : undefined;
  } catch (thrown) {
    job.signal?.throwIfAborted();
    if (thrown instanceof AgentError) return undefined;
    throw thrown;
  }
}

async function isFilled(encoded: Encoded, job: EncodeJob): Promise<boolean> {
  const { widthPx: w, heightPx: h, cells, grid } = job;
  const output = runPipes({
    ffmpegPath: job.ffmpegPath,
    input: [...unitsOf(encoded)].flatMap((unit) => [startCode, unit]),
    signal: job.signal,
    // biome-ignore format: pairs
    args: [
      '-f', 'h264', '-i', 'pipe:0', '-fps_mode', 'passthrough', '-pix_fmt', 'yuv420p', '-f', 'rawvideo', 'pipe:1',
    ],
  });
  const planes = planesOf(w, h);
  const picture = Buffer.alloc(planes.reduce((sum, plane) => sum + plane.width * plane.height, 0));
  let [taken, number] = [0, 0];
  for await (const chunk of output) {
    for (let at = 0; at < chunk.length; ) {
      const count = chunk.copy(picture, taken, at);
      at += count;
      taken += count;
      if (taken < picture.length) continue;
      taken = 0;
      const filled = cells[number++];
      if (filled === undefined || !holdsFill(picture, filled, grid, planes)) return false;
    }
  }
  return number === cells.length && taken === 0;
}

const startCode = Buffer.from([0, 0, 0, 1]);

function* unitsOf({ sequenceSets, pictureSets, pictures }: Encoded): Generator<Uint8Array> {
  yield* sequenceSets;
  yield* pictureSets;
  for (const { units } of pictures) yield* units;
}

interface Plane {
  readonly start: number;
  readonly width: number;
  readonly height: number;
  /** Side of a cell in it, and how far the decoder's smoothing of block borders reaches. */
  readonly side: number;
  readonly border: number;
  readonly level: number;
}

function planesOf(w: number, h: number): readonly Plane[] {
  const half = { width: w / 2, height: h / 2, side: 8, border: 2, level: 128 };
  return [
    { start: 0, width: w, height: h, side: 16, border: 4, level: 16 },
    { ...half, start: w * h },
    { ...half, start: (w * h * 5) / 4 },
  ];
}

/** Levels from black at most, as in the pictures that are received. */
const tolerance = 3;

function holdsFill(picture: Uint8Array, cells: Cells, grid: CellGrid, planes: readonly Plane[]): boolean {
  for (let at = 0; at < cells.length; at++) {
    if (cells[at] === 0) continue;
    const [column, row] = [at % grid.cols, Math.floor(at / grid.cols)];
    const isFree = (dx: number, dy: number): boolean => {
      const [x, y] = [column + dx, row + dy];
      return x >= 0 && y >= 0 && x < grid.cols && y < grid.rows && cells[y * grid.cols + x] === 0;
    };
    const free = { left: isFree(-1, 0), right: isFree(1, 0), above: isFree(0, -1), below: isFree(0, 1) };
    for (const { start, width, height, side, border, level } of planes) {
      const x1 = Math.min(width, (column + 1) * side) - (free.right ? border : 0);
      const y1 = Math.min(height, (row + 1) * side) - (free.below ? border : 0);
      for (let y = row * side + (free.above ? border : 0); y < y1; y++)
        for (let x = column * side + (free.left ? border : 0); x < x1; x++)
          if (Math.abs((picture[start + y * width + x] ?? 0) - level) > tolerance) return false;
    }
  }
  return true;
}
