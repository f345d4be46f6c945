/** Decodes a clip to small pictures, every one of them, in the orientation in which a player shows it. */
import { runPipes } from './ffmpeg-pipes.ts';
import type { Turns } from './video-init.ts';

export interface SmallPictures {
  readonly widthPx: number;
  readonly heightPx: number;
}

/** Wide enough for the person model to see somebody at the street. */
const widestPx = 640;

/** Even sides, the shape kept; a picture that is small already stays as it is. */
export function smallSize(widthPx: number, heightPx: number): SmallPictures {
  const scale = Math.min(1, widestPx / Math.max(widthPx, heightPx));
  const even = (side: number): number => Math.max(16, 2 * Math.round((side * scale) / 2));
  return { widthPx: even(widthPx), heightPx: even(heightPx) };
}

export interface SmallPictureJob extends SmallPictures {
  readonly ffmpegPath: string;
  /** Quarter turns clockwise by which a player turns the picture; the size is that of the turned one. */
  readonly turns: Turns;
  /** Initialisation segment and fragments. */
  readonly input: readonly Uint8Array[];
  readonly signal?: AbortSignal | undefined;
}

/**
 * Turned here and not by ffmpeg: that also follows what the pictures themselves say about how the camera hangs, which no
 * player does, nor does who fills them, and what is found would be filled in another place.
 */
const turned = ['', ',transpose=clock', ',hflip,vflip', ',transpose=cclock'] as const;

/**
 * Planar 4:2:0; the buffer is overwritten by the next picture. The generator's value is the pixel format of the source as
 * ffmpeg names it.
 */
export async function* decodeSmall(job: SmallPictureJob): AsyncGenerator<Buffer, string | undefined> {
  const { widthPx, heightPx, turns } = job;
  const picture = Buffer.alloc((widthPx * heightPx * 3) / 2);
  let filled = 0;
  const [codedPx, codedHighPx] = turns % 2 === 1 ? [heightPx, widthPx] : [widthPx, heightPx];
  const scaled = `scale=${codedPx}:${codedHighPx}:flags=area:out_range=tv,format=yuv420p${turned[turns]}`;
  await using output = runPipes({
    ...job,
    args: [
      '-skip_loop_filter',
      'all',
      '-noautorotate',
      '-f',
      'mp4',
      '-i',
      'pipe:0',
      '-an',
      '-vf',
      scaled,
      '-fps_mode',
      'passthrough',
      '-f',
      'rawvideo',
      'pipe:1',
    ],
  });
  for (;;) {
    const { value, done } = await output.next();
    if (done === true) return pixelFormatOf(value);
    for (let at = 0; at < value.length; ) {
      const taken = value.copy(picture, filled, at);
      at += taken;
      filled += taken;
      if (filled < picture.length) continue;
      filled = 0;
      yield picture;
    }
  }
}

/** `Stream #0:0…: Video: h264 (High) (avc1 / 0x31637661), yuv420p(tv, bt709, progressive), 1920x1080 …`, the input's first. */
function pixelFormatOf(lines: readonly string[]): string | undefined {
  const line = lines.find((text) => /Stream #0:\d.*: Video: /.test(text));
  return line && / (yuvj?4\d\dp[\w]*|nv12|gray\w*)[,( ]/.exec(line)?.[1];
}
