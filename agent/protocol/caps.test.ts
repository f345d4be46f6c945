import { expect, it } from 'vitest';
import {
  sampleEnvelope,
  sampleNowMs,
  sampleNowS,
  sampleRequest,
  sampleRoot,
} from '../../test-fixtures/vectors/samples.ts';
import type { RequestDocument } from './documents.ts';
import { areaKm2, compactness } from './geometry.ts';
import { defaultLimits, type Limits, tightenLimits } from './limits.ts';
import { checkRequest } from './request-check.ts';

type Change = Partial<RequestDocument>;

const { issued_at: issued, terms } = sampleRequest;
const window = (from: number, to: number): Change => ({ window: { from, to } });

/** For each cap: a request of exactly that much, and the code with which one more (or less) is refused. */
const caps: readonly {
  readonly name: keyof Limits;
  readonly code: string;
  /** One step beyond: +1 for a most, -1 for a least. */
  readonly beyond: 1 | -1;
  readonly at: (value: number) => Change;
  /** A stricter one, as an owner may set it. */
  readonly own: number;
}[] = [
  { name: 'maxAheadS', code: 'issued-in-future', beyond: 1, own: 60, at: (s) => ({ issued_at: sampleNowS + s }) },
  { name: 'maxLifetimeS', code: 'lifetime-too-long', beyond: 1, own: 86_400, at: (s) => ({ expires_at: issued + s }) },
  { name: 'minWindowS', code: 'window-too-short', beyond: -1, own: 1800, at: (s) => window(issued - s, issued) },
  { name: 'maxWindowS', code: 'window-too-long', beyond: 1, own: 3600, at: (s) => window(issued - s, issued) },
  { name: 'maxReachBackS', code: 'too-old', beyond: 1, own: 86_400, at: (s) => window(issued - s, issued - s + 3600) },
  {
    name: 'maxDeleteByDays',
    code: 'terms',
    beyond: 1,
    own: 30,
    at: (d) => ({ terms: { ...terms, delete_by_days: d } }),
  },
  {
    name: 'maxOutcomeDueDays',
    code: 'terms',
    beyond: 1,
    own: 14,
    at: (d) => ({ terms: { ...terms, outcome_due_days: d } }),
  },
];

function check(change: Change, limits: Limits): string {
  try {
    const expires = change.issued_at === undefined ? {} : { expires_at: change.issued_at + 86_400 };
    const request = sampleEnvelope('request', { ...expires, ...change });
    checkRequest({ request, agency: sampleEnvelope('agency'), roots: [sampleRoot], nowMs: sampleNowMs, limits });
    return 'accepted';
  } catch (thrown) {
    return (thrown as { code?: string }).code ?? String(thrown);
  }
}

it('every cap holds at its limit and breaks one beyond it, for the protocol and for an owner who tightens it', () => {
  // A stricter limit on terms is met by the sample's other term, or nothing about the one in question is seen.
  const easy = (name: keyof Limits, change: Change): Change =>
    name.endsWith('Days')
      ? { ...change, terms: { ...terms, delete_by_days: 1, outcome_due_days: 1, ...changedTerms(change) } }
      : change;
  for (const { name, code, beyond, at, own } of caps) {
    for (const limits of [tightenLimits({}), tightenLimits({ [name]: own })]) {
      const value = limits[name];
      expect([name, value, check(easy(name, at(value)), limits)]).toEqual([name, value, 'accepted']);
      expect([name, value, check(easy(name, at(value + beyond)), limits)]).toEqual([name, value, `request/${code}`]);
      expect([name, check(easy(name, at(value - beyond)), limits)]).toEqual([name, 'accepted']);
    }
    const laxer = { [name]: defaultLimits[name] + beyond };
    expect(() => tightenLimits(laxer)).toThrow(expect.objectContaining({ code: 'policy/limit-too-lax' }));
  }
  // Never a live tap: this one is no setting.
  expect(check(window(issued - 3600, issued), defaultLimits)).toBe('accepted');
  expect(check(window(issued - 3600, issued + 1), defaultLimits)).toBe('request/window-in-future');
});

function changedTerms({ terms: own }: Change): Partial<RequestDocument['terms']> {
  if (own === undefined) return {};
  const { delete_by_days: deleteDays, outcome_due_days: outcomeDays } = own;
  return {
    ...(deleteDays === terms.delete_by_days ? {} : { delete_by_days: deleteDays }),
    ...(outcomeDays === terms.outcome_due_days ? {} : { outcome_due_days: outcomeDays }),
  };
}

it('areas hold to a metre of radius and a micro-degree of a corner, by default and tightened', () => {
  const circle = (radius: number): Change => ({
    area: { circle: { lat_e6: 38_580_000, lon_e6: -121_490_000, radius_m: radius } },
  });
  const strip = (width: number): NonNullable<Change['area']> => {
    const [lat, lon] = [38_580_000, -121_490_000];
    return { polygon: { pts_e6: [[lat, lon], [lat, lon + width], [lat + 1500, lon + width], [lat + 1500, lon]] } };
  }; // biome-ignore format: corners
  for (const [own, least, most] of [
    [{}, 0.065, 0.5],
    [{ minAreaKm2: 0.1, maxAreaKm2: 0.3 }, 0.1, 0.3],
  ] as const) {
    const limits = tightenLimits(own);
    const radius = (km2: number): number => Math.sqrt(km2 / Math.PI) * 1000;
    expect(check(circle(Math.floor(radius(least))), limits)).toBe('request/area-too-small');
    expect(check(circle(Math.ceil(radius(least))), limits)).toBe('accepted');
    expect(check(circle(Math.floor(radius(most))), limits)).toBe('accepted');
    expect(check(circle(Math.ceil(radius(most))), limits)).toBe('request/area-too-large');
  }
  // The widest strip that is still compact enough, found to the micro-degree.
  let [fits, tooThin] = [2000, 60_000];
  while (tooThin - fits > 1) {
    const middle = (fits + tooThin) >> 1;
    if (compactness(strip(middle)) >= defaultLimits.minCompactness) fits = middle;
    else tooThin = middle;
  }
  expect(areaKm2(strip(fits))).toBeLessThan(0.5);
  expect(check({ area: strip(fits) }, defaultLimits)).toBe('accepted');
  expect(check({ area: strip(tooThin) }, defaultLimits)).toBe('request/area-too-thin');
});
