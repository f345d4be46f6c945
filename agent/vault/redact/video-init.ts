/** The initialisation segment of a video track: what redaction must know of it, and the same with other parameter sets. Pure. */
import { type Box, boxesOf, childrenOf, damaged, joinBox, only } from '../boxes.ts';
import type { SampleDefaults } from './samples.ts';

export interface VideoInit {
  readonly trackId: number;
  /** Units a second. */
  readonly timescale: number;
  readonly defaults: SampleDefaults;
  /** As coded, before any turn. */
  readonly widthPx: number;
  readonly heightPx: number;
  /** Quarter turns clockwise by which a player turns the picture. */
  readonly turns: 0 | 1 | 2 | 3;
  /** Undefined where the pictures are not H.264. */
  readonly avc: AvcConfig | undefined;
}

export interface AvcConfig {
  /** Profile, constraints and level. */
  readonly profile: Uint8Array;
  /** How many bytes give the length of a unit. */
  readonly lengthBytes: 1 | 2 | 4;
  readonly sequenceSets: readonly Uint8Array[];
  readonly pictureSets: readonly Uint8Array[];
  /** What follows them in High profiles. */
  readonly rest: Uint8Array;
}

/** Fixed fields of a visual sample entry before its boxes, its own size and type included. */
const entryBytes = 86;

const view = (box: Box): Buffer => Buffer.from(box.bytes.buffer, box.bytes.byteOffset, box.bytes.byteLength);
const path = (boxes: readonly Box[], ...types: readonly string[]): Box =>
  types.slice(1).reduce((box, type) => only(childrenOf(box), type), only(boxes, types[0] ?? ''));

/** The one sample entry of a track. */
function entryOf(stsd: Box): Box {
  const [entry, ...more] = boxesOf(stsd.bytes.subarray(16));
  if (entry === undefined || more.length > 0 || entry.bytes.length < entryBytes) throw damaged();
  return entry;
}

/** Throws `vault/bad-movie`. */
export function readVideoInit(init: Uint8Array): VideoInit {
  const top = boxesOf(init);
  try {
    const trak = path(top, 'moov', 'trak');
    const [tkhd, mdhd] = [view(path([trak], 'trak', 'tkhd')), view(path([trak], 'trak', 'mdia', 'mdhd'))];
    const trex = view(path(top, 'moov', 'mvex', 'trex'));
    const entry = entryOf(path([trak], 'trak', 'mdia', 'minf', 'stbl', 'stsd'));
    const avcC = boxesOf(entry.bytes.subarray(entryBytes)).find(({ type }) => type === 'avcC');
    const wide = tkhd[8] === 1;
    return {
      trackId: tkhd.readUInt32BE(wide ? 28 : 20),
      timescale: mdhd.readUInt32BE(mdhd[8] === 1 ? 28 : 20),
      defaults: { duration: trex.readUInt32BE(20), bytes: trex.readUInt32BE(24) },
      widthPx: view(entry).readUInt16BE(32),
      heightPx: view(entry).readUInt16BE(34),
      turns: turnsOf(tkhd, wide ? 60 : 48),
      avc: avcC && entry.type === 'avc1' ? readAvcConfig(avcC.bytes.subarray(8)) : undefined,
    };
  } catch (thrown) {
    // Reading behind the end of a box.
    if (thrown instanceof RangeError) throw damaged();
    throw thrown;
  }
}

/** First row of the matrix, 16.16: (1, 0) is upright, (0, 1) a quarter turn clockwise. Anything else is taken as upright. */
function turnsOf(tkhd: Buffer, at: number): 0 | 1 | 2 | 3 {
  const [a, b] = [tkhd.readInt32BE(at), tkhd.readInt32BE(at + 4)];
  if (a === 0 && b !== 0) return b > 0 ? 1 : 3;
  return a < 0 && b === 0 && tkhd.readInt32BE(at + 16) < 0 ? 2 : 0;
}

/** ISO/IEC 14496-15, 5.3.3.1. */
function readAvcConfig(bytes: Uint8Array): AvcConfig {
  const data = Buffer.from(bytes);
  let at = 5;
  const readSets = (count: number): Uint8Array[] =>
    Array.from({ length: count }, () => {
      const size = data.readUInt16BE(at);
      at += 2 + size;
      if (at > data.length) throw damaged();
      return data.subarray(at - size, at);
    });
  const lengthBytes = ((data[4] ?? 0) & 3) + 1;
  if (lengthBytes === 3) throw damaged();
  const sequenceSets = readSets((data[at++] ?? 0) & 31);
  const pictureSets = readSets(data[at++] ?? 0);
  const [profile, rest] = [data.subarray(1, 4), data.subarray(at)];
  return { profile, lengthBytes: lengthBytes as 1 | 2 | 4, sequenceSets, pictureSets, rest };
}

function writeAvcConfig(config: AvcConfig): Buffer {
  const sets = (list: readonly Uint8Array[]): Buffer[] =>
    list.map((set) => {
      const head = Buffer.alloc(2);
      head.writeUInt16BE(set.length);
      return Buffer.concat([head, set]);
    });
  return joinBox('avcC', [
    Buffer.from([1, ...config.profile, 0xfc | (config.lengthBytes - 1)]),
    Buffer.from([0xe0 | config.sequenceSets.length]),
    ...sets(config.sequenceSets),
    Buffer.from([config.pictureSets.length]),
    ...sets(config.pictureSets),
    config.rest,
  ]);
}

/** The same segment with an H.264 sample entry of these parameter sets; all else stays byte for byte. */
export function withAvcConfig(init: Uint8Array, config: AvcConfig): Buffer {
  const rebuild = (box: Box, types: readonly string[]): Uint8Array => {
    const [type, ...deeper] = types;
    if (type === undefined) return avcEntries(box, config);
    return joinBox(
      box.type,
      childrenOf(box).map((child) => (child.type === type ? rebuild(child, deeper) : child.bytes)),
    );
  };
  const types = ['trak', 'mdia', 'minf', 'stbl', 'stsd'];
  return Buffer.concat(boxesOf(init).map((box) => (box.type === 'moov' ? rebuild(box, types) : box.bytes)));
}

/** Of the old entry stay its fixed fields (sizes) and what says how pixels are shaped. */
function avcEntries(stsd: Box, config: AvcConfig): Buffer {
  const entry = entryOf(stsd);
  const kept = boxesOf(entry.bytes.subarray(entryBytes)).filter(({ type }) => type === 'pasp' || type === 'colr');
  const fixed = entry.bytes.subarray(8, entryBytes);
  const avc1 = joinBox('avc1', [fixed, writeAvcConfig(config), ...kept.map(({ bytes }) => bytes)]);
  return joinBox('stsd', [stsd.bytes.subarray(8, 16), avc1]);
}
