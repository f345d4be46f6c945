/** The samples of one video fragment (moof + mdat), read and written anew on the same time line. Pure. */
import { boxesOf, childrenOf, damaged, joinBox, only } from '../boxes.ts';

export interface Sample {
  readonly duration: number;
  /** Presentation minus decoding time. */
  readonly shift: number;
  readonly bytes: Uint8Array;
}

export interface FragmentSamples {
  /** Decoding time of the first sample, in units of the track. */
  readonly decodeTime: number;
  readonly samples: readonly Sample[];
}

/** What a sample is when its fragment doesn't say (the trex box). */
export interface SampleDefaults {
  readonly duration: number;
  readonly bytes: number;
}

class Fields {
  readonly #view: Buffer;
  #at: number;

  /** From behind the box's size and type on. */
  constructor(box: Uint8Array) {
    this.#view = Buffer.from(box.buffer, box.byteOffset, box.byteLength);
    this.#at = 8;
  }

  u32(): number {
    if (this.#at + 4 > this.#view.length) throw damaged();
    this.#at += 4;
    return this.#view.readUInt32BE(this.#at - 4);
  }

  i32(): number {
    return this.u32() | 0;
  }

  skip(bytes: number): this {
    this.#at += bytes;
    return this;
  }
}

/** ISO/IEC 14496-12, 8.8.7 and 8.8.8: which optional fields stand there. */
const tfhdHas = { baseOffset: 0x1, description: 0x2, duration: 0x8, bytes: 0x10 } as const;
const trunHas = { offset: 0x1, firstFlags: 0x4, duration: 0x100, bytes: 0x200, flags: 0x400, shift: 0x800 } as const;

/** Data offsets count from the start of the moof, as the recorder's ffmpeg writes them. Throws `vault/bad-movie`. */
export function readFragment(fragment: Uint8Array, trex: SampleDefaults): FragmentSamples {
  const traf = childrenOf(only(childrenOf(only(boxesOf(fragment), 'moof')), 'traf'));
  const defaults = readDefaults(only(traf, 'tfhd').bytes, trex);
  const samples = traf.filter(({ type }) => type === 'trun').flatMap((run) => readRun(run.bytes, defaults, fragment));
  if (samples.length === 0) throw damaged();
  const tfdt = new Fields(only(traf, 'tfdt').bytes);
  const version = tfdt.u32() >>> 24;
  const high = version === 1 ? tfdt.u32() * 2 ** 32 : 0;
  return { decodeTime: high + tfdt.u32(), samples };
}

function readDefaults(tfhd: Uint8Array, trex: SampleDefaults): SampleDefaults {
  const fields = new Fields(tfhd);
  const flags = fields.u32() & 0xffffff;
  fields.skip(4);
  if ((flags & tfhdHas.baseOffset) !== 0) throw damaged();
  if ((flags & tfhdHas.description) !== 0) fields.skip(4);
  const duration = (flags & tfhdHas.duration) === 0 ? trex.duration : fields.u32();
  const bytes = (flags & tfhdHas.bytes) === 0 ? trex.bytes : fields.u32();
  return { duration, bytes };
}

function readRun(trun: Uint8Array, defaults: SampleDefaults, fragment: Uint8Array): Sample[] {
  const fields = new Fields(trun);
  const flags = fields.u32() & 0xffffff;
  const count = fields.u32();
  if ((flags & trunHas.offset) === 0 || count > 100_000) throw damaged();
  let at = fields.i32();
  if ((flags & trunHas.firstFlags) !== 0) fields.skip(4);
  return Array.from({ length: count }, () => {
    const duration = (flags & trunHas.duration) === 0 ? defaults.duration : fields.u32();
    const bytes = (flags & trunHas.bytes) === 0 ? defaults.bytes : fields.u32();
    if ((flags & trunHas.flags) !== 0) fields.skip(4);
    const shift = (flags & trunHas.shift) === 0 ? 0 : fields.i32();
    if (at < 8 || at + bytes > fragment.length) throw damaged();
    at += bytes;
    return { duration, shift, bytes: fragment.subarray(at - bytes, at) };
  });
}

/** Sync sample; depends on others and is none. */
const [keyFlags, otherFlags] = [0x0200_0000, 0x0101_0000];

/** One moof + mdat that begins with a keyframe. */
export function writeFragment(fragment: FragmentSamples, trackId: number, sequence: number): Buffer {
  const { samples, decodeTime } = fragment;
  const moofOf = (dataOffset: number): Buffer => {
    const trun = words([0x0100_0f01, samples.length, dataOffset]);
    const table = samples.map(({ duration, bytes, shift }, i) =>
      words([duration, bytes.length, i === 0 ? keyFlags : otherFlags, shift >>> 0]),
    );
    return joinBox('moof', [
      joinBox('mfhd', [words([0, sequence])]),
      joinBox('traf', [
        joinBox('tfhd', [words([0x0002_0000, trackId])]),
        joinBox('tfdt', [words([0x0100_0000, Math.floor(decodeTime / 2 ** 32), decodeTime % 2 ** 32])]),
        joinBox('trun', [trun, ...table]),
      ]),
    ]);
  };
  const moof = moofOf(moofOf(0).length + 8);
  const mdat = joinBox(
    'mdat',
    samples.map(({ bytes }) => bytes),
  );
  return Buffer.concat([moof, mdat]);
}

function words(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, 4 * i);
  return bytes;
}
