/** How fast a megabyte is sealed to two recipients, beside the stock `age` on the same bytes. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateIdentity, sealBytes } from '../../../agent/protocol/age-file.ts';
import { type BenchContext, emptyReport, type Part, type PartReport } from '../bench.ts';
import { median, spreadOf } from '../statistics.ts';
import { percent, ratio, spreadText } from '../table.ts';

const segmentBytes = 1_000_000;
const memoryFolder = '/dev/shm';

interface Speed {
  /** Megabytes a second. */
  readonly wall: number;
  /** Megabytes a second of processor time, which neighbours disturb less. */
  readonly processor: number;
}

const spentMs = (): { readonly wall: number; readonly processor: number } => {
  // Of children that have ended, `times` of a shell knows; of this process, Node does.
  const { user, system } = process.cpuUsage();
  return { wall: performance.now(), processor: (user + system) / 1000 };
};

function ours(count: number, act: () => void): Speed {
  const before = spentMs();
  for (let n = 0; n < count; n++) act();
  const after = spentMs();
  const megabytes = (count * segmentBytes) / 1e6;
  return {
    wall: (megabytes / (after.wall - before.wall)) * 1000,
    processor: (megabytes / (after.processor - before.processor)) * 1000,
  };
}

/** `age` on a file, so many times; the shell's last line tells the processor time of what it started. */
function age(path: string, times: number, bytes: number, recipients: readonly string[]): Speed {
  const command = `age ${recipients.map((r) => `-r ${r}`).join(' ')} -o /dev/null "$1"`;
  const script = `for n in $(seq ${times}); do ${command} || exit 1; done; times`;
  const before = performance.now();
  const done = spawnSync('bash', ['-c', script, 'bash', path], { encoding: 'utf8' });
  const wallMs = performance.now() - before;
  if (done.status !== 0) throw new Error(`age failed: ${done.stderr}`);
  const spent = [...(done.stdout.trim().split('\n').at(-1) ?? '').matchAll(/(\d+)m([\d.]+)s/g)];
  const processorMs = spent.reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60_000 + Number(seconds) * 1000,
    0,
  );
  const megabytes = (times * bytes) / 1e6;
  return { wall: (megabytes / wallMs) * 1000, processor: (megabytes / processorMs) * 1000 };
}

async function run(context: BenchContext): Promise<PartReport> {
  if (spawnSync('age', ['--version']).error !== undefined) return emptyReport('sealing', ['age is not installed']);
  const megabytes = context.quick ? 64 : 512;
  const folder = mkdtempSync(join(existsSync(memoryFolder) ? memoryFolder : tmpdir(), 'lk-bench-'));
  try {
    const recipients = [generateIdentity().recipient, generateIdentity().recipient];
    const segment = randomBytes(segmentBytes);
    const [long, short] = [join(folder, 'long'), join(folder, 'short')];
    writeFileSync(long, Buffer.concat(Array<Buffer>(megabytes).fill(segment)));
    writeFileSync(short, segment);
    const measured = { latchkey: [] as Speed[], ageLong: [] as Speed[], ageEach: [] as Speed[] };
    ours(20, () => sealBytes(recipients, segment));
    for (let round = 0; round < context.runCount; round++) {
      context.signal.throwIfAborted();
      measured.latchkey.push(ours(megabytes, () => sealBytes(recipients, segment)));
      measured.ageLong.push(age(long, 1, megabytes * segmentBytes, recipients));
      measured.ageEach.push(age(short, 20, segmentBytes, recipients));
    }
    const row = (label: string, speeds: readonly Speed[]): string[] => [
      label,
      spreadText(spreadOf(speeds.map(({ wall }) => wall))),
      spreadText(spreadOf(speeds.map(({ processor }) => processor))),
    ];
    const beside = (peer: readonly Speed[]): number =>
      median(measured.latchkey.map(({ processor }, at) => processor / (peer[at]?.processor ?? Number.NaN)));
    const besideEach = beside(measured.ageEach);
    return {
      part: 'sealing',
      tables: [
        {
          title: 'Sealing to two recipients, MB/s',
          columns: ['', 'wall', 'processor time'],
          rows: [
            row('latchkey, every megabyte a file of its own', measured.latchkey),
            row(`age, one file of ${megabytes} MB`, measured.ageLong),
            row('age, a process for every megabyte', measured.ageEach),
          ],
          notes: [
            `Beside one long file: ${ratio(beside(measured.ageLong))}; that is age without the key agreements of every file, and no target.`,
            `At 2 Mbit/s sealing takes ${percent(0.25 / median(measured.latchkey.map(({ processor }) => processor)))} of one processor. Two key agreements for each file are part of it.`,
          ],
        },
      ],
      targets: [
        {
          what: 'sealing files of 1 MB beside age (processor time)',
          figure: ratio(besideEach),
          target: '>= 0.9 x',
          met: besideEach >= 0.9,
        },
      ],
      leftOut: [],
      drawings: [],
      values: measured,
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export const sealing: Part = { name: 'sealing', about: 'sealing 1 MB beside the stock age', run };
