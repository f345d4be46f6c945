import { describe, expect, it } from 'vitest';
import {
  sampleAgency,
  sampleDocuments,
  sampleEnvelope,
  sampleKeys,
  sampleNowMs,
  sampleNowS,
  sampleRequest,
  sampleRoot,
} from '../../test-fixtures/vectors/samples.ts';
import { AgentError } from '../base/errors.ts';
import type { AgencyDocument, RequestDocument } from './documents.ts';
import { areaKm2 } from './geometry.ts';
import { defaultLimits, tightenLimits } from './limits.ts';
import { checkRequest, type RequestCheck } from './request-check.ts';
import { topicOf } from './topics.ts';

const dayS = 86_400;

function check(
  changes: Partial<RequestDocument> = {},
  more: Partial<RequestCheck> = {},
  agency: Partial<AgencyDocument> = {},
): string {
  try {
    checkRequest({
      request: sampleEnvelope('request', changes),
      agency: sampleEnvelope('agency', agency),
      roots: [sampleRoot],
      nowMs: sampleNowMs,
      ...more,
    });
    return 'accepted';
  } catch (thrown) {
    if (thrown instanceof AgentError && thrown.kind === 'refused') return thrown.code;
    throw thrown;
  }
}

const warningsOf = (changes: Partial<RequestDocument>, agency: Partial<AgencyDocument> = {}): readonly string[] =>
  checkRequest({
    request: sampleEnvelope('request', changes),
    agency: sampleEnvelope('agency', agency),
    roots: [sampleRoot],
    nowMs: sampleNowMs,
  }).warnings;

const circle = (radius: number): Partial<RequestDocument> => ({
  area: { circle: { lat_e6: 38_580_000, lon_e6: -121_490_000, radius_m: radius } },
});
const polygon = (...points: [number, number][]): Partial<RequestDocument> => ({
  area: { polygon: { pts_e6: points } },
});
const window = (from: number, to: number): Partial<RequestDocument> => ({ window: { from, to } });
const since = (s: number): AgencyDocument['recipient'] => ({ ...sampleAgency.recipient, since: s });
const says = (statement: string): Partial<RequestDocument> => ({ case: { ...sampleRequest.case, statement } });
const issued = sampleRequest.issued_at;
const terms = (change: Partial<RequestDocument['terms']>): Partial<RequestDocument> => ({
  terms: { ...sampleRequest.terms, ...change },
});

