/** A camera's data directory for tests: keys, a configuration, a recorder that runs in this process, and its clips opened. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../agent/base/clock.ts';
import { ControlClient } from '../agent/base/control.ts';
import { createLog, type Log, silentLog } from '../agent/base/log.ts';
import { parseConfig } from '../agent/config/loader.ts';
import type { Config, ConfigInput } from '../agent/config/schema.ts';
import { generateIdentity, openFile, parseIdentity, type SealedFile } from '../agent/protocol/age-file.ts';
import {
  type ClosingMetadata,
  type OpeningMetadata,
  parseClosingMetadata,
  parseOpeningMetadata,
} from '../agent/protocol/clip-metadata.ts';
import { runRecorder } from '../agent/recorder/program.ts';
import { ClipsReader } from '../agent/store/clips-reader.ts';

export const porchPath = join(import.meta.dirname, 'streams/porch-day.mp4');
export const porchTruthPath = join(import.meta.dirname, 'streams/porch-day.json');

export interface RecordedClip {
  readonly clipId: string;
  readonly state: 'open' | 'closed' | 'cut';
  readonly opening: OpeningMetadata;
  readonly closing: ClosingMetadata | undefined;
  readonly segments: readonly SealedFile[];
  readonly video: Buffer;
  /** Empty where none was recorded. */
  readonly sound: Buffer;
}

type CameraInput = ConfigInput['cameras'][number];
export interface RecordingSettings {
  readonly camera?: Partial<CameraInput>;
  readonly retention?: ConfigInput['retention'];
  /** Where the data directory is made; the system's folder for temporary files by default. */
  readonly parent?: string;
}

export class TestCamera {
  readonly dataDir: string;
  readonly config: Config;
  readonly owner = generateIdentity();
  readonly recovery = generateIdentity();
  readonly logLines: string[] = [];

  constructor(settings: RecordingSettings = {}) {
    this.dataDir = mkdtempSync(join(settings.parent ?? tmpdir(), 'lk-'));
    mkdirSync(join(this.dataDir, 'keys'));
    const recipients = { owner: this.owner.recipient, recovery: this.recovery.recipient };
    writeFileSync(join(this.dataDir, 'keys', 'recipients.json'), JSON.stringify(recipients));
    const camera: CameraInput = {
      id: 'door',
      name: 'Door',
      source: { kind: 'file', path: porchPath, pace: 'fast' },
      ...settings.camera,
    };
    const { retention } = settings;
    const raw = {
      dataDir: this.dataDir,
      cameras: [camera],
      regions: ['US-CA'],
      clock: 'trust-system',
      ...(retention === undefined ? {} : { retention }),
    };
    writeFileSync(this.configPath, JSON.stringify(raw));
    this.config = parseConfig(raw, this.dataDir);
  }

  get configPath(): string {
    return join(this.dataDir, 'config.json');
  }

  get socketPath(): string {
    return join(this.dataDir, 'run', 'recorder-door.sock');
  }

  get databasePath(): string {
    return join(this.dataDir, 'cameras', 'door', 'clips.db');
  }

  /** Everything that was logged, as text. */
  get log(): Log {
    return createLog('recorder', { write: (line) => this.logLines.push(line) });
  }

  start(log: Log = silentLog): { stop(): Promise<void>; readonly done: Promise<void> } {
    const abort = new AbortController();
    const { config } = this;
    const done = runRecorder({ config, cameraId: 'door', signal: abort.signal, clock: systemClock, log });
    done.catch(() => {});
    return {
      done,
      stop: () => {
        abort.abort();
        return done;
      },
    };
  }

  async call(method: string, params: unknown = {}): Promise<unknown> {
    const client = await ControlClient.connect(this.socketPath);
    try {
      return await client.call(method, params);
    } finally {
      client.close();
    }
  }

  async status(): Promise<Record<string, unknown>> {
    return (await this.call('status')) as Record<string, unknown>;
  }

  /** Asks until the status is as wanted; the test's own time limit ends it otherwise. */
  async waitFor(wanted: (status: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
    for (;;) {
      const status = await this.status().catch(() => undefined);
      if (status !== undefined && wanted(status)) return status;
      await systemClock.sleep(50);
    }
  }

  /** Records the whole (fast, unlooped) file and stops. */
  async recordAll(log: Log = silentLog): Promise<Record<string, unknown>> {
    const recorder = this.start(log);
    const ended = this.waitFor(({ state }) => state === 'ended');
    const status = await Promise.race([ended, recorder.done.then(() => Promise.reject(new Error('ended early')))]);
    await recorder.stop();
    return status;
  }

  clips(identityText: string = this.owner.identity, path: string = this.databasePath): RecordedClip[] {
    const identity = parseIdentity(identityText);
    using reader = ClipsReader.open(path);
    return reader.listClips().map(({ seq, clipId, state }) => {
      const opening = reader.meta(seq, 'opening');
      const closing = reader.meta(seq, 'closing');
      if (opening === undefined) throw new Error('a clip without metadata');
      const rows = reader.listSegments(seq).map((row) => {
        const sealed = reader.segment(row);
        if (sealed === undefined) throw new Error('a segment without bytes');
        return { track: row.track, sealed };
      });
      const opened = (wanted: number): Buffer =>
        Buffer.concat(rows.filter(({ track }) => track === wanted).map(({ sealed }) => openFile(sealed, identity)));
      return {
        clipId,
        state,
        opening: parseOpeningMetadata(openFile(opening, identity)),
        closing: closing === undefined ? undefined : parseClosingMetadata(openFile(closing, identity)),
        segments: rows.map(({ sealed }) => sealed),
        video: opened(1),
        sound: opened(2),
      };
    });
  }

  remove(): void {
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  [Symbol.dispose](): void {
    this.remove();
  }
}
