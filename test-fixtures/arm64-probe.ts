/**
 * Prints what this machine's processor makes of synthetic pictures, so that two machines can be compared. Run by path with
 * the sources beside it: `node arm64-probe.ts <folder of agent/>`.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as Image from '../agent/base/image.ts';
import type * as Native from '../agent/base/native.ts';
import type * as AgeFile from '../agent/protocol/age-file.ts';
import type * as Motion from '../agent/recorder/motion/detector.ts';

const agentDir = process.argv[2] ?? join(import.meta.dirname, '../agent');
const load = (path: string): Promise<unknown> => import(pathToFileURL(join(agentDir, path)).href);

export interface ProbeAnswer {
  readonly arch: string;
  /** SHA-256 over state, foreground and every box of every frame. */
  readonly motion: Readonly<Record<string, string>>;
  readonly motionStates: readonly string[];
  readonly rgb: string;
  readonly letterbox: string;
  /** Every hundredth value, for a difference that a hash can't measure. */
  readonly letterboxSamples: readonly number[];
  /** Sealed here for the identity, to be opened on the other machine. */
  readonly identity: string;
  readonly sealed: { readonly header: string; readonly body: string };
  readonly network: string;
}

/** A textured wall with noise from a fixed generator; somebody crosses it, stays, and the light changes. */
function picture(widthPx: number, heightPx: number, index: number): Uint8Array {
  let state = 12_345 + index;
  const yuv = new Uint8Array((widthPx * heightPx * 3) / 2).fill(128);
  const visitorX = Math.min(widthPx / 2, index * 3);
  const gain = index < 120 ? 1 : 0.6;
  for (let y = 0; y < heightPx; y++) {
    for (let x = 0; x < widthPx; x++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      const wall = 80 + ((Math.floor(x / 12) + Math.floor(y / 7)) % 2) * 30;
      const inside = index > 20 && index < 100 && x >= visitorX && x < visitorX + 24 && y > heightPx / 3;
      yuv[y * widthPx + x] = Math.min(235, Math.max(16, (inside ? 190 : wall) * gain + ((state >>> 24) % 7) - 3));
    }
  }
  for (let i = widthPx * heightPx; i < yuv.length; i++) yuv[i] = 96 + ((i * 7 + index) % 64);
  return yuv;
}

const { MotionDetector } = (await load('recorder/motion/detector.ts')) as typeof Motion;
const { letterbox, yuvToRgb } = (await load('base/image.ts')) as typeof Image;
const { generateIdentity, sealBytes } = (await load('protocol/age-file.ts')) as typeof AgeFile;
const { denyNetwork } = (await load('base/native.ts')) as typeof Native;

const sizes = [
  [640, 360],
  [162, 98],
  [62, 34],
] as const;
const zone = [
  [0, 0],
  [0.6, 0.1],
  [1, 1],
  [0.1, 0.9],
] as const;
const motion: Record<string, string> = {};
const motionStates: string[] = [];
for (const [widthPx, heightPx] of sizes) {
  const pictures = Array.from({ length: 150 }, (_, index) => picture(widthPx, heightPx, index));
  for (const sensitivity of [0.2, 0.5, 1]) {
    for (const zones of [[], [zone]]) {
      using detector = new MotionDetector({ widthPx, heightPx, sensitivity, minAreaRatio: 0.001, zones });
      const digest = createHash('sha256');
      for (const [index, yuv] of pictures.entries()) {
        const found = detector.detect({ runId: 'probe', timeMs: index * 200, widthPx, heightPx, yuv });
        digest.update(JSON.stringify(found));
        if (widthPx === 162 && sensitivity === 0.5 && zones.length === 0) motionStates.push(found.state);
      }
      motion[`${widthPx}x${heightPx} ${sensitivity} ${zones.length}`] = digest.digest('hex');
    }
  }
}

const still = { widthPx: 640, heightPx: 360, yuv: picture(640, 360, 60) };
const tensor = new Float32Array(3 * 224 * 224);
letterbox(still, { x: 30, y: 12, w: 411, h: 305 }, 224, tensor, 'bt709');
const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const { identity, recipient } = generateIdentity();
const other = generateIdentity();
const sealed = sealBytes([recipient, other.recipient], Buffer.from('sealed on the other machine'));
let network = 'denied';
try {
  denyNetwork();
} catch (thrown) {
  network = thrown instanceof Error ? thrown.message : 'unknown';
}
const answer: ProbeAnswer = {
  arch: process.arch,
  motion,
  motionStates,
  rgb: hash(yuvToRgb(still, 'bt601')),
  letterbox: hash(new Uint8Array(tensor.buffer)),
  letterboxSamples: [...tensor].filter((_, i) => i % 100 === 0),
  identity,
  sealed: {
    header: Buffer.from(sealed.header).toString('base64'),
    body: Buffer.from(sealed.body).toString('base64'),
  },
  network,
};
process.stdout.write(JSON.stringify(answer));
