/** What `doctor` looks at for each camera: pictures, keyframes, sound of health, its model, what is kept, what a mask costs. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { ControlClient } from '../base/control.ts';
import { asAgentError } from '../base/errors.ts';
import { silentLog } from '../base/log.ts';
import { encoderArguments } from '../base/video-encoder.ts';
import type { CameraConfig, Config } from '../config/schema.ts';
import { resolveSource } from '../config/source.ts';
import { startCapture } from '../recorder/capture/capture.ts';
import { maskFilter, type Polygon } from '../recorder/capture/privacy-mask.ts';
import { embeddedModels, ownModel } from '../recorder/person/model.ts';
import { probeModel } from '../recorder/person/probe.ts';
import type { Run } from '../recorder/stages.ts';
import { ClipsReader } from '../store/clips-reader.ts';
import { bad, type Finding, good, poor } from './doctor-finding.ts';
import type { Ffmpeg } from './doctor-machine.ts';
import { byteSize, counted, seconds } from './terminal-text.ts';

const lookMs = 12_000;
const wantedKeyframes = 3;
const staleMs = 15_000;

interface Stream {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly fps: number;
  /** Longest seen; undefined when no two keyframes came. */
  readonly gopMs: number | undefined;
}

/** The running recorder has the camera; asking it costs nothing. Undefined when none runs. */
async function askRecorder(config: Config, id: string): Promise<Finding | undefined> {
  try {
    using client = await ControlClient.connect(join(config.dataDir, 'run', `recorder-${id}.sock`));
    const status = (await client.call('status', {})) as Partial<Record<string, unknown>>;
    const { state, fragmentAgeMs, problem } = status;
    const about = `camera ${id}`;
    const age = typeof fragmentAgeMs === 'number' ? fragmentAgeMs : undefined;
    if (typeof problem === 'string') {
      return bad(
        about,
        `recording is in trouble: ${problem}`,
        'see the log of the recorder; "latchkey check" looks at the clips',
      );
    }
    if (age === undefined || age > staleMs) {
      return bad(
        about,
        `the recorder runs, and no picture arrives (${String(state)})`,
        'look at its power, its cable, its address and its password',
      );
    }
    return good(about, `recording; the newest part is ${seconds(age)} old`, { fragmentAgeMs: age });
  } catch {
    return undefined;
  }
}

/** Reads the camera for some seconds, as a recorder would, and keeps nothing. */
async function readStream(camera: CameraConfig, ffmpegPath: string): Promise<Stream> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), lookMs);
  const keyframes: number[] = [];
  const pictures = { count: 0, durationMs: 0 };
  let run: Run | undefined;
  const source = resolveSource(camera.source);
  const capture = startCapture(
    {
      source: source.kind === 'file' ? { ...source, pace: 'fast', loop: false } : source,
      detect: null,
      ffmpegPath,
      clock: systemClock,
      log: silentLog,
      signal: stop.signal,
      restart: false,
    },
    {
      onRun: (begun) => {
        run = begun;
      },
      onFragment: ({ keyframe, startMs, durationMs, pictureCount }) => {
        pictures.count += pictureCount;
        pictures.durationMs += durationMs;
        if (keyframe) keyframes.push(startMs);
        if (keyframes.length >= wantedKeyframes) stop.abort();
      },
      onFrame: () => {},
      onAnchor: () => {},
      onRunEnd: () => {},
      onState: () => {},
    },
  );
  const problem = await capture.done.then(() => undefined, asAgentError);
  clearTimeout(timer);
  if (run === undefined || pictures.durationMs === 0) {
    throw problem ?? new Error('it sent no picture in time');
  }
  const gaps = keyframes.slice(1).map((startMs, i) => startMs - (keyframes[i] ?? 0));
  return {
    widthPx: run.widthPx,
    heightPx: run.heightPx,
    fps: Math.round((pictures.count * 10_000) / pictures.durationMs) / 10,
    gopMs: gaps.length === 0 ? undefined : Math.max(...gaps),
  };
}

export async function lookAtCamera(
  config: Config,
  camera: CameraConfig,
  ffmpeg: Ffmpeg | undefined,
): Promise<{ findings: Finding[]; stream: Stream | undefined }> {
  const about = `camera ${camera.id}`;
  const running = await askRecorder(config, camera.id);
  if (running !== undefined) return { findings: [running], stream: undefined };
  if (ffmpeg === undefined) return { findings: [], stream: undefined };
  let stream: Stream;
  try {
    stream = await readStream(camera, ffmpeg.path);
  } catch (thrown) {
    const { message } = asAgentError(thrown);
    return {
      findings: [bad(about, message, 'look at its power, its cable, its address and its password')],
      stream: undefined,
    };
  }
  const { widthPx, heightPx, fps, gopMs } = stream;
  const size = `answers: ${widthPx}x${heightPx}, ${fps} pictures a second`;
  const figures = { widthPx, heightPx, fps, ...(gopMs === undefined ? {} : { gopMs }) };
  const masked = camera.privacyMasks.length > 0;
  if (masked) return { findings: [good(about, `${size}; encoded anew with a keyframe every 2 s`, figures)], stream };
  if (gopMs === undefined || gopMs > 5000) {
    const how = gopMs === undefined ? `no two keyframes in ${seconds(lookMs)}` : `a keyframe every ${seconds(gopMs)}`;
    const what = `${size}, ${how}: a clip can begin that much earlier than its pre-roll, and a cut is that coarse`;
    return {
      findings: [poor(about, what, 'set the keyframe (I-frame) interval of the camera to 2 s', figures)],
      stream,
    };
  }
  const what = `${size}, a keyframe every ${seconds(gopMs)}: pre-roll is exact to that`;
  return { findings: [good(about, what, figures)], stream };
}

