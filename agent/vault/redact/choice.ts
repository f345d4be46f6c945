/** What the owner wants filled in a clip. Places are shares of the picture as it is shown, times Unix milliseconds. */
import { z } from 'zod';

const share = z.number().min(0).max(1);
const point = z.tuple([share, share]);
const whenMs = z.number().int().min(0).max(8.64e15);

export const maxRegions = 64;

export const redactionChoice = z.strictObject({
  /** Everybody who is found and isn't kept; everything that moves, people or not; or neither. */
  fill: z.enum(['people', 'moving', 'none']),
  /** Numbers of people (in the analysis of this clip) who stay to be seen. */
  keep: z.array(z.number().int().min(1).max(100_000)).max(1000).default([]),
  /** Drawn by the owner; without times for the whole clip. */
  regions: z
    .array(
      z
        .strictObject({
          x: share,
          y: share,
          w: share,
          h: share,
          fromMs: whenMs.optional(),
          toMs: whenMs.optional(),
        })
        // It would be filled at no time, and look as if it had been.
        .refine(({ fromMs = 0, toMs = Number.POSITIVE_INFINITY }) => fromMs <= toMs, { path: ['toMs'] }),
    )
    .max(maxRegions)
    .default([]),
  /** Polygons that are always filled: the privacy zones of the camera. */
  zones: z.array(z.array(point).min(3).max(32)).max(16).default([]),
});

export type RedactionChoice = z.output<typeof redactionChoice>;
export type RedactionChoiceInput = z.input<typeof redactionChoice>;
