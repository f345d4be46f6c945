/** How long a request, an agency's document and a whole directory take to reach every device, and what the broker pays. */
import { join } from 'node:path';
import type { BenchContext, Part, PartReport } from '../bench.ts';
import { quantile } from '../statistics.ts';
import { figure } from '../table.ts';
import { fleetChart } from './chart.ts';
import { makeDocuments, sizes } from './documents.ts';
import { Fleet, type Message, mostDevices } from './fleet.ts';

const kinds = ['request', 'agency', 'directory'] as const;
type Kind = (typeof kinds)[number];

interface Times {
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
  readonly missing: number;
  readonly brokerCpuMs: number;
  readonly runs: readonly { readonly p50: number; readonly p95: number; readonly max: number }[];
}

interface Size {
  readonly deviceCount: number;
  readonly tls: boolean;
  readonly connectS: number;
  readonly failed: number;
  readonly lost: number;
  readonly answerBytes: number;
  readonly brokerIdleBytes: number;
  readonly brokerPeakBytes: number;
  readonly times: Readonly<Record<Kind, Times>>;
}

async function measure(context: BenchContext, deviceCount: number, tls: boolean): Promise<Size> {
  const documents = makeDocuments(Date.now());
  const name = `${tls ? 'tls' : 'plain'}-${deviceCount}`;
  await using fleet = await Fleet.start({ dir: join(context.workDir, name), deviceCount, tls });
  context.note(`${deviceCount} devices${tls ? ' by TLS' : ''} connected in ${(fleet.connectMs / 1000).toFixed(1)} s`);
  const brokerIdleBytes = fleet.brokerMemoryBytes();
  const times = {
    request: await deliverOften(fleet, context, () => [documents.request()]),
    agency: await deliverOften(fleet, context, () => [documents.agency()]),
    directory: await deliverOften(fleet, context, documents.directory, 2),
  };
  const { answerBytes, lostCount } = await fleet.count();
  return {
    deviceCount,
    tls,
    connectS: fleet.connectMs / 1000,
    failed: fleet.failedCount,
    lost: lostCount,
    answerBytes,
    brokerIdleBytes,
    brokerPeakBytes: fleet.brokerPeakBytes(),
    times,
  };
}

async function deliverOften(
  fleet: Fleet,
  context: BenchContext,
  make: () => readonly Message[],
  mostRuns = Number.POSITIVE_INFINITY,
): Promise<Times> {
  const runs: { p50: number; p95: number; max: number }[] = [];
  let [missing, brokerCpuMs] = [0, 0];
  const runCount = Math.min(context.runCount, mostRuns);
  for (let run = 0; run < runCount; run += 1) {
    context.signal.throwIfAborted();
    const delivered = await fleet.deliver(make());
    const at = (share: number): number => quantile(delivered.msByDevice, share);
    runs.push({ p50: at(0.5), p95: at(0.95), max: at(1) });
    missing += delivered.missingCount;
    brokerCpuMs += delivered.brokerCpuMs / runCount;
  }
  const median = (of: 'p50' | 'p95' | 'max'): number =>
    quantile(
      runs.map((run) => run[of]),
      0.5,
    );
  return { p50: median('p50'), p95: median('p95'), max: median('max'), missing, brokerCpuMs, runs };
}

export const delivery: Part = {
  name: 'delivery',
  about: 'delivery time, broker memory and processor time for 500 to 10,000 devices on one Mosquitto on loopback',
  async run(context): Promise<PartReport> {
    const wanted: [number, boolean][] = context.quick
      ? [[200, false], [500, false], [200, true]]
      : [[500, false], [1000, false], [2000, false], [5000, false], [10_000, false], [500, true], [1000, true], [2000, true]]; // biome-ignore format: a table
    const most = mostDevices();
    const measured: Size[] = [];
    for (const [count, tls] of wanted.filter(([devices]) => devices <= most))
      measured.push(await measure(context, count, tls));
    const leftOut = wanted
      .filter(([devices]) => devices > most)
      .map(([devices]) => `${devices} devices: the limit on open files allows ${most}`);
    return reportOf(measured, leftOut, sizes(makeDocuments(Date.now())));
  },
};

function reportOf(measured: readonly Size[], leftOut: readonly string[], bytes: ReturnType<typeof sizes>): PartReport {
  const cell = ({ p50, p95, max }: Times): string => `${figure(p50)} / ${figure(p95)} / ${figure(max)}`;
  const rows = measured.map((size) => [
    `${size.deviceCount}${size.tls ? ' TLS' : ''}`,
    figure(size.connectS),
    ...kinds.map((kind) => cell(size.times[kind])),
    figure(size.brokerIdleBytes / 1e6),
    figure(size.brokerPeakBytes / 1e6),
    ...kinds.map((kind) => figure(size.times[kind].brokerCpuMs)),
    String(kinds.reduce((sum, kind) => sum + size.times[kind].missing, size.failed + size.lost)),
    size.tls ? '-' : String(size.answerBytes),
  ]);
  const plain = measured.filter(({ tls }) => !tls);
  const answers = plain.reduce((sum, size) => sum + size.answerBytes, 0);
  const lines = (of: keyof Pick<Times, 'p50' | 'p95' | 'max'>) =>
    kinds.map((kind) => ({
      label: `${kind}, ${of}`,
      points: plain.map((size) => [size.deviceCount, size.times[kind][of]] as const),
    }));
  const memory = (tls: boolean) =>
    measured.filter((size) => size.tls === tls).map((size) => [size.deviceCount, size.brokerIdleBytes / 1e6] as const);
  return {
    part: 'delivery',
    tables: [
      {
        title: 'Devices on one Mosquitto, all on one machine: ms until p50 / p95 / the last device has it',
        columns: [
          'devices',
          'connect s',
          ...kinds.map((kind) => `${kind} ms`),
          'broker MB',
          'peak MB',
          ...kinds.map((kind) => `cpu ms ${kind}`),
          'not received',
          'bytes upstream',
        ],
        rows,
        notes: [
          `bytes to each device: request ${bytes.request}, agency ${bytes.agency}, directory of 1,500 agencies ${bytes.directory}; medians of the runs`,
          'bytes upstream: what devices sent after SUBSCRIBE, pings aside; by TLS the socket does not tell',
        ],
      },
    ],
    targets: [
      {
        what: 'application bytes that deliveries caused upstream',
        figure: String(answers),
        target: '0',
        met: answers === 0,
      },
      {
        what: 'documents not received',
        figure: String(
          plain.reduce((sum, size) => sum + kinds.reduce((n, kind) => n + size.times[kind].missing, 0), 0),
        ),
        target: '0',
        met: plain.every((size) => kinds.every((kind) => size.times[kind].missing === 0)),
      },
    ],
    leftOut,
    drawings: [
      {
        name: 'fleet-delivery',
        svg: fleetChart({ title: 'Until a document is there', unit: 'ms', lines: [...lines('p50'), ...lines('max')] }),
      },
      {
        name: 'fleet-memory',
        svg: fleetChart({
          title: 'Memory of the broker, all connected and idle',
          unit: 'MB',
          lines: [
            { label: 'plain', points: memory(false) },
            { label: 'TLS 1.3', points: memory(true) },
          ],
        }),
      },
    ],
    values: { bytes, measured },
  };
}
