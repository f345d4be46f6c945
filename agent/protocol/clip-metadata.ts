import { z } from 'zod';
import { AgentError } from '../base/errors.ts';

/**
 * What is known about a clip, sealed beside it: JSON, one object at opening and one at closing. Times are Unix
 * milliseconds as the recorder believed them (`clock` says how far to trust them).
 */

const maxOpeningBytes = 8 * 1024;
const maxClosingBytes = 2 * 1024 * 1024;
const maxFragments = 20_000;

const wallMs = z.number().int().nonnegative();
const hex = (digits: number): z.ZodString => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`));
const base64 = (maxBytes: number): z.ZodBase64 => z.base64().max(Math.ceil(maxBytes / 3) * 4);

const openingShape = z.strictObject({
  v: z.literal(1),
  clip_id: hex(32),
  camera_id: z.string().regex(/^[a-z0-9-]{1,32}$/),
  trigger: z.enum(['motion', 'person', 'button', 'continuous']),
  run_id: z.string().min(1).max(64),
  /** Wall time of the first fragment. */
  start_ms: wallMs,
  clock: z.enum(['synchronised', 'unsynchronised']),
  /** Wall time of the run's time 0, as known when the clip opened. */
  wall_at_zero_ms: z.number().int(),
  /** RFC 6381. */
  codec: z.string().min(1).max(64),
  width_px: z.int().min(1).max(16_384),
  height_px: z.int().min(1).max(16_384),
  /** Raw Ed25519 public key that signs this clip's manifest and nothing else. */
  key: hex(64),
});

const labelShape = z.strictObject({
  kind: z.enum(['person', 'motion']),
  from_ms: wallMs,
  to_ms: wallMs,
  /** Best score of the detector, 0..1; 0 for motion. */
  score: z.number().min(0).max(1),
  /** Where it was at its best, in pixels of the recorded picture. */
  box: z.strictObject({
    x: z.int().nonnegative(),
    y: z.int().nonnegative(),
    w: z.int().positive(),
    h: z.int().positive(),
  }),
});

const fragmentShape = z.strictObject({
  /** Leaf number. 0 is the initialisation segment. */
  index: z.int().nonnegative(),
  /** As in the manifest: 1 is video, 2 audio. */
  track: z.int().min(1).max(8),
  /** Within the concatenated plaintext of the track's segments. */
  offset: z.int().nonnegative(),
  bytes: z.int().positive(),
  start_ms: wallMs,
  duration_ms: z.int().nonnegative(),
  keyframe: z.boolean(),
  /** Blinds the leaf, so that a proof of one fragment tells nothing about another. */
  salt: hex(32),
  sha256: hex(64),
});

const closingShape = z.strictObject({
  v: z.literal(1),
  /** Wall time at which the last fragment ends. */
  end_ms: wallMs,
  labels: z.array(labelShape).max(1000),
  fragments: z.array(fragmentShape).min(1).max(maxFragments),
  /** DSSE envelope of the manifest, signed by `key` of the opening. */
  manifest: base64(48 * 1024),
  /** JPEG; empty when no small picture was decoded during the clip. */
  thumbnail: base64(256 * 1024),
});

/** The closing without its fragments but for the first; what is long is looked at only when it is used. */
const summaryShape = z.strictObject({
  ...closingShape.shape,
  fragments: z.array(z.looseObject({ start_ms: wallMs })).length(1),
  manifest: z.string(),
  thumbnail: z.string(),
});
const thumbnailShape = closingShape.shape.thumbnail;

type Frozen<T> = T extends readonly (infer E)[]
  ? readonly Frozen<E>[]
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T;
export type OpeningMetadata = Frozen<z.output<typeof openingShape>>;
export type ClosingMetadata = Frozen<z.output<typeof closingShape>>;
export type ClipLabel = ClosingMetadata['labels'][number];
export type ClipFragment = ClosingMetadata['fragments'][number];
export type ClipTrigger = OpeningMetadata['trigger'];
export type ClockTrust = OpeningMetadata['clock'];

export interface ClosingSummary {
  /** Of the first fragment, by the clock as known at the end. */
  readonly startMs: number;
  readonly endMs: number;
  readonly labels: ClosingMetadata['labels'];
  readonly hasThumbnail: boolean;
}

function malformed(): AgentError {
  return new AgentError('corrupt', 'clip/bad-metadata', 'Cannot read the clip: its metadata is malformed');
}

function parse<T>(shape: z.ZodType<T>, bytes: Uint8Array, maxBytes: number): T {
  if (bytes.length > maxBytes) throw malformed();
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw malformed();
  }
  const parsed = shape.safeParse(value);
  if (!parsed.success) throw malformed();
  return parsed.data;
}

export function parseOpeningMetadata(bytes: Uint8Array): OpeningMetadata {
  return parse(openingShape, bytes, maxOpeningBytes);
}

/** Also checks that the leaves are numbered, follow one another within their track and start with the initialisation. */
export function parseClosingMetadata(bytes: Uint8Array): ClosingMetadata {
  const closing = parse(closingShape, bytes, maxClosingBytes);
  const ends = new Map<number, number>();
  for (const [index, fragment] of closing.fragments.entries()) {
    const at = ends.get(fragment.track) ?? 0;
    if (fragment.index !== index || fragment.offset !== at) throw malformed();
    ends.set(fragment.track, at + fragment.bytes);
  }
  return closing;
}

/** Nine tenths of the text are fragments, and ten thousand clips have to be listed in seconds. */
function parseWithoutFragments(bytes: Uint8Array): z.output<typeof summaryShape> | ClosingMetadata {
  if (bytes.length > maxClosingBytes) throw malformed();
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const from = text.indexOf('},', text.indexOf(',"fragments":[')) + 1;
  const to = text.lastIndexOf('],"manifest":"');
  // One fragment, or another writer's order of fields.
  if (from <= 0 || to < from) return parseClosingMetadata(bytes);
  return parse(summaryShape, Buffer.concat([text.subarray(0, from), text.subarray(to)]), maxClosingBytes);
}

/** The few fields that a list needs; the clip itself is opened by `parseClosingMetadata` alone. */
export function parseClosingSummary(bytes: Uint8Array): ClosingSummary {
  const { end_ms: endMs, labels, thumbnail, fragments } = parseWithoutFragments(bytes);
  const startMs = fragments[0]?.start_ms;
  if (startMs === undefined) throw malformed();
  return { startMs, endMs, labels, hasThumbnail: thumbnail !== '' };
}

/** The picture in base64; empty for none. */
export function parseThumbnail(bytes: Uint8Array): string {
  const parsed = thumbnailShape.safeParse(parseWithoutFragments(bytes).thumbnail);
  if (!parsed.success) throw malformed();
  return parsed.data;
}

export function encodeClipMetadata(metadata: OpeningMetadata | ClosingMetadata): Uint8Array {
  return Buffer.from(JSON.stringify(metadata));
}
