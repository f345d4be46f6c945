/** The methods that are compared: ours as the recorder runs it, and the peers with their own defaults. */
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from '../../../agent/base/child.ts';
import { MotionDetector } from '../../../agent/recorder/motion/detector.ts';
import { type LumaFile, readLuma } from '../frames.ts';
import { hasPythonPeers, python, runPeer, runProgram } from '../python.ts';

export const root = join(import.meta.dirname, '../../..');
/** What the configuration has by default. */
const ourOptions = { sensitivity: 0.5, minAreaRatio: 0.001, zones: [] } as const;

export interface Method {
  readonly name: string;
  readonly label: string;
}

export const peerLabels: Readonly<Record<string, string>> = {
  mog2: 'OpenCV MOG2',
  knn: 'OpenCV KNN',
  frigate: "Frigate's algorithm, 100 px high",
  'frigate-tuned': "Frigate's, 100 px high, tuned",
  'frigate-full': "Frigate's algorithm, full size",
};
/** Tuning changes what Frigate's algorithm costs, not what it finds. */
const qualityPeers = ['mog2', 'knn', 'frigate', 'frigate-full'] as const;

export const noPeers = "MOG2, KNN and Frigate's algorithm: python3-opencv or python3-scipy is not installed (scripts/setup --tier bench)"; // biome-ignore format: one sentence

const ours: Method = { name: 'latchkey', label: 'latchkey' };

const peerMethods: readonly Method[] = qualityPeers.map((name) => ({ name, label: peerLabels[name] ?? name }));

/** Ours first; always the same objects. */
export function methods(): readonly Method[] {
  return hasPythonPeers() ? [ours, ...peerMethods] : [ours];
}

const sizeArguments = ({ widthPx, heightPx }: LumaFile): string[] => [String(widthPx), String(heightPx)];

/** Times of the frames that report motion, by each method's own rule. */
export async function motionTimes(file: LumaFile): Promise<ReadonlyMap<string, readonly number[]>> {
  using motion = new MotionDetector({ widthPx: file.widthPx, heightPx: file.heightPx, ...ourOptions });
  const times: number[] = [];
  for (const frame of readLuma(file)) if (motion.detect(frame).state === 'motion') times.push(frame.timeMs);
  if (!hasPythonPeers()) return new Map([[ours.name, times]]);
  const text = await runPeer('motion', ['events', qualityPeers.join(','), file.path, ...sizeArguments(file)]);
  const found = JSON.parse(text.toString()) as Record<string, readonly number[]>;
  const peers = Object.entries(found).map(([name, frames]) => [name, frames.map((index) => (index * 1000) / file.fps)] as const); // biome-ignore format: one line
  return new Map([[ours.name, times], ...peers]);
}

/**
 * Writes the foreground of every frame into a file, a byte a pixel, 0 or 1. `masksProgram` is the built
 * `native/test/motion-masks.cc`.
 */
export async function writeMasks({ name }: Method, file: LumaFile, masksProgram: string, out: string): Promise<void> {
  if (name === ours.name) {
    await toFile(masksProgram, [...sizeArguments(file), String(file.fps)], { input: file.path, out });
  } else {
    const script = join(import.meta.dirname, '../peers/motion.py');
    await toFile(python, [script, 'masks', name, file.path, ...sizeArguments(file)], { out });
  }
}

async function toFile(
  command: string,
  args: readonly string[],
  { input, out }: { readonly input?: string; readonly out: string },
): Promise<void> {
  const from = input === undefined ? undefined : openSync(input, 'r');
  const to = openSync(out, 'w');
  try {
    await using child = new Child({ command, args, stdio: [from ?? 'ignore', to, 'pipe'] });
    const { status } = await child.exited;
    if (status !== 0) throw new Error(`${command} failed: ${child.lastLines.slice(-5).join(' | ')}`);
  } finally {
    closeSync(to);
    if (from !== undefined) closeSync(from);
  }
}

/** Builds one of the core's small programs, exactly as the addon is built. */
export async function buildProgram(name: string, workDir: string): Promise<string> {
  const out = join(workDir, name);
  await runProgram('bash', [join(root, 'native/program.sh'), name, out]);
  return out;
}
