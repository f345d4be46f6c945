/** A stream recorded by the real recorder into a house, as if ten minutes ago, and shares of it opened as an agency would. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, systemClock } from '../agent/base/clock.ts';
import { silentLog } from '../agent/base/log.ts';
import { parseConfig } from '../agent/config/loader.ts';
import { openFile, parseIdentity, splitFile } from '../agent/protocol/age-file.ts';
import { readArchive } from '../agent/protocol/share-archive.ts';
import type { ShareFile } from '../agent/protocol/share-verify.ts';
import { runRecorder } from '../agent/recorder/program.ts';
import { VaultSession } from '../agent/vault/session.ts';
import { TestHouse, testPassphrase } from './house.ts';

const agoMs = 600_000;

export interface FilmedClip {
  readonly clipId: string;
  readonly startMs: number;
  readonly endMs: number;
}

export interface FilmedHouse {
  readonly house: TestHouse;
  /** Open for deciding. */
  readonly session: VaultSession;
  readonly clip: FilmedClip;
}

/** A house with one clip of the file at `path`. */
export async function filmHouse(path: string): Promise<FilmedHouse> {
  const house = await TestHouse.make();
  await house.pinRoot();
  const session = new VaultSession({ dataDir: house.dataDir, clock: systemClock, log2Work: 8 });
  await session.openDeciding(testPassphrase);
  return { house, session, clip: await film(house, session, path) };
}

/** Everything in the file as one clip of the camera `cameraId`, which must be new. The file is at most a minute long. */
export async function film(
  house: TestHouse,
  session: VaultSession,
  path: string,
  options: { readonly cameraId?: string; readonly audio?: boolean } = {},
): Promise<FilmedClip> {
  const { cameraId = 'door', audio = false } = options;
  const config = parseConfig(
    {
      dataDir: house.dataDir,
      regions: ['US-CA'],
      clock: 'trust-system',
      cameras: [
        {
          id: cameraId,
          name: 'Door',
          source: { kind: 'file', path, pace: 'fast' },
          person: { model: 'off' },
          clip: { mode: 'continuous', preRollMs: 0, maxClipMs: 60_000 },
          audio,
        },
      ],
    },
    house.dataDir,
  );
  const clock: Clock = { ...systemClock, wallMs: () => Date.now() - agoMs };
  const stop = new AbortController();
  const running = runRecorder({ config, cameraId, signal: stop.signal, clock, log: silentLog });
  const clips = () => session.listClips(Date.now() - 2 * agoMs, Date.now()).filter((c) => c.cameraId === cameraId);
  const done = running.then(() => Promise.reject(new Error('the recorder ended early')));
  done.catch(() => {});
  while (clips().length === 0) await Promise.race([systemClock.sleep(50), done]);
  stop.abort();
  await running;
  const [clip] = clips();
  if (clip === undefined) throw new Error('nothing was recorded');
  return clip;
}

/** Approves and opens the sealed files with the agency's key: what arrives. */
export async function receive(house: TestHouse, session: VaultSession, previewId: string): Promise<ShareFile[]> {
  const { shareId } = await session.approve({
    previewId,
    passphrase: testPassphrase,
    agency: house.agency(),
    floorS: 0,
    releaseNotBeforeMs: Date.now() + 1000,
  });
  const folder = join('owner', 'held', shareId);
  const file = Buffer.concat([house.read(folder, 'header.age'), house.read(folder, 'body.age')]);
  return readArchive(openFile(splitFile(file), parseIdentity(house.agencyIdentity.identity)));
}

type PixelBox = readonly [x: number, y: number, w: number, h: number];

export interface Truth {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly frames: readonly {
    readonly i: number;
    readonly people: readonly { readonly id: number; readonly box: PixelBox }[];
  }[];
}

export const readTruth = (path: string): Truth => JSON.parse(readFileSync(path, 'utf8')) as Truth;

export interface PixelScore {
  readonly pictureCount: number;
  /** Boxes of people in all pictures, and those in which every pixel has the colour of the fill. */
  readonly boxCount: number;
  readonly filledBoxCount: number;
  readonly pixelCount: number;
  readonly filledPixelCount: number;
  /** Share of all pixels that have the colour of the fill. */
  readonly blackRatio: number;
  /** The first boxes that show something, for whoever must find out why. */
  readonly shown: readonly string[];
}

/** Each channel within so many levels of black (16, 128, 128). */
const tolerance = 3;

/** Decodes a received video with stock ffmpeg and looks at every pixel of every person of the truth. */
export function scorePixels(video: Uint8Array, truth: Truth): PixelScore {
  const { widthPx: w, heightPx: h } = truth;
  const args = ['-v', 'error', '-f', 'mp4', '-i', 'pipe:0', '-fps_mode', 'passthrough', '-pix_fmt', 'yuv420p'];
  const decoded = spawnSync('ffmpeg', [...args, '-f', 'rawvideo', 'pipe:1'], { input: video, maxBuffer: 2 ** 31 - 1 });
  if (decoded.status !== 0) throw new Error(`ffmpeg can't play the share: ${decoded.stderr.toString()}`);
  const pictureBytes = (w * h * 3) / 2;
  const pictureCount = decoded.stdout.length / pictureBytes;
  const score = { boxCount: 0, filledBoxCount: 0, pixelCount: 0, filledPixelCount: 0, black: 0 };
  const shown: string[] = [];
  for (let i = 0; i < pictureCount; i++) {
    const picture = decoded.stdout.subarray(i * pictureBytes, (i + 1) * pictureBytes);
    for (let at = 0; at < w * h; at += 7) if (Math.abs((picture[at] ?? 0) - 16) <= tolerance) score.black += 7;
    for (const { id, box } of truth.frames[i]?.people ?? []) {
      const { inside, filled } = scoreBox(picture, w, h, box);
      if (inside === 0) continue;
      score.boxCount++;
      score.pixelCount += inside;
      score.filledPixelCount += filled;
      if (filled === inside) score.filledBoxCount++;
      else if (shown.length < 10)
        shown.push(`picture ${i}, person ${id} at ${box.join()}: ${inside - filled} of ${inside}`);
    }
  }
  const { black, ...counts } = score;
  return { pictureCount, ...counts, blackRatio: black / Math.max(1, pictureCount * w * h), shown };
}

function scoreBox(
  picture: Uint8Array,
  w: number,
  h: number,
  [bx, by, bw, bh]: PixelBox,
): { inside: number; filled: number } {
  let [inside, filled] = [0, 0];
  const near = (at: number, level: number): boolean => Math.abs((picture[at] ?? 0) - level) <= tolerance;
  for (let y = Math.max(0, Math.floor(by)); y < Math.min(h, by + bh); y++) {
    for (let x = Math.max(0, Math.floor(bx)); x < Math.min(w, bx + bw); x++) {
      const colour = (y >> 1) * (w / 2) + (x >> 1);
      inside++;
      if (near(y * w + x, 16) && near(w * h + colour, 128) && near((w * h * 5) / 4 + colour, 128)) filled++;
    }
  }
  return { inside, filled };
}
