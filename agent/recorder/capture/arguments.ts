import { AgentError } from '../../base/errors.ts';
import { encoderArguments, type VideoEncoder } from '../../base/video-encoder.ts';
import { maskFilter, type Polygon } from './privacy-mask.ts';
import { type SoundPlan, soundOutput } from './sound.ts';
import type { DetectConfig, RpicamSource, RtspSource, SourceConfig, V4l2Source } from './source.ts';

/**
 * From a source to ffmpeg's argument arrays: pure, no shell, one protocol whitelist and one format whitelist per source,
 * so that no stream can make ffmpeg open anything else.
 */
export interface CopyCommand {
  readonly args: readonly string[];
  /** What process A reads on standard input: nothing, a script known beforehand, or the camera program's output. */
  readonly stdin: 'nothing' | 'script' | 'camera';
  readonly script?: string;
  /** Strings that may never stand in a log. */
  readonly secrets: readonly string[];
}

/** What is burned in before anything leaves process A, and by which encoder: with a mask nothing is ever copied. */
export interface BurnIn {
  readonly masks: readonly Polygon[];
  readonly encoder: VideoEncoder;
}

const quiet = ['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'error'];
// Every time line starts here, so that a first decoding time before zero (reordered pictures) stays positive.
const timeOffsetS = 10;
const fragmentUs = 200_000;
const rtspTimeoutUs = 10_000_000;
// ffmpeg gives an RTSP stream's first packet no presentation time; with reordered pictures that would spoil all others.
const firstTime = 'setts=pts=if(eq(PTS\\,NOPTS)\\,DTS\\,PTS)';
const containerFormats = 'mov,matroska,mpegts,mpeg,avi,flv,h264,hevc';

/** Process A: copies (or, for a camera without an encoder or with a privacy mask, encodes) to fragmented MP4 on standard output; sound to descriptor 3. */
export function copyCommand(source: SourceConfig, sound: SoundPlan = 'none', burnIn?: BurnIn): CopyCommand {
  switch (source.kind) {
    case 'file': {
      const pace = source.pace === 'realtime' ? ['-re'] : [];
      const whitelist = ['-protocol_whitelist', 'file', '-format_whitelist', containerFormats];
      const output = [...videoOutput(['-c:v', 'copy'], burnIn), ...soundOutput(sound, timeOffsetS)];
      return plain([...quiet, ...decoding(burnIn), ...whitelist, ...pace, '-i', `file:${source.path}`, ...output]);
    }
    case 'rtsp':
      return rtspCommand(source, sound, burnIn);
    case 'v4l2':
      return plain([...quiet, ...decoding(burnIn), ...v4l2Input(source), ...videoOutput(v4l2Codec(source), burnIn)]);
    case 'rpicam': {
      // A bare H.264 stream has no times. The time of arrival beats counting pictures: at night the sensor slows down.
      const input = ['-f', 'h264', '-framerate', String(source.fps), '-use_wallclock_as_timestamps', '1'];
      const args = [
        ...quiet,
        ...decoding(burnIn),
        '-protocol_whitelist',
        'pipe',
        '-probesize',
        '65536',
        '-fpsprobesize',
        '0',
        ...input,
        '-i',
        'pipe:0',
      ];
      return { args: [...args, ...videoOutput(['-c:v', 'copy'], burnIn)], stdin: 'camera', secrets: [] };
    }
  }
}

function plain(args: readonly string[]): CopyCommand {
  return { args, stdin: 'nothing', secrets: [] };
}

/** Two threads for a stream that has to be decoded as well. */
function decoding(burnIn: BurnIn | undefined): string[] {
  return burnIn === undefined ? [] : ['-threads', '2'];
}

/** `unmasked`: how the pictures are taken over where nothing has to be burned in. */
function videoOutput(unmasked: readonly string[], burnIn: BurnIn | undefined): string[] {
  if (burnIn === undefined) return copyOutput(unmasked);
  // Every picture keeps its own time; the nominal frame rate of a stream is no promise.
  const times = ['-fps_mode', 'passthrough', '-enc_time_base', '1:90000'];
  return copyOutput(['-vf', maskFilter(burnIn.masks), ...times, ...encoderArguments(burnIn.encoder)]);
}

function copyOutput(codec: readonly string[]): string[] {
  // Without negative_cts_offsets: ffmpeg 5.1 then shifts the first fragment alone, and pictures change places.
  const flags = '+empty_moov+default_base_moof+frag_discont+frag_keyframe';
  return [
    ['-map', '0:v:0', '-an', '-sn', '-dn', ...codec, '-map_metadata', '-1', '-fflags', '+bitexact'],
    ['-avoid_negative_ts', 'disabled', '-output_ts_offset', String(timeOffsetS)],
    ['-movflags', flags, '-frag_duration', String(fragmentUs), '-flush_packets', '1', '-f', 'mp4', 'pipe:1'],
  ].flat();
}

/**
 * An argument vector is readable by every user of the machine, so the address and its password go in by standard input:
 * a one-line play list for ffmpeg's concat demuxer, which opens the RTSP address with the options named there.
 */
function rtspCommand(source: RtspSource, sound: SoundPlan, burnIn: BurnIn | undefined): CopyCommand {
  const address = rtspAddress(source);
  const protocols = source.transport === 'udp' ? 'pipe,rtsp,tcp,udp,rtp' : 'pipe,rtsp,tcp';
  const options: readonly (readonly [string, string])[] = [
    ['rtsp_transport', source.transport],
    ['allowed_media_types', sound === 'none' ? 'video' : 'video+audio'],
    ['timeout', String(rtspTimeoutUs)],
    // Otherwise the start waits for pictures enough to guess the rate, which nobody here asks for.
    ['fpsprobesize', '0'],
    ...(source.transport === 'udp' ? [['buffer_size', '1048576'] as const] : []),
  ];
  const script = [
    'ffconcat version 1.0',
    `file '${address.href}'`,
    ...options.map(([name, value]) => `option ${name} ${value}`),
    '',
  ].join('\n');
  const input = [
    '-f',
    'concat',
    '-safe',
    '0',
    '-protocol_whitelist',
    protocols,
    '-format_whitelist',
    'concat,rtsp,sdp',
  ];
  const codec = ['-c:v', 'copy', '-bsf:v', firstTime];
  const args = [
    ...quiet,
    ...decoding(burnIn),
    ...input,
    '-fpsprobesize',
    '0',
    '-i',
    'pipe:0',
    ...videoOutput(codec, burnIn),
    ...soundOutput(sound, timeOffsetS),
  ];
  const secrets = [address.href, source.password, address.password].filter((s) => s !== undefined && s.length > 0);
  return { args, stdin: 'script', script, secrets: secrets as string[] };
}

function rtspAddress(source: RtspSource): URL {
  const url = URL.canParse(source.url) ? new URL(source.url) : undefined;
  if (
    url === undefined ||
    url.protocol !== 'rtsp:' ||
    url.hostname === '' ||
    url.username !== '' ||
    url.password !== ''
  ) {
    throw new AgentError(
      'config',
      'capture/bad-address',
      'Cannot use the camera address: it must read rtsp://host[:port]/path, with user and password in their own fields',
    );
  }
  // The address stands in single quotes on a line of its own: nothing in it may end them.
  const escape = (text: string): string =>
    encodeURIComponent(text).replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);
  const user = source.username === undefined ? '' : `${escape(source.username)}:${escape(source.password ?? '')}@`;
  const rest = url.href
    .slice('rtsp://'.length)
    .replaceAll("'", '%27')
    .replaceAll(/[\\\s]/g, (c) => encodeURIComponent(c));
  return new URL(`rtsp://${user}${rest}`);
}

