import { execFile } from 'node:child_process';

/**
 * Which H.264 encoder works on this machine: a hardware one if it passes, else libx264. Being listed by ffmpeg says nothing,
 * so each is tried on a moving picture with a still patch: what comes back must decode, and the patch must be what went in.
 */
export type VideoEncoder = 'h264_v4l2m2m' | 'libx264';

const candidates: readonly VideoEncoder[] = ['h264_v4l2m2m', 'libx264'];
const trialMs = 15_000;
const [widthPx, heightPx, frameCount] = [640, 368, 12];
const patch = { x: 320, y: 160, w: 160, h: 96 };
const maxOff = 3;

/** Two threads: on a board of four cores the rest of the recorder goes on. */
const threadCount = '2';
const keyframeIntervalS = 2;

/** Encodes as it comes, never more than two seconds from one keyframe to the next, whatever the frame rate. */
export function encoderArguments(encoder: VideoEncoder): string[] {
  const keyframes = `expr:if(isnan(prev_forced_t),1,gte(t,prev_forced_t+${keyframeIntervalS}))`;
  const codec =
    encoder === 'libx264'
      ? ['-preset', 'ultrafast', '-tune', 'zerolatency', '-threads', threadCount, '-crf', '23', '-maxrate', '6M', '-bufsize', '6M']
      : ['-b:v', '4M']; // biome-ignore format: a list
  // Units of type 6 name the encoder and its settings, and so does the track: nobody who gets a picture needs to know.
  const unnamed = ['-flags:v', '+bitexact', '-bsf:v', 'filter_units=remove_types=6', '-metadata:s:v', 'encoder= '];
  return ['-c:v', encoder, ...codec, '-g', '600', '-force_key_frames', keyframes, ...unnamed];
}

/** The first that passes; undefined when none does. */
export async function findVideoEncoder(
  ffmpegPath: string,
  wanted: readonly VideoEncoder[] = candidates,
): Promise<VideoEncoder | undefined> {
  for (const encoder of wanted) if (await passes(ffmpegPath, encoder)) return encoder;
  return undefined;
}

async function passes(ffmpegPath: string, encoder: VideoEncoder): Promise<boolean> {
  const quiet = ['-hide_banner', '-nostats', '-loglevel', 'error'];
  const { x, y, w, h } = patch;
  const filter = `format=yuv420p,drawbox=x=${x}:y=${y}:w=${w}:h=${h}:color=gray:t=fill`;
  const picture = `testsrc2=size=${widthPx}x${heightPx}:rate=12:duration=1`;
  const trial = [...quiet, '-f', 'lavfi', '-i', picture, '-vf', filter, ...encoderArguments(encoder)];
  const muxing = ['-movflags', '+empty_moov+default_base_moof+frag_keyframe', '-f', 'mp4', 'pipe:1'];
  const made = await run(ffmpegPath, [...trial, ...muxing]);
  if (made === undefined) return false;
  const inner = `crop=${w}:${h}:${x}:${y},format=gray`;
  const seen = await run(
    ffmpegPath,
    [...quiet, '-f', 'mp4', '-i', 'pipe:0', '-vf', inner, '-fps_mode', 'passthrough', '-f', 'rawvideo', 'pipe:1'],
    made,
  );
  if (seen?.length !== w * h * frameCount) return false;
  // Not the edge: how far a block's border bleeds is for the mask's margin to bear.
  return seen.every((value, at) => {
    const [column, row] = [at % w, Math.floor(at / w) % h];
    const inside = column >= 16 && column < w - 16 && row >= 16 && row < h - 16;
    return !inside || Math.abs(value - fillLuma) <= maxOff;
  });
}

/** What ffmpeg's "gray" is in limited range. */
export const fillLuma = 126;

/** Undefined when it failed, hung, or could not be started. */
function run(ffmpegPath: string, args: readonly string[], input?: Buffer): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const child = execFile(
      ffmpegPath,
      args,
      {
        encoding: 'buffer',
        timeout: trialMs,
        killSignal: 'SIGKILL',
        maxBuffer: 64 << 20,
        env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C.UTF-8' },
      },
      (error, stdout) => resolve(error === null ? stdout : undefined),
    );
    // It may be gone before it has read everything; its exit says so.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}
