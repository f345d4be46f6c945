/** Every committed stream through the seeing pipeline with the embedded model: who came is found, nobody else is. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../agent/base/clock.ts';
import { silentLog } from '../../agent/base/log.ts';
import { parseCamera } from '../../agent/config/loader.ts';
import { observe } from '../../agent/recorder/observe.ts';
import type { SeenEvent } from '../../agent/recorder/sightings.ts';

const folder = join(import.meta.dirname, '..', 'streams');

interface Visit {
  readonly fromMs: number;
  readonly toMs: number;
  readonly what: string;
}

interface Stream {
  readonly name: string;
  readonly path: string;
  readonly visits: readonly Visit[];
}

const visit = z.object({ fromMs: z.number(), toMs: z.number(), what: z.string().default('a visitor') });
const rendered = z.object({
  version: z.literal(2),
  kind: z.enum(['positive', 'negative']),
  visits: z.array(visit),
});
/** The first stream of all, whose truth lists people by picture at ten pictures a second. */
const porch = z.object({ frames: z.array(z.object({ i: z.number(), people: z.array(z.unknown()) })) });

function readVisits(truth: unknown): readonly Visit[] {
  const known = rendered.safeParse(truth);
  if (known.success) {
    expect(known.data.visits.length > 0).toBe(known.data.kind === 'positive');
    return known.data.visits;
  }
  const seen = porch.parse(truth).frames.filter(({ people }) => people.length > 0);
  return [{ fromMs: (seen[0]?.i ?? 0) * 100, toMs: (seen.at(-1)?.i ?? 0) * 100, what: 'a visitor' }];
}

const streams: readonly Stream[] = readdirSync(folder)
  .filter((file) => file.endsWith('.json') && existsSync(join(folder, file.replace(/json$/, 'mp4'))))
  .map((file) => {
    const truth: unknown = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    return { name: file.replace(/\.json$/, ''), path: join(folder, file.replace(/json$/, 'mp4')), visits: readVisits(truth) };
  }); // biome-ignore format: one step

async function peopleSeen(path: string): Promise<readonly SeenEvent[]> {
  const events: SeenEvent[] = [];
  const raw = { id: 'stream', name: 'stream', source: { kind: 'file', path }, clip: { mode: 'person' } };
  const { error } = await observe({
    camera: parseCamera(raw, folder),
    ffmpegPath: undefined,
    clock: systemClock,
    log: silentLog,
    signal: new AbortController().signal,
    onEvent: (event) => events.push(event),
  });
  expect(error).toBeUndefined();
  return events.filter(({ kind }) => kind === 'person');
}

const overlaps = (event: SeenEvent, { fromMs, toMs }: Visit): boolean =>
  event.firstMs <= toMs && event.lastMs >= fromMs;

describe('committed streams with the embedded model', () => {
  test.each(streams)('$name', { timeout: 60_000 }, async ({ path, visits }) => {
    const events = await peopleSeen(path);
    const missed = visits.filter((one) => !events.some((event) => overlaps(event, one)));
    const phantoms = events.filter((event) => !visits.some((one) => overlaps(event, one)));
    expect({ missed, phantoms }).toEqual({ missed: [], phantoms: [] });
    // Somebody who stands still is one event, not several.
    for (const one of visits) expect(events.filter((event) => overlaps(event, one))).toHaveLength(1);
  });
});
