/** The initialisation segment of a video track: what redaction must know of it, and the same with other parameter sets. Pure. */
import { AgentError } from '../../base/errors.ts';
import { type Box, boxesOf, childrenOf, damaged, joinBox, only } from '../boxes.ts';
import type { SampleDefaults } from './samples.ts';

export type Turns = 0 | 1 | 2 | 3;

export interface VideoInit {
  readonly trackId: number;
  /** Units a second. */
  readonly timescale: number;
  readonly defaults: SampleDefaults;
  /** As coded, before any turn. */
  readonly widthPx: number;
  readonly heightPx: number;
  /** Quarter turns clockwise by which a player turns the picture. */
  readonly turns: Turns;
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

/** Throws `vault/bad-movie`, `redact/mirrored`. */
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

/**
 * The matrix (a b, c d, 16.16): (1 0, 0 1) is upright, (0 1, -1 0) a quarter turn clockwise. In a mirrored or slanted picture
 * the owner would draw in one place and something else be filled.
 */
function turnsOf(tkhd: Buffer, at: number): Turns {
  const signs = [0, 4, 12, 16].map((offset) => Math.sign(tkhd.readInt32BE(at + offset))).join();
  const turns = ['1,0,0,1', '0,1,-1,0', '-1,0,0,-1', '0,-1,1,0'].indexOf(signs);
  if (turns >= 0) return turns as Turns;
  const message =
    'Cannot redact the clip: its picture is shown mirrored or slanted. Leave it out, or share it as it is';
  throw new AgentError('refused', 'redact/mirrored', message);
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
