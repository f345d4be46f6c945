/**
 * A clip with things filled. What no filled cell touches stays as it was recorded, byte for byte, from keyframe to keyframe;
 * the rest is encoded anew and stands between, on the same time line, in one file that any player takes.
 */

import type { VideoEncoder } from '../../base/video-encoder.ts';
import type { FragmentEntry, Span } from '../content.ts';
import { chooseFragments, videoTrack } from '../content.ts';
import type { Analysis } from './analysis.ts';
import { anyCell, type Cells, gridOf, turnBack } from './cells.ts';
import { type Encoded, type EncodeJob, encodeFilled } from './encoder.ts';
import { joinUnits, pictureId, sequenceId, startsAfresh } from './h264-units.ts';
import { encodeInHardware } from './hardware.ts';
import type { ClipPictures, RecordedFragment } from './pictures.ts';
import { writeFragment } from './samples.ts';
import { type AvcConfig, withAvcConfig } from './video-init.ts';

/** A part of the redacted file; `entry` names the recorded fragment that it is, byte for byte. */
export interface RedactedPart {
  readonly bytes: Uint8Array;
  readonly entry: FragmentEntry | undefined;
}

export interface Redacted {
  readonly parts: readonly RedactedPart[];
  /** Recorded fragments, initialisation segment apart: left as they were, and in all. */
  readonly untouchedCount: number;
  readonly fragmentCount: number;
  readonly fromMs: number;
  readonly toMs: number;
  /** What encoded the rest; undefined where nothing was filled. */
  readonly encoder?: VideoEncoder;
}

export interface RedactOptions {
  readonly ffmpegPath: string;
  /** One that works here; if it fails on this clip, and where none is named, the processor encodes. */
  readonly encoder?: VideoEncoder | undefined;
  readonly pictures: ClipPictures;
  readonly analysis: Analysis;
  /** For each picture of the clip, as shown. */
  readonly cover: readonly Cells[];
  readonly span: Span;
  readonly signal?: AbortSignal | undefined;
}

/** Fragments from one keyframe up to the next. */
type Group = readonly RecordedFragment[];

