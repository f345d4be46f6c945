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
  /** Times of the frames that report motion, by the method's own rule. */
  motionMs(file: LumaFile): Promise<number[]>;
  /** Writes the foreground of every frame into a file, a byte a pixel, 0 or 1. */
  writeMasks(file: LumaFile, out: string): Promise<void>;
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

/** `masksProgram` is the built `native/test/motion-masks.cc`, where masks are wanted. */
export function methods(masksProgram?: string): readonly Method[] {
  const peers = hasPythonPeers() ? qualityPeers.map(peer) : [];
  return [ours(masksProgram), ...peers];
}

function ours(masksProgram: string | undefined): Method {
  return {
    name: 'latchkey',
    label: 'latchkey',
    async motionMs(file) {
      using motion = new MotionDetector({ widthPx: file.widthPx, heightPx: file.heightPx, ...ourOptions });
      const times: number[] = [];
      for (const frame of readLuma(file)) if (motion.detect(frame).state === 'motion') times.push(frame.timeMs);
      return times;
    },
    async writeMasks(file, out) {
      if (masksProgram === undefined) throw new Error('the program that writes masks was not built');
      const size = [file.widthPx, file.heightPx, file.fps].map(String);
      await toFile(masksProgram, size, { input: file.path, out });
    },
  };
}

function peer(name: string): Method {
  const args = (what: string, file: LumaFile): string[] => [
    what,
    name,
    file.path,
    String(file.widthPx),
    String(file.heightPx),
  ];
  return {
    name,
    label: peerLabels[name] ?? name,
    async motionMs(file) {
      const found = JSON.parse((await runPeer('motion', args('events', file))).toString()) as { frames: number[] };
      return found.frames.map((index) => (index * 1000) / file.fps);
    },
    async writeMasks(file, out) {
      await toFile(python, [join(import.meta.dirname, '../peers/motion.py'), ...args('masks', file)], { out });
    },
  };
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
