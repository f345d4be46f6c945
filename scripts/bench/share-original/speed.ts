/** A minute of 1080p in the bit rate of a camera: preview (open, hash, prove) and approval (open again, seal, write, sync), in the vault's own process. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { VaultClient } from '../../../agent/vault/client.ts';
import { TestHouse, testPassphrase } from '../../../test-fixtures/house.ts';
import { addLargeClips } from '../../../test-fixtures/large-clip.ts';
import type { BenchContext, Part, PartReport } from '../bench.ts';
import { median, spreadOf } from '../statistics.ts';
import { spreadText } from '../table.ts';

const mostMs = 1000;
/** 4 Mbit/s, as `init` sets a camera of that size. */
const bytesPerSecond = 500_000;

interface Run {
  readonly previewMs: number;
  readonly approveMs: number;
  /** Of the approval, what the passphrase takes: its key is stretched on purpose. */
  readonly passphraseMs: number;
  /** Of the vault, for preview and approval: what a machine that does nothing else would take on one core, without its disk. */
  readonly processorMs: number;
  readonly peakMiB: number;
}

/** Ticks are hundredths of a second on every Linux. */
function spentMs(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function once(house: TestHouse, clipId: string, startMs: number, clipMs: number): Promise<Run> {
  await using vault = await VaultClient.start(house.dataDir);
  const beforeUnlockMs = performance.now();
  await vault.openDeciding(testPassphrase);
  const passphraseMs = performance.now() - beforeUnlockMs;
  const nowS = Math.floor(Date.now() / 1000);
  const { envelope } = house.request({ change: (r) => ({ ...r, window: { from: nowS - 7200, to: nowS } }) });
  const selection = [{ clipId, fromMs: startMs, toMs: startMs + clipMs }];
  const before = spentMs(vault.pid);
  const beforeMs = performance.now();
  const { previewId } = await vault.preview({
    request: envelope,
    agency: house.agency(),
    floorS: 0,
    selection,
    discloseLineage: false,
    sound: false,
  });
  const previewedMs = performance.now();
  const params = {
    previewId,
    passphrase: testPassphrase,
    agency: house.agency(),
    floorS: 0,
    releaseNotBeforeMs: Date.now(),
  };
  const { shareId } = await vault.approve(params);
  const approvedMs = performance.now();
  const processorMs = spentMs(vault.pid) - before;
  const status = readFileSync(`/proc/${vault.pid}/status`, 'utf8');
  rmSync(join(house.dataDir, 'owner', 'held', shareId), { recursive: true });
  const peakMiB = Math.round(Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) / 1024);
  return { previewMs: previewedMs - beforeMs, approveMs: approvedMs - previewedMs, passphraseMs, processorMs, peakMiB };
}

async function run(context: BenchContext): Promise<PartReport> {
  const clipMs = context.quick ? 5000 : 60_000;
  const startMs = Math.floor(Date.now() / 1000) * 1000 - 3_600_000;
  using house = await TestHouse.make();
  await house.pinRoot();
  const [clipId = ''] = addLargeClips(house, { startMs, clipCount: 1, clipMs, bytesPerSecond });
  const runs = [];
  for (let n = 0; n < context.runCount && !context.signal.aborted; n += 1) {
    context.note(`share-original: run ${n + 1}`);
    runs.push(await once(house, clipId, startMs, clipMs));
  }
  const whole = runs.map(({ previewMs, approveMs }) => previewMs + approveMs);
  const text = (values: readonly number[]): string => `${spreadText(spreadOf(values))} ms`;
  const seconds = clipMs / 1000;
  return {
    part: 'speed',
    tables: [
      {
        title: `Share of ${seconds} s at ${(bytesPerSecond * 8) / 1e6} Mbit/s, nothing filled`,
        columns: [
          'preview',
          'approval',
          'both',
          'processor time of both',
          'passphrase alone',
          'peak memory of the vault',
        ],
        rows: [
          [
            text(runs.map(({ previewMs }) => previewMs)),
            text(runs.map(({ approveMs }) => approveMs)),
            text(whole),
            text(runs.map(({ processorMs }) => processorMs)),
            text(runs.map(({ passphraseMs }) => passphraseMs)),
            `${Math.max(...runs.map(({ peakMiB }) => peakMiB))} MiB`,
          ],
        ],
        notes: [
          'The approval asks for the passphrase again; the house of the bench stretches it less than a real one.',
        ],
      },
    ],
    targets: [
      {
        what: '60 s of 1080p: trim, seal, prove',
        figure: `${Math.round(median(whole))} ms for ${seconds} s (${Math.round(median(runs.map(({ processorMs }) => processorMs)))} ms of processor time)`,
        target: `at most ${mostMs} ms`,
        met: context.quick ? undefined : median(whole) <= mostMs,
        ...(context.quick ? { why: 'a short clip' } : {}),
      },
    ],
    leftOut: [],
    drawings: [],
    values: { runs },
  };
}

export const speed: Part = {
  name: 'speed',
  about: 'time and memory of the vault, from the choice to the sealed files',
  run,
};
