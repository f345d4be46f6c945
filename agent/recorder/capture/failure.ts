import type { ChildExit } from '../../base/child.ts';
import { AgentError } from '../../base/errors.ts';
import { badStream } from './box-splitter.ts';
import type { SoundPlan } from './sound.ts';
import { isLive, type SourceConfig } from './source.ts';

/** Why process A ended, from what it leaves behind. Pure. */
export interface CopyEnd {
  readonly exit: ChildExit;
  /** Its last lines on standard error. They may hold addresses: they are searched here and go nowhere. */
  readonly lines: readonly string[];
  readonly fragmentCount: number;
  readonly sound?: SoundPlan;
}

/** Order matters: a camera that refuses the password also "fails to open". */
const patterns: readonly (readonly [RegExp, (what: string) => AgentError])[] = [
  [/401 Unauthorized|403 Forbidden|authorization failed/i, unauthorised],
  [/Invalid data found|moov atom not found|not on whitelist/i, notVideo],
  [/Stream map '0:v:0' matches no streams|Could not find codec parameters|does not contain any stream/i, notVideo],
];

const unknownFormat = /codec not currently supported in container|Could not find tag for codec/i;

/** Undefined: the file has been read to its end. A live source has no end. */
export function judgeEnd(source: SourceConfig, end: CopyEnd): AgentError | undefined {
  const what = names[source.kind];
  if (end.exit.startError !== undefined) {
    return new AgentError(
      'unavailable',
      'base/ffmpeg-missing',
      'Cannot start ffmpeg: it is no longer where it was found',
      {
        cause: end.exit.startError,
      },
    );
  }
  if (end.fragmentCount > 0) {
    if (!isLive(source) && end.exit.status === 0) return undefined;
    return new AgentError('unavailable', 'capture/source-ended', `Cannot go on reading ${what}: it stopped sending`);
  }
  const text = end.lines.join('\n');
  const match = patterns.find(([pattern]) => pattern.test(text));
  if (match !== undefined) return match[1](what);
  if (/Stream map '0:a:0' matches no streams/.test(text)) return noSound(what);
  // Whether it was the video that can't be copied shows when the sound is encoded.
  if (unknownFormat.test(text)) return end.sound === 'copy' ? soundFormat('copy') : notVideo(what);
  if (end.exit.status === 0 && !isLive(source)) return notVideo(what);
  return sourceMissing(what);
}

const names: Record<SourceConfig['kind'], string> = {
  file: 'the video file',
  rtsp: 'the RTSP camera',
  v4l2: 'the V4L2 camera',
  rpicam: 'the Pi camera',
};

export function sourceMissing(what: string): AgentError {
  return new AgentError(
    'unavailable',
    'capture/source-missing',
    `Cannot open ${what}: it is not there or does not answer`,
  );
}

function unauthorised(what: string): AgentError {
  return new AgentError('refused', 'capture/unauthorised', `Cannot open ${what}: it refuses the user name or password`);
}

function notVideo(what: string): AgentError {
  return badStream(`${what} has no H.264 or H.265 video that ffmpeg can read`);
}

function noSound(what: string): AgentError {
  return new AgentError('unavailable', 'capture/no-sound', `Cannot record sound: ${what} sends none`);
}

/** Told to whoever plans the next run; only the last plan's failure is a failure. */
export function soundFormat(plan: SoundPlan): AgentError {
  const how = plan === 'copy' ? 'copied' : 'encoded';
  return new AgentError('unavailable', 'capture/sound-format', `Cannot record sound: it can't be ${how}`);
}

export function noEncoder(): AgentError {
  return new AgentError(
    'config',
    'capture/no-encoder',
    'Cannot record with a privacy mask: ffmpeg has no H.264 encoder that works here, and without one nothing is masked',
  );
}

export function stalled(): AgentError {
  return new AgentError('unavailable', 'capture/stalled', 'Cannot go on reading the camera: it has gone silent');
}

export function clockStepped(): AgentError {
  return new AgentError('unavailable', 'capture/clock-stepped', 'Cannot keep the run: the wall clock was set');
}
