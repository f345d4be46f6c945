/** `latchkey watch`: the whole seeing pipeline on one stream, as fast as it can be read; nothing is stored. */
import { basename, resolve } from 'node:path';
import type { Command } from 'commander';
import { systemClock } from '../base/clock.ts';
import { AgentError } from '../base/errors.ts';
import { createLog, silentLog } from '../base/log.ts';
import { parseCamera } from '../config/loader.ts';
import type { CameraConfig, Config } from '../config/schema.ts';
import type { Observation } from '../recorder/observe.ts';
import type { SeenEvent } from '../recorder/sightings.ts';
import { type ConfigOption, openConfig, withConfigOption } from './discovery.ts';
import { requireDrawable, writeDrawing } from './drawing.ts';
import { parseZone, type Zones } from './init-answers.ts';
import { type CliIo, note, say } from './io.ts';
import { wholeChoice } from './model-choice.ts';
import { example } from './program-line.ts';
import { withStopSignals } from './stop-signals.ts';
import { byteSize, seconds } from './terminal-text.ts';

interface WatchOption extends ConfigOption {
  readonly camera?: string;
  readonly username?: string;
  readonly passwordFile?: string;
  readonly mode?: string;
  readonly model?: string;
  readonly sha256?: string;
  readonly threshold?: string;
  readonly sensitivity?: string;
  readonly zone?: Zones;
  readonly postRoll?: string;
  readonly fps?: string;
  readonly size?: string;
  readonly for?: string;
  readonly draw?: string;
  readonly json?: boolean;
}

interface Watched {
  readonly camera: CameraConfig;
  readonly ffmpegPath: string | undefined;
}

function sourceOf(text: string, { username, passwordFile }: WatchOption): unknown {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    return {
      kind: 'rtsp',
      url: text,
      ...(username === undefined ? {} : { username }),
      ...(passwordFile === undefined ? {} : { passwordFile }),
    };
  }
  return { kind: 'file', path: text.startsWith('file:') ? text.slice(5) : text };
}

function modelOf({ model, sha256 }: WatchOption): unknown {
  if (model === undefined && sha256 === undefined) return undefined;
  return model === 'embedded' || model === 'off' ? model : wholeChoice({ ...(model && { model }), ...(sha256 && { sha256 }) }); // biome-ignore format: one choice
}

function sizeOf(text: string | undefined): { widthPx?: number; heightPx?: number } {
  if (text === undefined) return {};
  const [, width, height] = /^(\d{1,5})x(\d{1,5})$/.exec(text) ?? [];
  if (width === undefined || height === undefined) {
    throw new AgentError('usage', 'watch/bad-size', 'Cannot use that --size: expected WIDTHxHEIGHT such as 640x360');
  }
  return { widthPx: Number(width), heightPx: Number(height) };
}

const number = (name: string, text: string | undefined) => (text === undefined ? {} : { [name]: Number(text) });

/** The camera of the configuration, where one is named, with what the flags say in place of what stands there. */
function chooseCamera(source: string | undefined, option: WatchOption, io: CliIo): Watched {
  const config: Config | undefined =
    option.camera !== undefined || option.config !== undefined ? openConfig(option, io) : undefined;
  const known = config?.cameras.find(({ id }) => id === (option.camera ?? config.cameras[0]?.id));
  if (config !== undefined && known === undefined) {
    const message = `Cannot watch: the configuration has no camera "${option.camera}"`;
    throw new AgentError('config', 'watch/unknown-camera', message);
  }
  if (source === undefined && known === undefined) {
    throw new AgentError('usage', 'watch/no-source', 'Cannot watch: name a file, an rtsp:// address or a --camera');
  }
  const model = modelOf(option);
  const raw = {
    id: known?.id ?? 'watched',
    name: known?.name ?? 'watched',
    source: source === undefined ? known?.source : sourceOf(source, option),
    detect: { ...known?.detect, ...number('fps', option.fps), ...sizeOf(option.size) },
    motion: {
      ...known?.motion,
      ...number('sensitivity', option.sensitivity),
      ...(option.zone === undefined ? {} : { zones: option.zone }),
    },
    person: {
      ...known?.person,
      ...number('threshold', option.threshold),
      ...(model === undefined ? {} : { model }),
    },
    // Another source is another picture: what was masked in the camera's means nothing there. Its own address, typed, is none.
    ...(source === undefined || isOwnAddress(source, known) ? { privacyMasks: known?.privacyMasks } : {}),
    clip: {
      ...known?.clip,
      ...number('postRollMs', option.postRoll),
      ...(option.mode === undefined ? {} : { mode: option.mode }),
    },
  };
  return { camera: parseCamera(raw, process.cwd()), ffmpegPath: config?.ffmpegPath };
}

function isOwnAddress(typed: string, known: CameraConfig | undefined): boolean {
  if (known?.source.kind === 'rtsp') return known.source.url === typed;
  return known?.source.kind === 'file' && resolve(known.source.path) === resolve(typed.replace(/^file:/, ''));
}

/** What a drawing is called: nothing of an address but its host, for the picture may be passed on. */
function nameOf({ id, source }: CameraConfig): string {
  if (source.kind === 'file') return basename(source.path);
  return source.kind === 'rtsp' ? new URL(source.url).host : id;
}

function limitOf(text: string | undefined): AbortSignal[] {
  if (text === undefined) return [];
  const limitS = Number(text);
  if (!(limitS > 0 && limitS <= 1e6)) {
    throw new AgentError('usage', 'watch/bad-limit', 'Cannot use that --for: expected a number of seconds above 0');
  }
  return [AbortSignal.timeout(Math.ceil(limitS * 1000))];
}

