import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { AgentError } from '../base/errors.ts';

/** Rows of `clips.db` as the programs see them, parsed where they leave the database. */

export const clipsSchemaSteps: readonly string[] = [
  readFileSync(join(import.meta.dirname, 'clips-schema.sql'), 'utf8'),
  readFileSync(join(import.meta.dirname, 'clips-schema-2.sql'), 'utf8'),
  readFileSync(join(import.meta.dirname, 'clips-schema-3.sql'), 'utf8'),
];

export type MetaPhase = 'opening' | 'closing';

export interface ClipRow {
  /** Order of opening within the camera. */
  readonly seq: number;
  readonly clipId: string;
  /** UTC day of opening, `2026-11-21`. */
  readonly day: string;
  /** Whether the clock was known to be right then. */
  readonly dated: boolean;
  readonly state: 'open' | 'closed' | 'cut';
  readonly pinned: boolean;
  readonly holdUntilS: number;
  /** Sealed bytes of its segments. */
  readonly bytes: number;
}

/** By what a segment is asked for. */
export interface SegmentKey {
  /** `seq` of its clip. */
  readonly clip: number;
  readonly track: number;
  readonly position: number;
}

export interface SegmentRow extends SegmentKey {
  /** Row of its body. */
  readonly segment: number;
  /** Length of the sealed body. */
  readonly bytes: number;
  /** Of the sealed body; undefined where it was not recorded. */
  readonly bodySha256: Uint8Array | undefined;
}

const count = z.int().nonnegative();
const clipShape = z
  .strictObject({
    seq: count,
    clip_id: z.string().regex(/^[0-9a-f]{32}$/),
    day: z.iso.date(),
    dated: z.union([z.literal(0), z.literal(1)]),
    state: z.enum(['open', 'closed', 'cut']),
    pinned: z.union([z.literal(0), z.literal(1)]),
    hold_until_s: count,
    bytes: count,
  })
  .transform(
    (row): ClipRow => ({
      seq: row.seq,
      clipId: row.clip_id,
      day: row.day,
      dated: row.dated === 1,
      state: row.state,
      pinned: row.pinned === 1,
      holdUntilS: row.hold_until_s,
      bytes: row.bytes,
    }),
  );
const segmentShape = z
  .strictObject({
    clip: count,
    segment: count,
    track: count,
    position: count,
    bytes: count,
    body_sha256: z.instanceof(Uint8Array).nullable(),
  })
  .transform(({ body_sha256, ...row }): SegmentRow => ({ ...row, bodySha256: body_sha256 ?? undefined }));

export const clipColumns = 'seq, clip_id, day, dated, state, pinned, hold_until_s, bytes';
export const segmentColumns = 'clip, segment, track, position, bytes, body_sha256';

function parseRows<T>(shape: z.ZodType<T>, rows: readonly unknown[]): T[] {
  return rows.map((row) => {
    const parsed = shape.safeParse(row);
    if (!parsed.success) throw new AgentError('corrupt', 'store/damaged', 'Cannot read clips: a row is malformed');
    return parsed.data;
  });
}

export function parseClipRows(rows: readonly unknown[]): ClipRow[] {
  return parseRows(clipShape, rows);
}

export function parseSegmentRows(rows: readonly unknown[]): SegmentRow[] {
  return parseRows(segmentShape, rows);
}

export function utcDay(wallMs: number): string {
  return new Date(wallMs).toISOString().slice(0, 10);
}
