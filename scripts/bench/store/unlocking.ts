/** How soon an owner sees the clips after unlocking viewing: the vault's own process, a full camera, with and without its index. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../../../agent/base/clock.ts';
import { silentLog } from '../../../agent/base/log.ts';
import { sealBytes } from '../../../agent/protocol/age-file.ts';
import { encodeClipMetadata } from '../../../agent/protocol/clip-metadata.ts';
import { ClipsDb } from '../../../agent/store/clips-db.ts';
import { VaultClient } from '../../../agent/vault/client.ts';
import { createKeys } from '../../../agent/vault/enrolment.ts';
import type { BenchContext, Part, PartReport, TargetRow } from '../bench.ts';
import { median, spreadOf } from '../statistics.ts';
import { spreadText } from '../table.ts';

const dayMs = 86_400_000;
const memoryFolder = '/dev/shm';
const passphrase = 'a passphrase of the bench';
/** A clip of half a minute: five fragments a second, a picture as large as pictures are. */
const fragmentCount = 150;
const stillBytes = 12_000;
const clipsPerDay = 150;

function addClips(dataDir: string, recipients: readonly string[], clipCount: number, context: BenchContext): void {
  const folder = join(dataDir, 'cameras', 'front');
  mkdirSync(folder, { recursive: true });
  using db = ClipsDb.open({ path: join(folder, 'clips.db'), log: silentLog, wallMs: Date.now() });
  const seal = (bytes: Uint8Array) => sealBytes(recipients, bytes);
  const fragments = Array.from({ length: fragmentCount }, (_, index) => ({
    index,
    track: 1,
    offset: index * 50_000,
    bytes: 50_000,
    start_ms: index * 200,
    duration_ms: index === 0 ? 0 : 200,
    keyframe: index % 10 === 0,
    salt: randomBytes(16).toString('hex'),
    sha256: randomBytes(32).toString('hex'),
  }));
  const label = { kind: 'person', from_ms: 0, to_ms: 1, score: 0.9, box: { x: 1, y: 1, w: 9, h: 9 } } as const;
  const firstMs = Math.floor(Date.now() / dayMs) * dayMs - Math.floor(clipCount / clipsPerDay) * dayMs;
  for (let n = 0; n < clipCount; n++) {
    context.signal.throwIfAborted();
    const startMs = firstMs + Math.floor(n / clipsPerDay) * dayMs + (n % clipsPerDay) * 60_000;
    const clipId = randomBytes(16).toString('hex');
    const opening = encodeClipMetadata({
      v: 1,
      clip_id: clipId,
      camera_id: 'front',
      trigger: 'person',
      run_id: 'bench',
      start_ms: startMs,
      clock: 'synchronised',
      wall_at_zero_ms: startMs,
      codec: 'avc1.64001f',
      width_px: 1920,
      height_px: 1080,
      key: randomBytes(32).toString('hex'),
    });
    const closing = encodeClipMetadata({
      v: 1,
      end_ms: startMs + 30_000,
      labels: [label],
      fragments: fragments.map((each) => ({ ...each, start_ms: startMs + each.start_ms })),
      manifest: randomBytes(900).toString('base64'),
      thumbnail: randomBytes(stillBytes).toString('base64'),
    });
    const seq = db.openClip({ clipId, wallMs: startMs, opening: seal(opening) });
    // What a list needs is in the metadata; the footage would only fill the memory.
    db.appendSegment(seq, { track: 1, position: 0, sealed: seal(Buffer.alloc(16)) });
    db.closeClip(seq, seal(closing));
  }
}

/** From the start of the vault's process: by the clock, and of processor time that it took. */
interface Wait {
  readonly wallMs: number;
  readonly processorMs: number;
}

interface Waits {
  readonly unlocked: Wait;
  readonly today: Wait;
  readonly all: Wait;
}

const ticksPerSecond = 100;

/** User and system time of a process and all its threads. */
function processorMs(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ');
  return ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1000;
}

