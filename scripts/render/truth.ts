/** The truth beside every stream, version 2: who is to be seen where in which frame, when visits are, and what is no event. */
import { z } from 'zod';
import { AgentError } from '../../agent/base/errors.ts';

const box = z.tuple([z.number(), z.number(), z.number().min(0), z.number().min(0)]).readonly();
const interval = { fromMs: z.number().min(0), toMs: z.number().min(0) };

const truthSchema = z.strictObject({
  version: z.literal(2),
  name: z.string().regex(/^[a-z0-9-]{1,60}$/),
  command: z.string().max(200),
  seed: z.number().int().min(0),
  widthPx: z.number().int().min(16).max(4096),
  heightPx: z.number().int().min(16).max(4096),
  fps: z.number().min(1).max(60),
  light: z.enum(['day', 'dusk', 'ir', 'mixed']),
  tags: z.array(z.string().max(40)).max(20).readonly(),
  kind: z.enum(['positive', 'negative']),
  visits: z
    .array(z.strictObject({ ...interval, people: z.array(z.number().int()).readonly(), what: z.string().max(200) }))
    .max(100)
    .readonly(),
  notEvents: z
    .array(z.strictObject({ ...interval, what: z.string().max(200) }))
    .max(100)
    .readonly(),
  frames: z
    .array(
      z.strictObject({
        i: z.number().int().min(0),
        ms: z.number().min(0),
        people: z
          .array(z.strictObject({ id: z.number().int(), box, full: box, visible: z.number().min(0).max(1) }))
          .readonly(),
        movers: z.array(z.strictObject({ what: z.string().max(40), box })).readonly(),
        moving: z.number().min(0).max(1),
      }),
    )
    .max(20_000)
    .readonly(),
  masks: z
    .strictObject({
      everyFrames: z.number().int().min(1),
      rows: z
        .array(z.strictObject({ i: z.number().int().min(0), runs: z.array(z.number().int().min(0)).readonly() }))
        .readonly(),
    })
    .optional(),
});

export type Truth = Readonly<z.infer<typeof truthSchema>>;
export type TruthFrame = Truth['frames'][number];
export type Visit = Truth['visits'][number];
export const MAX_TRUTH_BYTES = 4_000_000;

export function parseTruth(text: string, name: string): Truth {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new AgentError('corrupt', 'render/bad-truth', `Cannot read the truth of ${name}: it is not JSON`, { cause });
  }
  const result = truthSchema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new AgentError(
    'corrupt',
    'render/bad-truth',
    `Cannot read the truth of ${name}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
  );
}

/** A person counts as visible from a fifth of the body and 8 % of the picture's height on. */
export const VISIBLE_RATIO = 0.2;
export const VISIBLE_HEIGHT_RATIO = 0.08;
const JOIN_MS = 2000;

/** Visits: intervals with a visible person, joined over gaps shorter than two seconds. Ends with the last such frame's end. */
export function findVisits(
  frames: readonly TruthFrame[],
  heightPx: number,
  fps: number,
  what: string,
): readonly Visit[] {
  const visits: { fromMs: number; toMs: number; people: number[]; what: string }[] = [];
  for (const frame of frames) {
    const seen = frame.people.filter(
      (one) => one.visible >= VISIBLE_RATIO && one.box[3] >= VISIBLE_HEIGHT_RATIO * heightPx,
    );
    if (seen.length === 0) continue;
    const toMs = Math.round(frame.ms + 1000 / fps);
    const last = visits.at(-1);
    if (last !== undefined && frame.ms - last.toMs < JOIN_MS) {
      last.toMs = toMs;
      for (const { id } of seen) if (!last.people.includes(id)) last.people.push(id);
    } else visits.push({ fromMs: frame.ms, toMs, people: seen.map(({ id }) => id), what });
  }
  return visits;
}

/** What crosses without being a visitor, from the first to the last frame in which it is seen. */
export function findCrossings(frames: readonly TruthFrame[], fps: number): Truth['notEvents'] {
  const crossings: { fromMs: number; toMs: number; what: string }[] = [];
  for (const frame of frames) {
    for (const what of new Set(frame.movers.map((mover) => mover.what))) {
      const last = crossings.findLast((one) => one.what === `${what} moves`);
      const toMs = Math.round(frame.ms + 1000 / fps);
      if (last !== undefined && frame.ms - last.toMs < JOIN_MS) last.toMs = toMs;
      else crossings.push({ fromMs: frame.ms, toMs, what: `${what} moves` });
    }
  }
  return crossings;
}

/** One line a frame: readable, and small in a diff. */
export function writeTruth(truth: Truth): string {
  const { frames, masks, ...head } = truth;
  const start = JSON.stringify(head, null, 1).slice(0, -2);
  const lines = frames.map((frame) => `  ${JSON.stringify(frame)}`).join(',\n');
  const rows =
    masks === undefined
      ? ''
      : `,\n "masks": {"everyFrames": ${masks.everyFrames}, "rows": [\n${masks.rows.map((row) => `  ${JSON.stringify(row)}`).join(',\n')}\n ]}`;
  return `${start},\n "frames": [\n${lines}\n ]${rows}\n}\n`;
}