/** Undefined when no whole group of pictures lies in the span. Throws what `encodeFilled` throws. */
export async function redactClip(options: RedactOptions): Promise<Redacted | undefined> {
  const { pictures, cover, span } = options;
  const entries = pictures.fragments.map(({ entry }) => entry);
  const chosen = new Set(chooseFragments(entries, videoTrack, span));
  const fragments = pictures.fragments.filter(({ entry }) => chosen.has(entry));
  const [first, last] = [fragments[0], fragments.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const groups = groupsOf(fragments);
  const touched = groups.map((group) =>
    group.some(({ pictures: shown }) => shown.some((i) => anyCell(cover[i] as Cells))),
  );
  const { fromMs, toMs } = { fromMs: first.entry.start_ms, toMs: last.entry.start_ms + last.entry.duration_ms };
  const whole = { fragmentCount: fragments.length, fromMs, toMs };
  if (!touched.includes(true)) {
    const init = { bytes: pictures.initBytes, entry: pictures.initEntry };
    return { ...whole, parts: [init, ...fragments.map(asRecorded)], untouchedCount: fragments.length };
  }
  const recorded = pictures.init.avc;
  const joined = recorded !== undefined && groups.every((group) => beginsAfresh(group, recorded));
  const runs = runsOf(groups, joined ? touched : groups.map(() => true));
  const setId = joined ? freeSetId(recorded) : 0;
  const jobs = new Map(runs.filter((run) => run.touched).map((run) => [run, jobOf(run, setId, options)]));
  const { encoder, encoded } = await encodeRuns(jobs, options.encoder);
  const [sample] = encoded.values();
  if (sample === undefined) return undefined;
  const config = joinConfigs(joined ? recorded : undefined, [...encoded.values()]);
  const parts: RedactedPart[] = [{ bytes: withAvcConfig(pictures.initBytes, config), entry: undefined }];
  for (const run of runs) {
    const anew = encoded.get(run);
    if (anew === undefined) parts.push(...run.fragments.map(asRecorded));
    else
      for (const bytes of fragmentsOf(run.fragments, anew, pictures, config)) parts.push({ bytes, entry: undefined });
  }
  return { ...whole, encoder, parts, untouchedCount: parts.filter(({ entry }) => entry !== undefined).length };
}

const asRecorded = ({ bytes, entry }: RecordedFragment): RedactedPart => ({ bytes, entry });

function groupsOf(fragments: readonly RecordedFragment[]): Group[] {
  const groups: RecordedFragment[][] = [];
  for (const fragment of fragments) {
    if (fragment.entry.keyframe || groups.length === 0) groups.push([fragment]);
    else groups.at(-1)?.push(fragment);
  }
  return groups;
}

/** Where pictures before a keyframe in time hang on the group before it, two encodings can't be joined. */
function beginsAfresh(group: Group, { lengthBytes }: AvcConfig): boolean {
  const sample = group[0]?.content.samples[0];
  return sample !== undefined && startsAfresh(sample.bytes, lengthBytes);
}

interface Run {
  readonly touched: boolean;
  readonly fragments: readonly RecordedFragment[];
}

function runsOf(groups: readonly Group[], touched: readonly boolean[]): Run[] {
  const runs: { touched: boolean; fragments: RecordedFragment[] }[] = [];
  for (const [i, group] of groups.entries()) {
    const last = runs.at(-1);
    if (last?.touched === touched[i]) last?.fragments.push(...group);
    else runs.push({ touched: touched[i] === true, fragments: [...group] });
  }
  return runs;
}

/** Parameter sets of both encodings stand in one file, told apart by their numbers. */
function freeSetId(recorded: AvcConfig): number {
  const used = new Set([...recorded.sequenceSets.map(sequenceId), ...recorded.pictureSets.map(pictureId)]);
  for (let id = 1; id < 32; id++) if (!used.has(id)) return id;
  return 31;
}

function jobOf(run: Run, setId: number, options: RedactOptions): EncodeJob {
  const { pictures, analysis, cover, ffmpegPath, signal } = options;
  const { widthPx, heightPx, turns } = pictures.init;
  const numbers = run.fragments.flatMap((fragment) => fragment.pictures).toSorted((a, b) => a - b);
  const cells = numbers.map((i) => turnBack(cover[i] as Cells, analysis, turns));
  const { timesMs } = pictures;
  const spanMs = (timesMs.at(-1) ?? 0) - (timesMs[0] ?? 0);
  const rate = spanMs > 0 ? Math.round(((timesMs.length - 1) * 1000) / spanMs) : 1;
  return {
    ffmpegPath,
    input: [pictures.initBytes, ...run.fragments.map(({ bytes }) => bytes)],
    cells,
    grid: gridOf(widthPx, heightPx),
    widthPx,
    heightPx,
    picturesPerSecond: Math.min(120, Math.max(1, rate)),
    fullRange: analysis.pixelFormat?.startsWith('yuvj') === true,
    setId,
    signal,
  };
}

/** All of them by the same encoder: their parameter sets have one number and must be the same. */
async function encodeRuns(
  jobs: ReadonlyMap<Run, EncodeJob>,
  wanted: VideoEncoder = 'libx264',
): Promise<{ encoder: VideoEncoder; encoded: ReadonlyMap<Run, Encoded> }> {
  const encoded = new Map<Run, Encoded>();
  const sets = new Set<string>();
  for (const [run, job] of jobs) {
    const made = wanted === 'libx264' ? await encodeFilled(job) : await encodeInHardware(job, wanted);
    if (made === undefined) return encodeRuns(jobs);
    encoded.set(run, made);
    sets.add(Buffer.concat([...made.sequenceSets, ...made.pictureSets]).toString('latin1'));
  }
  return wanted !== 'libx264' && sets.size > 1 ? encodeRuns(jobs) : { encoder: wanted, encoded };
}

function joinConfigs(recorded: AvcConfig | undefined, encoded: readonly Encoded[]): AvcConfig {
  const distinct = (sets: readonly Uint8Array[]): Uint8Array[] => [
    ...new Map(sets.map((set) => [Buffer.from(set).toString('latin1'), set])).values(),
  ];
  const [sequence] = encoded[0]?.sequenceSets ?? [];
  return {
    profile: recorded?.profile ?? sequence?.subarray(1, 4) ?? new Uint8Array(3),
    lengthBytes: recorded?.lengthBytes ?? 4,
    sequenceSets: [...(recorded?.sequenceSets ?? []), ...distinct(encoded.flatMap((e) => e.sequenceSets))],
    pictureSets: [...(recorded?.pictureSets ?? []), ...distinct(encoded.flatMap((e) => e.pictureSets))],
    // Bit depth and colour format, which only High profiles tell: 8 bits, 4:2:0.
    rest: recorded?.rest ?? Buffer.from((sequence?.[1] ?? 0) < 100 ? [] : [0xfd, 0xf8, 0xf8, 0]),
  };
}

/** The pictures at the times at which the recorded ones are decoded and shown, a fragment from each keyframe on. */
function* fragmentsOf(
  recorded: readonly RecordedFragment[],
  encoded: Encoded,
  pictures: ClipPictures,
  { lengthBytes }: AvcConfig,
): Generator<Buffer> {
  const slots = recorded.flatMap(({ content }) => {
    let decodeTime = content.decodeTime;
    return content.samples.map(({ duration }) => {
      decodeTime += duration;
      return { decodeTime: decodeTime - duration, duration };
    });
  });
  const numbers = recorded.flatMap((fragment) => fragment.pictures).toSorted((a, b) => a - b);
  const samples = encoded.pictures.map(({ key, units }, i) => {
    const { decodeTime = 0, duration = 0 } = slots[i] ?? {};
    const shift = (pictures.shownAt[numbers[i] ?? 0] ?? 0) - decodeTime;
    return { key, decodeTime, duration, shift, bytes: joinUnits(units, lengthBytes) };
  });
  const starts = samples.flatMap(({ key }, i) => (key ? [i] : []));
  for (const [k, start] of starts.entries()) {
    const part = samples.slice(start, starts[k + 1] ?? samples.length);
    const sequence = (recorded[0]?.entry.index ?? 0) + k + 1;
    yield writeFragment({ decodeTime: part[0]?.decodeTime ?? 0, samples: part }, pictures.init.trackId, sequence);
  }
}
