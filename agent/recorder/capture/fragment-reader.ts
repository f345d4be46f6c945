import { badStream } from './box-splitter.ts';
import { BoxView } from './box-view.ts';
import type { SampleDefaults, StreamTrack } from './init-reader.ts';

/** The times of one fragment in presentation time, on the time line that the bytes themselves carry. */
export interface FragmentInfo {
  readonly startMs: number;
  readonly durationMs: number;
  readonly keyframe: boolean;
  readonly sampleCount: number;
}

const maxSampleCount = 10_000;
/** sample_is_non_sync_sample, ISO/IEC 14496-12, 8.8.3.1. */
const nonSyncFlag = 0x10000;

/**
 * Reads the fragments (moof + mdat) of one stream with one track. Where pictures are reordered, decoding times run ahead
 * of presentation by the composition offset of the last keyframe: a fragment starts at its decoding time plus that, so
 * that fragments touch each other and a keyframe's fragment starts when the keyframe is shown.
 */
export class FragmentReader {
  readonly #init: StreamTrack;
  readonly #kind: 'video' | 'sound';
  #reorderDelay = 0;

  constructor(init: StreamTrack, kind: 'video' | 'sound' = 'video') {
    this.#init = init;
    this.#kind = kind;
  }

  /** Throws `capture/bad-stream` when the boxes contradict each other or a keyframe stands inside. */
  read(bytes: Uint8Array, mdatOffset: number): FragmentInfo {
    const traf = BoxView.of(bytes, 0, mdatOffset).child('moof').child('traf');
    const defaults = readTrackDefaults(this.#init, traf.child('tfhd'));
    const samples = [...readRuns(traf, defaults)];
    const first = samples[0];
    if (first === undefined) throw badStream('a fragment has no sample');
    if (this.#kind === 'video' && samples.slice(1).some(isKeyframe))
      throw badStream('a keyframe stands inside a fragment');
    const payloadBytes = samples.reduce((sum, sample) => sum + sample.sizeBytes, 0);
    if (payloadBytes !== bytes.byteLength - mdatOffset - mdatHeaderBytes(bytes, mdatOffset)) {
      throw badStream('a fragment and its index disagree about its size');
    }
    if (isKeyframe(first)) this.#reorderDelay = first.compositionOffset;
    const start = readDecodeTime(traf.child('tfdt')) + this.#reorderDelay;
    const startMs = this.#toMs(start);
    const endMs = this.#toMs(start + samples.reduce((sum, sample) => sum + sample.duration, 0));
    return { startMs, durationMs: endMs - startMs, keyframe: isKeyframe(first), sampleCount: samples.length };
  }

  /** Both ends are rounded, not the duration, so that fragments which touch still touch. */
  #toMs(time: number): number {
    return Math.round((time * 1000) / this.#init.timescale);
  }
}

function isKeyframe(sample: Sample): boolean {
  return (sample.flags & nonSyncFlag) === 0;
}

/** 8, or 16 when the size is written in 64 bits. */
export function mdatHeaderBytes(bytes: Uint8Array, mdatOffset: number): number {
  return BoxView.of(bytes, mdatOffset).u32() === 1 ? 16 : 8;
}

interface Sample {
  readonly duration: number;
  readonly sizeBytes: number;
  readonly flags: number;
  readonly compositionOffset: number;
}

function readTrackDefaults(init: StreamTrack, tfhd: BoxView): SampleDefaults {
  const { flags } = tfhd.versionAndFlags();
  if (tfhd.u32() !== init.trackId) throw badStream('a fragment belongs to another track');
  if (flags & 0x1) tfhd.skip(8);
  if (flags & 0x2) tfhd.skip(4);
  return {
    duration: flags & 0x8 ? tfhd.u32() : init.defaults.duration,
    sizeBytes: flags & 0x10 ? tfhd.u32() : init.defaults.sizeBytes,
    flags: flags & 0x20 ? tfhd.u32() : init.defaults.flags,
  };
}

function readDecodeTime(tfdt: BoxView): number {
  const { version } = tfdt.versionAndFlags();
  return version === 1 ? tfdt.i64() : tfdt.u32();
}

function* readRuns(traf: BoxView, defaults: SampleDefaults): Generator<Sample> {
  let leftCount = maxSampleCount;
  for (const { type, view } of traf.boxes()) {
    if (type !== 'trun') continue;
    const { flags } = view.versionAndFlags();
    const count = view.u32();
    leftCount -= count;
    if (leftCount < 0) throw badStream('a fragment has too many samples');
    if (flags & 0x1) view.skip(4);
    const firstFlags = flags & 0x4 ? view.u32() : undefined;
    for (let index = 0; index < count; index++) {
      const duration = flags & 0x100 ? view.u32() : defaults.duration;
      const sizeBytes = flags & 0x200 ? view.u32() : defaults.sizeBytes;
      const own = flags & 0x400 ? view.u32() : defaults.flags;
      const compositionOffset = flags & 0x800 ? view.i32() : 0;
      yield { duration, sizeBytes, flags: index === 0 ? (firstFlags ?? own) : own, compositionOffset };
    }
  }
}