function eventText({ kind, firstFrame, lastFrame, firstMs, lastMs, score, box }: SeenEvent): string {
  const surely = kind === 'person' ? `, score ${score.toFixed(2)}` : '';
  const where = `frames ${firstFrame}-${lastFrame}, box ${box.join(',')}`;
  return `${kind.padEnd(6)}  ${seconds(firstMs)} to ${seconds(lastMs)}  (${where}${surely})`;
}

function summaryOf(observation: Observation, events: readonly SeenEvent[]) {
  const { error: _, ...seen } = observation;
  const personEvents = events.filter(({ kind }) => kind === 'person').length;
  return {
    ...seen,
    cpuSeconds: Math.round(seen.cpuSeconds * 1000) / 1000,
    events: events.length,
    personEvents,
    motionEvents: events.length - personEvents,
  };
}

function summaryText(seen: ReturnType<typeof summaryOf>): string[] {
  const speed = seen.elapsedMs > 0 ? (seen.durationMs / seen.elapsedMs).toFixed(1) : '-';
  const looks = `${seen.looks} looks for people, motion in ${seen.motionFrames} frames`;
  return [
    `${seen.events} ${seen.events === 1 ? 'event' : 'events'} (${seen.personEvents} with people) in ${seconds(seen.durationMs)}: ${seen.frames} of ${seen.sourceFrames} frames looked at, ${looks}`,
    `${seconds(seen.elapsedMs)} elapsed (${speed} times real time), ${seen.cpuSeconds.toFixed(2)} s of processor time, ${byteSize(seen.peakMemoryBytes)} of memory`,
  ];
}

async function watch(sourceText: string | undefined, option: WatchOption, io: CliIo): Promise<void> {
  const { camera, ffmpegPath } = chooseCamera(sourceText, option, io);
  const drawPath = option.draw === undefined ? undefined : resolve(option.draw);
  if (drawPath !== undefined) requireDrawable(drawPath);
  const limit = limitOf(option.for);
  const { observe } = await import('../recorder/observe.ts');
  const drawing =
    drawPath === undefined ? undefined : new (await import('./watch-picture.ts')).WatchPicture(camera, nameOf(camera));
  const events: SeenEvent[] = [];
  const seen = await withStopSignals(io, (stopped) => {
    const signal = AbortSignal.any([stopped, ...limit]);
    return observe({
      camera,
      ffmpegPath,
      clock: systemClock,
      log: io.env['LATCHKEY_DEBUG'] === '1' ? createLog('watch', io.stderr) : silentLog,
      signal,
      onEvent: (event, shots) => {
        events.push(event);
        drawing?.add(event, shots);
        say(io, option.json === true ? JSON.stringify(event) : eventText(event));
      },
      ...(drawing === undefined ? {} : { trace: drawing }),
    }).catch((thrown: unknown) => {
      if (thrown instanceof AgentError || !signal.aborted) throw thrown;
      throw new AgentError('unavailable', 'watch/stopped', 'Stopped before the first picture was looked at');
    });
  });
  // Nothing came: the error alone says more than a summary of zeros.
  if (seen.error !== undefined && seen.sourceFrames === 0) throw seen.error;
  const summary = summaryOf(seen, events);
  if (option.json === true) say(io, JSON.stringify(summary));
  else for (const line of summaryText(summary)) say(io, line);
  if (drawing !== undefined && drawPath !== undefined) {
    writeDrawing(drawPath, await drawing.render(summary));
    note(io, `Wrote ${drawPath}: it shows what the camera saw to anyone who gets the file.`);
  }
  if (seen.error !== undefined) throw seen.error;
}

function addZone(text: string, zones: Zones = []): Zones {
  const zone = parseZone(text);
  return zone === undefined ? zones : [...zones, zone];
}

export function register(program: Command, io: CliIo): void {
  const command = program
    .command('watch [source]')
    .description('look at a video file or rtsp:// camera as the recorder would; nothing is stored')
    .option('--camera <id>', "take the settings (and, without SOURCE, the source) of the configuration's camera")
    .option('--username <name>', 'user name of an RTSP camera')
    .option('--password-file <file>', 'file with its password')
    .option('--mode <mode>', 'what makes an event: "person" or "motion"')
    .option('--model <model>', '"embedded", "off", or the path of an ONNX model with --sha256')
    .option('--sha256 <hex>', 'the SHA-256 of that model')
    .option('--threshold <score>', 'least score of a person')
    .option('--sensitivity <share>', 'of motion: 0 deaf, 1 most sensitive')
    .option('--zone <corners>', 'where motion counts, such as "0,0.4 1,0.4 1,1 0,1"; may be repeated', addZone)
    .option('--post-roll <ms>', 'how long nothing must be seen before an event ends')
    .option('--fps <n>', 'frames a second that are looked at')
    .option('--size <WxH>', 'size at which they are looked at')
    .option('--for <seconds>', 'stop after this time; a live camera never ends by itself')
    .option('--draw <file.png>', 'draw events, boxes and scores over time')
    .option('--json', 'print one JSON line an event, then one with the summary')
    .addHelpText(
      'after',
      example(
        'latchkey watch visitor.mp4 --json --draw visitor.png',
        'latchkey watch rtsp://camera.local/stream --username owner --password-file camera.password --for 60',
        'latchkey watch --camera front --mode motion',
      ),
    );
  withConfigOption(command).action((source: string | undefined, option: WatchOption) => watch(source, option, io));
}
