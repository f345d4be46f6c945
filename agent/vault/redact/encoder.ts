/** Encodes a run of pictures anew with cells filled: ffmpeg decodes, fills, and encodes; only cells and bytes pass through here. */
import { AgentError } from '../../base/errors.ts';
import type { VideoEncoder } from '../../base/video-encoder.ts';
import type { CellGrid, Cells } from './cells.ts';
import { runPipes } from './ffmpeg-pipes.ts';
import { type EncodedPicture, readEncoded } from './h264-units.ts';

export interface EncodeJob {
  readonly ffmpegPath: string;
  /** Initialisation segment and fragments that begin with a keyframe. */
  readonly input: readonly Uint8Array[];
  /** Of the picture as coded, one for each picture in the order of showing. */
  readonly cells: readonly Cells[];
  readonly grid: CellGrid;
  readonly widthPx: number;
  readonly heightPx: number;
  /** Nominal: the encoder reckons with it, the times of the pictures are kept by who asks. */
  readonly picturesPerSecond: number;
  readonly fullRange: boolean;
  /** The processor's where none is named. */
  readonly encoder?: VideoEncoder;
  /** Of the parameter sets, so that they stand beside those of the recording: 0 to 31. Hardware encoders take their own. */
  readonly setId: number;
  /** What may come out at most. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface Encoded {
  /** As many as were asked for, the first one a keyframe, in the order of showing, which is that of decoding. */
  readonly pictures: readonly EncodedPicture[];
  readonly sequenceSets: readonly Uint8Array[];
  readonly pictureSets: readonly Uint8Array[];
}

/** libx264's names; no B-pictures, so that pictures come out in the order in which they went in. */
export const quality = ['-preset', 'fast', '-crf', '23', '-bf', '0'];
const keyframeSeconds = 2;

/** Hardware encoders know no quality, only a rate: generous, since what is shown must stay recognisable. */
const bitsPerPixel = 0.15;
const leastBitsPerSecond = 1_000_000;

function codecOf({ encoder = 'libx264', setId, widthPx, heightPx, picturesPerSecond }: EncodeJob): string[] {
  if (encoder === 'libx264') return [encoder, ...quality, '-x264-params', `sps-id=${setId}:aud=1:repeat-headers=1`];
  const rate = Math.max(leastBitsPerSecond, Math.round(bitsPerPixel * widthPx * heightPx * picturesPerSecond));
  return [encoder, '-b:v', String(rate), '-bf', '0', '-bsf:v', 'h264_metadata=aud=insert'];
}

/** Throws `redact/ffmpeg`, `redact/too-large`, `redact/lost-pictures`, or the signal's reason. */
export async function encodeFilled(job: EncodeJob): Promise<Encoded> {
  const { grid, widthPx: w, heightPx: h, picturesPerSecond: rate, cells } = job;
  const format = job.fullRange ? 'yuvj420p' : 'yuv420p';
  const seconds = cells.length / rate;
  const graph = [
    // Pictures and cells are joined by their number, whatever the recording says about times.
    `[0:v]settb=1/${rate},setpts=N,format=${format}[picture]`,
    `[1:v]scale=${grid.cols * 16}:${grid.rows * 16}:flags=neighbor,crop=${w}:${h}:0:0[where]`,
    `color=black:size=${w}x${h}:rate=${rate}:duration=${seconds},format=${format}[fill]`,
    '[picture][fill][where]maskedmerge',
  ].join(';');
  await using output = runPipes({
    ffmpegPath: job.ffmpegPath,
    input: job.input,
    extra: masks(cells, grid),
    signal: job.signal,
    // biome-ignore format: pairs
    args: [
      '-noautorotate', '-f', 'mp4', '-i', 'pipe:0',
      '-f', 'rawvideo', '-pixel_format', format, '-video_size', `${grid.cols * 2}x${grid.rows * 2}`,
      '-framerate', String(rate), '-i', 'pipe:3', '-filter_complex', graph,
      '-an', '-frames:v', String(cells.length), '-fps_mode', 'passthrough', '-enc_time_base', `1:${rate}`,
      '-c:v', ...codecOf(job), '-g', String(keyframeSeconds * rate), '-f', 'h264', 'pipe:1',
    ],
  });
  const chunks: Buffer[] = [];
  let bytes = 0;
  let said: readonly string[] = [];
  for (;;) {
    const { value, done } = await output.next();
    if (done === true) {
      said = value;
      break;
    }
    chunks.push(value);
    bytes += value.length;
    if (bytes > (job.maxBytes ?? maxEncodedBytes)) {
      throw new AgentError(
        'refused',
        'redact/too-large',
        'Cannot redact the clip: it becomes larger than a share may be',
      );
    }
  }
  // Where a picture is lost, ffmpeg repeats the last one for the remaining cells: what comes out can't be counted.
  const decoded = decodedCount(said);
  if (decoded !== cells.length) throw lostPictures(decoded, cells.length);
  const encoded = readEncoded(Buffer.concat(chunks));
  if (encoded.pictures.length !== cells.length || encoded.pictures[0]?.key !== true) {
    throw lostPictures(encoded.pictures.length, cells.length);
  }
  return encoded;
}

/** `Input stream #0:0 (video): 180 packets read (9 bytes); 180 frames decoded;` */
function decodedCount(lines: readonly string[]): number {
  const line = lines.findLast((text) => text.includes('Input stream #0:0'));
  return Number(/(\d+) frames decoded/.exec(line ?? '')?.[1] ?? 0);
}

const maxEncodedBytes = 256 * 1024 * 1024;

/** Pictures are told apart by their place in the clip: if one doesn't decode, nobody knows which is which. */
export function lostPictures(got: number, wanted: number): AgentError {
  return new AgentError(
    'refused',
    'redact/lost-pictures',
    `Cannot redact the clip: ${got} of its ${wanted} pictures can be decoded. Leave it out, or share it as it is`,
    { detail: { got, wanted } },
  );
}

/** A small 4:2:0 picture for each: four bright samples and two colour samples a cell. */
function* masks(cells: readonly Cells[], { cols, rows }: CellGrid): Generator<Uint8Array> {
  const levels = 255;
  for (const filled of cells) {
    const luma = 4 * cols * rows;
    const mask = new Uint8Array(luma + 2 * cols * rows);
    for (let at = 0; at < filled.length; at++) {
      if (filled[at] === 0) continue;
      const [x, y] = [at % cols, Math.floor(at / cols)];
      const corner = 4 * y * cols + 2 * x;
      mask.fill(levels, corner, corner + 2);
      mask.fill(levels, corner + 2 * cols, corner + 2 * cols + 2);
      mask[luma + at] = levels;
      mask[luma + cols * rows + at] = levels;
    }
    yield mask;
  }
}