describe('a request', () => {
  it('is accepted with its hashes, signers and no warning', () => {
    const checked = checkRequest({
      request: sampleEnvelope('request'),
      agency: sampleEnvelope('agency'),
      roots: [sampleRoot],
      nowMs: sampleNowMs,
      topic: topicOf({ type: 'rq', region: 'US-CA', agency: 'maple-police', requestId: sampleRequest.request_id }),
      enabled: true,
    });
    expect(checked.request).toEqual(sampleRequest);
    expect(checked.requestHash).toMatch(/^[0-9a-f]{64}$/);
    expect(checked.agencyHash).toMatch(/^[0-9a-f]{64}$/);
    expect(checked.signers.officerKeyId).toBe(sampleAgency.keys[0]?.kid);
    expect(checked.signers.approverKeyId).toBe(sampleAgency.keys[1]?.kid);
    expect(checked.warnings).toEqual([]);
  });

  const times: [string, Partial<RequestDocument>, string][] = [
    ['issued exactly 300 s ahead', { issued_at: sampleNowS + 300 }, 'accepted'],
    ['issued 301 s ahead', { issued_at: sampleNowS + 301 }, 'request/issued-in-future'],
    ['expiring in a second', { expires_at: sampleNowS + 1 }, 'accepted'],
    ['expiring now', { expires_at: sampleNowS }, 'request/expired'],
    ['expiring before it is issued', { issued_at: sampleNowS + 200, expires_at: sampleNowS + 100 }, 'request/expired'],
    ['open for exactly 14 days', { expires_at: issued + 14 * dayS }, 'accepted'],
    ['open for a second more', { expires_at: issued + 14 * dayS + 1 }, 'request/lifetime-too-long'],
    ['asking up to the moment of issue', window(issued - 3600, issued), 'accepted'],
    ['asking for a second of the future', window(issued - 3600, issued + 1), 'request/window-in-future'],
    ['with a window of 15 minutes', window(issued - 900, issued), 'accepted'],
    ['with a window of a second less', window(issued - 899, issued), 'request/window-too-short'],
    ['with a window that runs backwards', window(issued, issued - 3600), 'request/window-too-short'],
    ['with a window of 4 hours', window(issued - 14_400, issued), 'accepted'],
    ['with a window of a second more', window(issued - 14_401, issued), 'request/window-too-long'],
    ['reaching back exactly 30 days', window(issued - 30 * dayS, issued - 30 * dayS + 3600), 'accepted'],
    ['reaching back a second more', window(issued - 30 * dayS - 1, issued - 30 * dayS + 3600), 'request/too-old'],
  ];
  it.each(times)('%s', (_name, changes, code) => {
    expect(check(changes)).toBe(code);
  });

  it('is refused just below the smallest and just above the largest area', () => {
    const km2 = (radius: number): number => areaKm2(circle(radius).area ?? sampleRequest.area);
    // 143.84 m and 398.94 m are the exact radii.
    expect(km2(143)).toBeLessThan(0.065);
    expect(km2(144)).toBeGreaterThan(0.065);
    expect(check(circle(143))).toBe('request/area-too-small');
    expect(check(circle(144))).toBe('accepted');
    expect(check(circle(398))).toBe('accepted');
    expect(check(circle(399))).toBe('request/area-too-large');
  });

  it('is refused if its area is thin, crossed, repeated, wide or polar', () => {
    const [lat, lon] = [38_580_000, -121_490_000];
    const strip = (height: number, width: number): Partial<RequestDocument> =>
      polygon([lat, lon], [lat, lon + width], [lat + height, lon + width], [lat + height, lon]);
    expect(check(strip(4000, 5000))).toBe('accepted');
    expect(check(strip(1000, 13_500))).toBe('accepted');
    expect(check(strip(500, 40_000))).toBe('request/area-too-thin');
    expect(check(polygon([lat, lon], [lat + 4000, lon + 5000], [lat, lon + 5000], [lat + 4000, lon]))).toBe(
      'request/area-not-simple',
    );
    expect(check(polygon([lat, lon], [lat, lon + 5000], [lat, lon]))).toBe('request/area-repeated-point');
    expect(check(polygon([lat, lon], [lat, lon + 11_000_000], [lat + 4000, lon]))).toBe('request/area-too-wide');
    expect(check(polygon([89_000_000, 0], [89_000_000, 5000], [89_004_000, 0]))).toBe('request/area-near-pole');
  });

  it('is refused for another basis or weaker terms', () => {
    expect(check({ legal: { basis: 'emergency', authority: 'none' } })).toBe('request/basis');
    expect(check(terms({ delete_by_days: 365, outcome_due_days: 180, third_party: 'none' }))).toBe('accepted');
    expect(check(terms({ delete_by_days: 366 }))).toBe('request/terms');
    expect(check(terms({ outcome_due_days: 181 }))).toBe('request/terms');
    expect(check(terms({ biometric_id: true }))).toBe('request/terms');
    expect(check(terms({ third_party: 'partners' }))).toBe('request/terms');
  });

  it('is refused unless topic, region, agency and recipient fit', () => {
    const other = 'latchkey/1/US-CA/rq/maple-police/00000000000000000000000000000000';
    expect(check({}, { topic: other })).toBe('request/topic-mismatch');
    expect(check({ region: 'US-NV' })).toBe('request/region');
    expect(check({ agency: 'oak-police' })).toBe('request/agency-mismatch');
    expect(check({}, { agency: undefined })).toBe('request/unknown-agency');
    expect(check({}, { enabled: false })).toBe('request/agency-not-enabled');
    expect(check({}, {}, { kind: 'group' })).toBe('request/not-an-agency');
    expect(check({ recipient_kid: '0123456789abcdef' })).toBe('request/recipient-unknown');
    expect(check({}, { revokedRequestIds: [sampleRequest.request_id] })).toBe('request/revoked');
  });

  it('waits 72 hours for a recipient that replaced another, but not for the first', () => {
    const waitS = 72 * 3600;
    expect(check({}, {}, { version: 2, recipient: since(sampleNowS - waitS) })).toBe('accepted');
    expect(check({}, {}, { version: 2, recipient: since(sampleNowS - waitS + 1) })).toBe('request/recipient-too-new');
    expect(check({}, {}, { version: 1, recipient: since(sampleNowS) })).toBe('accepted');
  });

  it('is refused without two distinct keys of the right roles in force', () => {
    const { officer, approver, outcome, stranger } = sampleKeys;
    const signedBy = (...keys: (typeof officer)[]): Partial<RequestCheck> => ({
      request: sampleEnvelope('request', {}, keys),
    });
    const tooFew = 'envelope/not-enough-signers';
    expect(check({}, signedBy(officer))).toBe(tooFew);
    expect(check({}, signedBy(approver))).toBe(tooFew);
    expect(check({}, signedBy(officer, officer))).toBe(tooFew);
    expect(check({}, signedBy(officer, outcome))).toBe(tooFew);
    expect(check({}, signedBy(officer, stranger))).toBe(tooFew);
    expect(check({}, signedBy(stranger, approver, officer))).toBe('accepted');
    expect(check({}, { revokedKeyIds: [sampleAgency.keys[1]?.kid ?? ''] })).toBe(tooFew);
    const keys = sampleAgency.keys.map((key) => (key.role === 'officer' ? { ...key, to: sampleNowS } : key));
    expect(check({}, {}, { keys })).toBe(tooFew);
  });

  it('is never checked against a rule that one key could fill twice', () => {
    const [first, ...rest] = sampleAgency.keys;
    if (first === undefined) throw new Error('the sample has keys');
    expect(check({}, {}, { keys: [first, { ...first, role: 'approver' }, ...rest.slice(1)] })).toBe('agency/key-twice');
  });

  it('warns of assembly wording and of a recipient changed within 30 days', () => {
    expect(warningsOf(says('People at the PROTEST on Sunday.'))).toEqual(['assembly-wording']);
    expect(warningsOf(says('Teilnehmer der Kundgebung'))).toEqual(['assembly-wording']);
    expect(warningsOf(says('A theft in March on Marchetti Street.'))).toEqual([]);
    expect(warningsOf({}, { version: 2 })).toEqual(['recipient-changed']);
  });
});

describe('limits', () => {
  it('can be tightened and then bind', () => {
    const limits = tightenLimits({ maxWindowS: 3600, minCompactness: 0.5 });
    expect(limits.maxLifetimeS).toBe(defaultLimits.maxLifetimeS);
    expect(check({}, { limits })).toBe('request/window-too-long');
  });

  const laxer: [string, Record<string, number>][] = [
    ['a longer window', { maxWindowS: defaultLimits.maxWindowS + 1 }],
    ['a smaller area', { minAreaKm2: 0.01 }],
    ['no number', { maxAreaKm2: Number.NaN }],
    ['an unknown limit', { toString: 1 }],
  ];
  it.each(laxer)('cannot be loosened: %s', (_name, own) => {
    expect(() => tightenLimits(own)).toThrow(expect.objectContaining({ code: 'policy/limit-too-lax' }));
  });
});

it('every kind of document is refused as a request', () => {
  for (const kind of Object.keys(sampleDocuments) as (keyof typeof sampleDocuments)[]) {
    if (kind === 'request') continue;
    const { officer, approver } = sampleKeys;
    expect(check({}, { request: sampleEnvelope(kind, {}, [officer, approver]) })).toBe('envelope/wrong-type');
  }
});
