/** What the owner may ask to have filled, as both doors take it. The vault reads it again. */
import { z } from 'zod';

const share = z.number().min(0).max(1);
const whenMs = z.number().int().min(0).max(8.64e15);

export const redactionShape = z.strictObject({
  fill: z.enum(['people', 'moving', 'none']),
  keep: z.array(z.number().int().min(1).max(100_000)).max(1000).optional(),
  regions: z
    .array(
      z
        .strictObject({ x: share, y: share, w: share, h: share, fromMs: whenMs.optional(), toMs: whenMs.optional() })
        .refine(({ fromMs = 0, toMs = Number.POSITIVE_INFINITY }) => fromMs <= toMs, { path: ['toMs'] }),
    )
    .max(64)
    .optional(),
  masks: z.boolean().optional(),
});
