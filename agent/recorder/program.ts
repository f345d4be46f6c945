import { statfsSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { clockTrust } from '../base/clock-trust.ts';
import { ControlServer } from '../base/control.ts';
import { AgentError } from '../base/errors.ts';
import { ensurePrivateDir } from '../base/files.ts';
import type { Log } from '../base/log.ts';
import type { CameraConfig, Config } from '../config/schema.ts';
import { resolveSource } from '../config/source.ts';
import { ClipsDb, type HeldClips } from '../store/clips-db.ts';
import { quarantine } from '../store/clips-open.ts';
import { type Capture, startCapture } from './capture/capture.ts';
import { ClipRecorder } from './clip/clip-recorder.ts';
import { encodeJpeg } from './clip/thumbnail.ts';
import { controlMethods, type Pinned, type RecorderControl } from './control-methods.ts';
import { type PendingDeletion, PendingDeletions } from './deletions.ts';
import { MotionDetector } from './motion/detector.ts';
import { type OpenedPersonLook, openPersonLook } from './person-look.ts';
import { Pipeline } from './pipeline.ts';
import { readRecipients } from './recipients.ts';
import { SharedQuota } from './shared-quota.ts';

/** The recorder of one camera: from the camera to sealed clips. It holds public keys only. */
export interface RecorderOptions {
  readonly config: Config;
  readonly cameraId: string;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
  /** Tests wait less. */
  readonly tidyMs?: number;
}

/** Room is made while fragments come; by age clips go also while none do: the camera is away, or recording is off. */
const defaultTidyMs = 10 * 60 * 1000;
/** Between two batches of one day: what was recorded meanwhile is stored first. */
const tidyOnMs = 250;
const ringBytes = 24 << 20;
/** A file read as fast as possible runs far ahead of its frames. */
const losslessRingBytes = 256 << 20;
const ringSpanMs = 45_000;
const liveWidthPx = 640;

/** The clips of a camera, replaced when they turn out to be damaged. */
class Store {
  readonly #path: string;
  readonly #options: RecorderOptions;
  #db: ClipsDb;

  constructor(path: string, options: RecorderOptions) {
    this.#path = path;
    this.#options = options;
    this.#db = this.#open();
  }

  get db(): ClipsDb {
    return this.#db;
  }

  replace(): ClipsDb {
    this.#db.close();
    quarantine(this.#path, this.#options.clock.wallMs());
    const why = 'The clips were damaged and set aside';
    this.#options.log.error('clips-quarantined', new AgentError('corrupt', 'store/quarantined', why), {
      camera: this.#options.cameraId,
    });
    this.#db = this.#open();
    return this.#db;
  }

  #open(): ClipsDb {
    const { log, clock, config } = this.#options;
    const maxFileBytes = Math.ceil(config.retention.maxBytes * 1.25) + (64 << 20);
    return ClipsDb.open({ path: this.#path, log, wallMs: clock.wallMs(), maxFileBytes });
  }
}

/** Records until the signal is aborted; a file that has ended leaves the recorder waiting, its clips readable. */
export async function runRecorder(options: RecorderOptions): Promise<void> {
  const { config, cameraId, signal, clock, log } = options;
  const camera = config.cameras.find(({ id }) => id === cameraId);
  if (camera === undefined) {
    throw new AgentError('config', 'recorder/unknown-camera', 'Cannot record: the configuration has no such camera');
  }
  const recipients = readRecipients(config.dataDir);
  const folder = join(config.dataDir, 'cameras', cameraId);
  ensurePrivateDir(folder);
  // What was begun last is ended first: capture, then what it feeds, then the store.
  await using ending = new AsyncDisposableStack();
  const store = new Store(join(folder, 'clips.db'), options);
  ending.defer(() => store.db.close());
  using motion = new MotionDetector({ ...camera.detect, ...camera.motion, privacyMasks: camera.privacyMasks });
  let server: ControlServer | undefined;
  const publish = (event: string, fields: Readonly<Record<string, unknown>>): void => server?.publish(event, fields);
  const quota = new SharedQuota(config, cameraId, clock);
  const clips = new ClipRecorder({
    cameraId,
    recipients,
    ring: ringOptions(camera),
    maxClipMs: camera.clip.maxClipMs,
    retention: quota,
    store: store.db,
    diskFreeBytes: () => freeBytes(folder),
    wallMs: () => clock.wallMs(),
    clockTrust: () => (clockTrust(config.clock) === 'unsynchronised' ? 'unsynchronised' : 'synchronised'),
    log,
    replaceStore: () => store.replace(),
    onClosed: ({ labels, ...clip }) => publish('clip-closed', { ...clip, labels: labels.map(({ kind }) => kind) }),
  });
  ending.defer(() => clips.flush());
  let tidying: NodeJS.Timeout | undefined;
  const tidyAfter = (ms: number): void => {
    tidying = setTimeout(() => tidyAfter(clips.tidy() ? tidyOnMs : (options.tidyMs ?? defaultTidyMs)), ms);
  };
  tidyAfter(options.tidyMs ?? defaultTidyMs);
  ending.defer(() => clearTimeout(tidying));
  const pipeline = new Pipeline({
    cameraId,
    ...camera.clip,
    lossless: isLossless(camera),
    motion,
    clips,
    log,
    publish,
  });
  const deletions = ending.use(
    new PendingDeletions({
      cameraFolder: folder,
      wallMs: () => clock.wallMs(),
      isFinished: (clipId) => ['closed', 'cut'].includes(store.db.stateOf(clipId) ?? ''),
      remove: (clipIds) => store.db.deleteClips(clipIds),
      log,
    }),
  );
  const control = new Control(options, { store, clips, pipeline, deletions, quota });
  const ready = openPersonLook(camera.person, { cameraId, log, signal }).then((person) => {
    control.person = person;
    if (person.look !== undefined) pipeline.usePerson(person.look);
  });
  ending.defer(async () => {
    await ready;
    await control.person.look?.stage.close();
  });
  // A camera is recorded from the first moment, whatever a model takes to load; a fast file would be over by then.
  if (isLossless(camera)) await ready;
  server = await ControlServer.listen(
    join(config.dataDir, 'run', `recorder-${cameraId}.sock`),
    controlMethods(control),
  );
  ending.use(server);
  const source = resolveSource(camera.source);
  const capture = startCapture(
    {
      source,
      detect: camera.detect,
      privacyMasks: camera.privacyMasks,
      sound: camera.audio,
      ffmpegPath: config.ffmpegPath,
      clock,
      log,
      signal,
      restart: true,
    },
    pipeline,
  );
  ending.use(capture);
  control.capture = capture;
  await capture.done;
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}

function isLossless({ source }: CameraConfig): boolean {
  return source.kind === 'file' && source.pace === 'fast';
}

function ringOptions(camera: CameraConfig) {
  const { preRollMs } = camera.clip;
  return isLossless(camera)
    ? { preRollMs, maxSpanMs: Number.POSITIVE_INFINITY, maxBytes: losslessRingBytes }
    : { preRollMs, maxSpanMs: preRollMs + ringSpanMs, maxBytes: ringBytes };
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

interface ControlParts {
  readonly quota: SharedQuota;
  readonly store: Store;
  readonly clips: ClipRecorder;
  readonly pipeline: Pipeline;
  readonly deletions: PendingDeletions;
}

class Control implements RecorderControl {
  capture: Capture | undefined;
  person: OpenedPersonLook = { look: undefined, state: 'starting' };
  readonly #options: RecorderOptions;
  readonly #parts: ControlParts;

  constructor(options: RecorderOptions, parts: ControlParts) {
    this.#options = options;
    this.#parts = parts;
  }

  status(): unknown {
    const { store, clips, pipeline } = this.#parts;
    const stats = this.capture?.stats();
    return {
      state: stats?.state ?? 'connecting',
      ...pipeline.state,
      lastEventMs: pipeline.state.lastEventMs ?? null,
      // The age of the last good fragment is the one sign of health that can't be faked by a living process.
      fragmentAgeMs: stats?.silentMs === undefined ? null : Math.round(stats.silentMs),
      runCount: stats?.runCount ?? 0,
      fragmentCount: stats?.fragmentCount ?? 0,
      frameCount: stats?.frameCount ?? 0,
      undecodedFragmentCount: stats?.skippedFragmentCount ?? 0,
      ...clips.state,
      problem: clips.state.problem ?? null,
      person: this.person.state,
      personCode: this.person.code ?? null,
      ...store.db.usage(),
      oldestDay: store.db.usage().oldestDay ?? null,
    };
  }

  async live(): Promise<{ readonly jpegBase64: string; readonly atMs: number }> {
    const { pipeline, clips } = this.#parts;
    const frame = pipeline.lastFrame;
    if (frame === undefined) {
      throw new AgentError('unavailable', 'recorder/no-picture', 'Cannot show the camera: there is no picture now');
    }
    const jpeg = await encodeJpeg(frame, liveWidthPx);
    return { jpegBase64: Buffer.from(jpeg).toString('base64'), atMs: clips.toWallMs(frame.timeMs) };
  }

  pin(clipIds: readonly string[], pinned: boolean): Pinned {
    const { db } = this.#parts.store;
    const changedCount = db.setPinned(clipIds, pinned);
    return { changedCount, pinnedBytes: db.pinnedBytes, quotaBytes: this.#options.config.retention.maxBytes };
  }

  hold(which: HeldClips, untilMs: number): { readonly heldCount: number; readonly leftCount: number } {
    return this.#parts.store.db.hold(which, untilMs, this.#parts.quota.equalShareBytes);
  }

  delete(clipIds: readonly string[], afterMs: number) {
    return this.#parts.deletions.begin(clipIds, afterMs);
  }

  undelete(clipIds: readonly string[]): number {
    return this.#parts.deletions.undo(clipIds);
  }

  deleted(): readonly PendingDeletion[] {
    return this.#parts.deletions.list;
  }

  record(on: boolean): void {
    this.#parts.pipeline.setRecording(on);
  }

  button(): void {
    this.#parts.pipeline.press();
  }
}