function v4l2Input(source: V4l2Source): string[] {
  const format = source.inputFormat === undefined ? [] : ['-input_format', source.inputFormat];
  const size = ['-video_size', `${source.widthPx}x${source.heightPx}`, '-framerate', String(source.fps)];
  return ['-f', 'v4l2', ...format, ...size, '-i', source.device];
}

function v4l2Codec(source: V4l2Source): string[] {
  if (source.inputFormat === 'h264') return ['-c:v', 'copy'];
  const gop = ['-g', String(keyframeIntervalCount(source.fps)), '-pix_fmt', 'yuv420p'];
  if (source.encoder === 'h264_v4l2m2m') return ['-c:v', 'h264_v4l2m2m', '-b:v', '4M', ...gop];
  return ['-c:v', 'libx264', '-preset', 'veryfast', '-tune', 'zerolatency', ...gop];
}

/** A keyframe every two seconds: pre-roll can't be finer, and more often costs bits. */
function keyframeIntervalCount(fps: number): number {
  return Math.max(1, Math.round(fps * 2));
}

/** The Pi camera's own program: H.264 with its parameter sets before every keyframe, on standard output. */
export function cameraCommand(source: RpicamSource): { readonly command: string; readonly args: readonly string[] } {
  return {
    command: source.program ?? 'rpicam-vid',
    args: [
      ['--nopreview', '--timeout', '0', '--codec', 'h264', '--inline', '--flush'],
      ['--width', String(source.widthPx), '--height', String(source.heightPx)],
      ['--framerate', String(source.fps), '--bitrate', String(source.bitrateBps)],
      ['--intra', String(keyframeIntervalCount(source.fps)), '--output', '-'],
    ].flat(),
  };
}

/**
 * Process B: decodes the fragments once, to small raw frames in a fragmented MOV of one frame a fragment, so that every
 * frame keeps its time. Sampling by distance to the last chosen picture: the `fps` filter would show the next one.
 * Leaving out the loop filter saves a fifth of the decoding and costs no sensitivity; averaging by area keeps it.
 */
export function decodeArguments(detect: DetectConfig): string[] {
  // A little less than the interval, so that rounded times don't skip a picture that is due.
  const gapS = (0.95 / detect.fps).toFixed(4);
  const filters = [
    `select='isnan(prev_selected_t)+gte(t-prev_selected_t\\,${gapS})'`,
    `scale=${detect.widthPx}:${detect.heightPx}:flags=area:out_range=tv`,
    'format=yuv420p',
  ].join(',');
  return [
    [...quiet, '-copyts', '-threads', '1', '-skip_loop_filter', 'all'],
    ['-probesize', '4096', '-analyzeduration', '0', '-protocol_whitelist', 'pipe', '-f', 'mp4', '-i', 'pipe:0'],
    ['-map', '0:v:0', '-filter_threads', '1', '-vf', filters, '-fps_mode', 'passthrough'],
    // Otherwise times are rounded to the nominal frame rate, which no camera keeps exactly.
    // The raw "encoder" is threaded as well and would hold back a frame for every thread.
    [
      '-c:v',
      'rawvideo',
      '-threads',
      '1',
      '-enc_time_base',
      '1:90000',
      '-avoid_negative_ts',
      'disabled',
      '-flush_packets',
      '1',
    ],
    ['-movflags', '+frag_every_frame+empty_moov+default_base_moof+frag_discont', '-f', 'mov', 'pipe:1'],
  ].flat();
}

/** Bytes of one frame: planar YUV 4:2:0. */
export function frameBytes(detect: DetectConfig): number {
  return (detect.widthPx * detect.heightPx * 3) / 2;
}