export async function lookAtModel({ id, person: { model }, clip }: CameraConfig): Promise<Finding[]> {
  const about = `model of ${id}`;
  if (model === 'off') {
    const advice = 'set "person.model" to "embedded", or "clip.mode" to "motion" if every motion is wanted';
    return clip.mode === 'person'
      ? [poor(about, 'off, and yet clips are to be of people: every motion is recorded', advice)]
      : [];
  }
  const chosen = model === 'embedded' ? embeddedModels()[0] : ownModel(model);
  if (chosen === undefined)
    return [bad(about, 'this package brings no model', 'install it anew, or name a model of your own')];
  try {
    const { runMs, inputPx } = await probeModel({ model: chosen });
    const figures = { runMs: Math.round(runMs * 10) / 10, inputPx };
    return [good(about, `loads; one look at ${inputPx}x${inputPx} takes ${figures.runMs} ms here`, figures)];
  } catch (thrown) {
    return [
      bad(about, asAgentError(thrown).message, 'see "latchkey models check"; until then every motion is recorded'),
    ];
  }
}

/** What is kept, and how much of it nothing may push out. */
export function lookAtClips({ dataDir, retention }: Config, id: string): Finding[] {
  const path = join(dataDir, 'cameras', id, 'clips.db');
  const about = `clips of ${id}`;
  if (!existsSync(path)) return [];
  try {
    using reader = ClipsReader.open(path);
    const clips = reader.listClips();
    const bytesOf = (which: typeof clips): number => which.reduce((sum, { bytes }) => sum + bytes, 0);
    const pinnedBytes = bytesOf(clips.filter(({ pinned }) => pinned));
    const heldBytes = bytesOf(clips.filter(({ pinned, holdUntilS }) => !pinned && holdUntilS > 0));
    const share = (pinnedBytes + heldBytes) / retention.maxBytes;
    const figures = { clipCount: clips.length, bytes: bytesOf(clips), pinnedBytes, heldBytes };
    const oldest = clips.map(({ day }) => day).toSorted()[0];
    const kept = `${counted(clips.length, 'clip')}, ${byteSize(figures.bytes)}${oldest === undefined ? '' : ` since ${oldest}`}`;
    const what = `${kept}; pinned by you ${byteSize(pinnedBytes)}, held for open requests ${byteSize(heldBytes)}: ${Math.round(share * 100)} % of the quota`;
    if (share <= 0.5) return [good(about, what, figures)];
    return [
      poor(
        about,
        `${what}; the rest has to live in what is left`,
        'unpin what you no longer need ("latchkey clips unpin"), or raise "retention.maxBytes"',
        figures,
      ),
    ];
  } catch (thrown) {
    return [bad(about, asAgentError(thrown).message, 'latchkey check')];
  }
}

const trialS = 4;

/** Decodes, fills and encodes some seconds like the camera's; processor time a second of video, in per cent of one core. */
export function measureMask(
  ffmpeg: Ffmpeg,
  size: { widthPx: number; heightPx: number; fps: number },
  masks: readonly Polygon[],
): number | undefined {
  if (ffmpeg.encoder === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-doctor-'));
  try {
    const path = join(folder, 'trial.mp4');
    const picture = `testsrc2=size=${size.widthPx}x${size.heightPx}:rate=${size.fps}:duration=${trialS}`;
    const quiet = ['-hide_banner', '-nostdin', '-nostats'];
    const made = spawnSync(ffmpeg.path, [
      ...quiet,
      '-loglevel',
      'error',
      '-f',
      'lavfi',
      '-i',
      picture,
      ...encoderArguments(ffmpeg.encoder),
      '-pix_fmt',
      'yuv420p',
      '-y',
      path,
    ]);
    if (made.status !== 0) return undefined;
    const options = ['-loglevel', 'info', '-benchmark', '-threads', '2', '-i', path, '-vf', maskFilter(masks)];
    const timed = spawnSync(
      ffmpeg.path,
      [...quiet, ...options, ...encoderArguments(ffmpeg.encoder), '-f', 'null', '-'],
      { encoding: 'utf8' },
    );
    const [, user = '', system = ''] = /bench: utime=([\d.]+)s stime=([\d.]+)s/.exec(timed.stderr) ?? [];
    const usedS = Number(user) + Number(system);
    return timed.status === 0 && usedS > 0 ? Math.round((usedS / trialS) * 100) : undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const quarter: Polygon = [[0, 0], [0.5, 0], [0.5, 0.5], [0, 0.5]]; // biome-ignore format: one polygon
const usual = { widthPx: 1920, heightPx: 1080, fps: 15 };

export function lookAtMask(camera: CameraConfig, ffmpeg: Ffmpeg, stream: Stream | undefined): Finding[] {
  const { source, privacyMasks, id } = camera;
  const size = stream ?? ('widthPx' in source ? source : usual);
  const percent = measureMask(ffmpeg, size, privacyMasks.length > 0 ? privacyMasks : [quarter]);
  if (percent === undefined) return [];
  const about = `mask of ${id}`;
  const figures = { percentOfOneCore: percent };
  const cost = `${percent} % of one core, measured here at ${size.widthPx}x${size.heightPx} and ${size.fps} pictures a second`;
  if (privacyMasks.length === 0) return [good(about, `none is set; one would cost ${cost}`, figures)];
  if (percent <= 100)
    return [good(about, `${privacyMasks.length} set, burned in before anything is stored; it costs ${cost}`, figures)];
  const advice = 'let the camera send a smaller picture or fewer a second';
  return [
    bad(about, `${privacyMasks.length} set, and encoding is too slow for this machine: ${cost}`, advice, figures),
  ];
}