/** From the start of the process to each answer; the last waits for the whole index. */
async function look(
  dataDir: string,
  pairing: { record: object; viewingKey: string },
  wait: () => Promise<void>,
): Promise<Waits> {
  const before = performance.now();
  await using vault = await VaultClient.start(dataDir);
  const now = (): Wait => ({ wallMs: performance.now() - before, processorMs: processorMs(vault.pid) });
  await vault.openViewing(pairing.record as Parameters<VaultClient['openViewing']>[0], pairing.viewingKey, 0);
  const unlocked = now();
  const nowMs = Date.now();
  await vault.listClips(Math.floor(nowMs / dayMs) * dayMs, nowMs + dayMs);
  const today = now();
  await vault.listClips(0, nowMs + dayMs);
  const all = now();
  await wait();
  return { unlocked, today, all };
}

async function run(context: BenchContext): Promise<PartReport> {
  const clipCount = context.quick ? 300 : 10_000;
  const folder = mkdtempSync(join(existsSync(memoryFolder) ? memoryFolder : tmpdir(), 'lk-bench-'));
  try {
    const dataDir = join(folder, 'house');
    const place = { latE6: 1, lonE6: 1 };
    const keys = await createKeys({ dataDir, passphrase, clock: systemClock, place, regions: ['US-CA'], log2Work: 8 });
    addClips(dataDir, [keys.ownerRecipient, keys.recoveryRecipient], clipCount, context);
    context.note(`${clipCount} clips stored`);
    const pairing = await (async () => {
      await using vault = await VaultClient.start(dataDir);
      return await vault.pair(passphrase, 'bench');
    })();
    const index = join(dataDir, 'owner', 'clip-index');
    const indexed = async (): Promise<void> => {
      const days = Math.floor(clipCount / clipsPerDay);
      const count = (): number =>
        existsSync(index) ? readdirSync(index).filter((name) => name.endsWith('.age')).length : 0;
      while (count() < days) await delay(50);
    };
    const measured = { cold: [] as Waits[], indexed: [] as Waits[] };
    for (let round = 0; round < context.runCount; round++) {
      context.signal.throwIfAborted();
      rmSync(index, { recursive: true, force: true });
      measured.cold.push(await look(dataDir, pairing, indexed));
      measured.indexed.push(await look(dataDir, pairing, async () => {}));
    }
    const seconds = (waits: readonly Waits[], of: keyof Waits, by: keyof Wait): number[] =>
      waits.map((each) => each[of][by] / 1000);
    const row = (label: string, waits: readonly Waits[], by: keyof Wait): string[] => [
      label,
      ...(['unlocked', 'today', 'all'] as const).map((of) => spreadText(spreadOf(seconds(waits, of, by)))),
    ];
    const bound = (what: string, waits: readonly Waits[], of: keyof Waits, atMost: number): TargetRow => {
      const value = median(seconds(waits, of, 'processorMs'));
      return { what, figure: `${value.toFixed(2)} s`, target: `<= ${atMost} s`, met: value <= atMost };
    };
    return {
      part: 'unlocking',
      tables: [
        {
          title: `Unlocking viewing with ${clipCount} clips, seconds from the start of the vault`,
          columns: ['', 'unlocked', 'today listed', 'all listed'],
          rows: [
            row('no index yet, by the clock', measured.cold, 'wallMs'),
            row('no index yet, processor time', measured.cold, 'processorMs'),
            row('indexed, by the clock', measured.indexed, 'wallMs'),
            row('indexed, processor time', measured.indexed, 'processorMs'),
          ],
          notes: [
            `Clips of 30 s with ${fragmentCount} fragments and a picture each, on a file system in memory.`,
            'The vault works on one thread: its processor time, the start of its process included, is what the wait comes to on an idle machine, and what the targets are judged by.',
          ],
        },
      ],
      targets: [
        bound("today's timeline, no index yet", measured.cold, 'today', 1),
        bound(`${clipCount} clips, no index yet`, measured.cold, 'all', 5),
        bound(`${clipCount} clips, indexed`, measured.indexed, 'all', 1),
      ],
      leftOut: [],
      drawings: [],
      values: measured,
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export const unlocking: Part = {
  name: 'unlocking',
  about: "today's timeline and 10,000 clips after an unlock, with and without the index of past days",
  run,
};
