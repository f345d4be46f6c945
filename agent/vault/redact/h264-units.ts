/** Network units of H.264 (ITU-T H.264, 7.3 and Annex B), as far as joining two encodings in one track needs them. Pure. */
import { damaged } from '../boxes.ts';

export const unitTypes = { slice: 1, keySlice: 5, sequenceSet: 7, pictureSet: 8, delimiter: 9 } as const;

export const typeOf = (unit: Uint8Array): number => (unit[0] ?? 0) & 31;

/** One encoded picture: the units of its slices, nothing else. */
export interface EncodedPicture {
  readonly key: boolean;
  readonly units: readonly Uint8Array[];
}

/** Units between start codes, without them. Emulation prevention guarantees that none holds one. */
export function* splitUnits(stream: Buffer): Generator<Uint8Array> {
  const mark = Buffer.from([0, 0, 1]);
  for (let at = stream.indexOf(mark); at >= 0; ) {
    const from = at + 3;
    at = stream.indexOf(mark, from);
    let to = at < 0 ? stream.length : at;
    // Zeros before a start code belong to it.
    while (to > from && stream[to - 1] === 0) to--;
    if (to > from) yield stream.subarray(from, to);
  }
}

/** Pictures and parameter sets of an encoder that writes access unit delimiters. What may name the encoder (SEI) is dropped. */
export function readEncoded(stream: Buffer): {
  readonly pictures: readonly EncodedPicture[];
  readonly sequenceSets: readonly Uint8Array[];
  readonly pictureSets: readonly Uint8Array[];
} {
  const groups: Uint8Array[][] = [];
  const sets = { sequence: new Map<string, Uint8Array>(), picture: new Map<string, Uint8Array>() };
  for (const unit of splitUnits(stream)) {
    const type = typeOf(unit);
    if (type === unitTypes.delimiter) groups.push([]);
    else if (type === unitTypes.sequenceSet) sets.sequence.set(keyOf(unit), unit);
    else if (type === unitTypes.pictureSet) sets.picture.set(keyOf(unit), unit);
    else if (type === unitTypes.slice || type === unitTypes.keySlice) groups.at(-1)?.push(unit);
  }
  return {
    pictures: groups
      .filter((units) => units.length > 0)
      .map((units) => ({ key: units.every((unit) => typeOf(unit) === unitTypes.keySlice), units })),
    sequenceSets: [...sets.sequence.values()],
    pictureSets: [...sets.picture.values()],
  };
}

const keyOf = (unit: Uint8Array): string => Buffer.from(unit).toString('latin1');

export function joinUnits(units: readonly Uint8Array[], lengthBytes: number): Buffer {
  return Buffer.concat(
    units.flatMap((unit) => {
      const length = Buffer.alloc(lengthBytes);
      length.writeUIntBE(unit.length, 0, lengthBytes);
      return [length, unit];
    }),
  );
}

/** Whether everything after this sample can be decoded without anything before it. Throws `vault/bad-movie`. */
export function startsAfresh(sample: Uint8Array, lengthBytes: number): boolean {
  const bytes = Buffer.from(sample.buffer, sample.byteOffset, sample.byteLength);
  for (let at = 0; at + lengthBytes < bytes.length; ) {
    const size = bytes.readUIntBE(at, lengthBytes);
    const type = (bytes[at + lengthBytes] ?? 0) & 31;
    if (type === unitTypes.keySlice) return true;
    if (type === unitTypes.slice || size === 0) return false;
    at += lengthBytes + size;
  }
  throw damaged();
}

/** The number of a sequence parameter set: an Exp-Golomb code behind profile, constraints and level. */
export function sequenceId(set: Uint8Array): number {
  let zeros = 0;
  const bit = (i: number): number => ((set[4 + (i >> 3)] ?? 0) >> (7 - (i & 7))) & 1;
  while (zeros < 8 && bit(zeros) === 0) zeros++;
  let code = 0;
  for (let i = zeros; i <= 2 * zeros; i++) code = code * 2 + bit(i);
  return code - 1;
}

/** The number of a picture parameter set. */
export function pictureId(set: Uint8Array): number {
  return sequenceId(Buffer.concat([Buffer.alloc(3), set]));
}
