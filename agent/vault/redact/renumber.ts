/**
 * Gives the parameter sets of an encoding other numbers, in the sets and in every slice: a hardware encoder can't be told
 * any, takes 0, and that is mostly the camera's (ITU-T H.264, 7.3.2 and 7.3.3). Only what such encoders make is known:
 * whole progressive pictures, 4:2:0, no B-slices. Pure.
 */
import { BitReader, BitWriter, escapeUnit, unescapeUnit } from './bits.ts';
import type { Encoded } from './encoder.ts';
import { typeOf, unitTypes } from './h264-units.ts';

interface Sequence {
  readonly frameNumberBits: number;
  readonly orderType: number;
  readonly orderBits: number;
  readonly orderAlwaysZero: boolean;
}

interface Picture {
  readonly arithmetic: boolean;
  readonly fieldOrder: boolean;
  readonly referenceCount: number;
  readonly weighted: boolean;
  readonly filterControl: boolean;
  readonly redundant: boolean;
}

/** Undefined when the encoding is of a kind that is not known here. Throws `vault/bad-movie`. */
export function renumber(encoded: Encoded, id: number): Encoded | undefined {
  const [[sequenceUnit, ...moreSequences], [pictureUnit, ...morePictures]] = [
    encoded.sequenceSets,
    encoded.pictureSets,
  ];
  if (sequenceUnit === undefined || pictureUnit === undefined || moreSequences.length + morePictures.length > 0)
    return undefined;
  const [sequenceBytes, pictureBytes] = [unescapeUnit(sequenceUnit), unescapeUnit(pictureUnit)];
  const sequence = readSequence(sequenceBytes);
  const picture = readPicture(pictureBytes);
  if (sequence === undefined || picture === undefined) return undefined;
  const pictures = [];
  for (const { key, units } of encoded.pictures) {
    const renumbered = units.map((unit) => renumberSlice(unit, id, sequence, picture));
    if (!renumbered.every((unit) => unit !== undefined)) return undefined;
    pictures.push({ key, units: renumbered });
  }
  return {
    pictures,
    sequenceSets: [withIds(sequenceBytes, 32, [id])],
    pictureSets: [withIds(pictureBytes, 8, [id, id])],
  };
}

/** The set with its first codes, which begin at this bit, replaced. */
function withIds(bytes: Buffer, from: number, ids: readonly number[]): Buffer {
  const reader = new BitReader(bytes, from);
  reader.codes(ids.length);
  const writer = new BitWriter(bytes.length + 8);
  writer.copy(bytes, 0, from);
  for (const id of ids) writer.putCode(id);
  writer.copy(bytes, reader.at, endOf(bytes));
  writer.align(0);
  return escapeUnit(writer.bytes);
}

/** Behind the last bit that is set: what follows only fills the byte. */
function endOf(bytes: Uint8Array): number {
  let last = bytes.length - 1;
  while (last > 0 && bytes[last] === 0) last--;
  const byte = bytes[last] ?? 0;
  return 8 * (last + 1) - (31 - Math.clz32(byte & -byte));
}

/** Profiles whose sets tell the colour format and the bit depth. */
const highProfiles = new Set([100, 110, 122, 244, 44]);

function readSequence(bytes: Uint8Array): Sequence | undefined {
  const reader = new BitReader(bytes, 8);
  const profile = reader.bits(8);
  reader.bits(16);
  reader.code();
  if (highProfiles.has(profile)) {
    if (reader.code() !== 1) return undefined;
    reader.codes(2);
    reader.flag();
    // Scaling matrices.
    if (reader.flag()) return undefined;
  }
  const frameNumberBits = reader.code() + 4;
  const orderType = reader.code();
  const orderBits = orderType === 0 ? reader.code() + 4 : 0;
  const orderAlwaysZero = orderType === 1 && reader.flag();
  if (orderType === 1) {
    reader.codes(2);
    reader.codes(reader.code());
  }
  reader.code();
  reader.flag();
  reader.codes(2);
  const progressive = reader.flag();
  return progressive ? { frameNumberBits, orderType, orderBits, orderAlwaysZero } : undefined;
}

function readPicture(bytes: Uint8Array): Picture | undefined {
  const reader = new BitReader(bytes, 8);
  reader.codes(2);
  const arithmetic = reader.flag();
  const fieldOrder = reader.flag();
  // Slice groups.
  if (reader.code() !== 0) return undefined;
  const referenceCount = reader.code() + 1;
  reader.code();
  const weighted = reader.flag();
  reader.bits(2);
  reader.codes(3);
  const filterControl = reader.flag();
  reader.flag();
  return { arithmetic, fieldOrder, referenceCount, weighted, filterControl, redundant: reader.flag() };
}

const [predicted, intra] = [0, 2];

function renumberSlice(unit: Uint8Array, id: number, sequence: Sequence, picture: Picture): Buffer | undefined {
  const bytes = unescapeUnit(unit);
  const reader = new BitReader(bytes, 8);
  reader.code();
  const kind = reader.code() % 5;
  if (kind !== predicted && kind !== intra) return undefined;
  const idAt = reader.at;
  reader.code();
  const restAt = reader.at;
  const writer = new BitWriter(bytes.length + 8);
  writer.copy(bytes, 0, idAt);
  writer.putCode(id);
  if (!picture.arithmetic) {
    writer.copy(bytes, restAt, endOf(bytes));
    writer.align(0);
    return escapeUnit(writer.bytes);
  }
  // Arithmetic codes begin on a whole byte: the header must be known to its end.
  const isKey = typeOf(unit) === unitTypes.keySlice;
  passHeader(reader, { isKey, isReference: (unit[0] ?? 0) >> 5 !== 0, kind }, sequence, picture);
  writer.copy(bytes, restAt, reader.at);
  writer.align(1);
  const dataAt = Math.ceil(reader.at / 8);
  return escapeUnit(Buffer.concat([writer.bytes, bytes.subarray(dataAt)]));
}

/** From behind the number of the picture parameter set to the end of the slice header. */
function passHeader(
  reader: BitReader,
  slice: { readonly isKey: boolean; readonly isReference: boolean; readonly kind: number },
  sequence: Sequence,
  picture: Picture,
): void {
  reader.bits(sequence.frameNumberBits);
  if (slice.isKey) reader.code();
  if (sequence.orderType === 0) {
    reader.bits(sequence.orderBits);
    if (picture.fieldOrder) reader.code();
  } else if (sequence.orderType === 1 && !sequence.orderAlwaysZero) reader.codes(picture.fieldOrder ? 2 : 1);
  if (picture.redundant) reader.code();
  if (slice.kind === predicted) {
    const count = reader.flag() ? reader.code() + 1 : picture.referenceCount;
    if (reader.flag()) while (reader.code() !== 3) reader.code();
    if (picture.weighted) passWeights(reader, count);
  }
  if (slice.isReference) passMarking(reader, slice.isKey);
  if (slice.kind === predicted) reader.code();
  reader.code();
  if (picture.filterControl && reader.code() !== 1) reader.codes(2);
}

function passWeights(reader: BitReader, count: number): void {
  reader.codes(2);
  for (let i = 0; i < count; i++) {
    if (reader.flag()) reader.codes(2);
    if (reader.flag()) reader.codes(4);
  }
}

function passMarking(reader: BitReader, isKey: boolean): void {
  if (isKey) reader.bits(2);
  else if (reader.flag()) {
    // How many codes follow each operation; 0 ends them.
    const operands = [0, 1, 1, 2, 1, 0, 1];
    for (let operation = reader.code(); operation !== 0; operation = reader.code())
      reader.codes(operands[operation] ?? 0);
  }
}
