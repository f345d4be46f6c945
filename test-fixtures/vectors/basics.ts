import { sha256, toHex } from '../../agent/protocol/bytes.ts';
import { canonicalBytes } from '../../agent/protocol/canonical.ts';
import type { Area } from '../../agent/protocol/documents.ts';
import { payloadTypeOf, preAuthEncoding } from '../../agent/protocol/envelope.ts';
import { areaContains, areaKm2, areaProblem, compactness } from '../../agent/protocol/geometry.ts';
import { deriveRequestKey, keyIdOf, recipientKeyId } from '../../agent/protocol/keys.ts';
import { inclusionPath, leafHash, rootOf } from '../../agent/protocol/merkle.ts';
import { sampleKeys, sampleRecipient } from './samples.ts';

/** The building blocks one by one, so that another implementation finds out which of them differs. */

type Points = readonly (readonly [number, number])[];
const circle = (latE6: number, lonE6: number, radiusM: number): Area => ({
  circle: { lat_e6: latE6, lon_e6: lonE6, radius_m: radiusM },
});
const polygon = (...pts: Points): Area => ({ polygon: { pts_e6: pts.map(([lat, lon]) => [lat, lon] as const) } });

const areas: readonly (readonly [string, Area, Points])[] = [
  ['a circle', circle(38_580_000, -121_490_000, 300), [[38_580_000, -121_490_000], [38_582_697, -121_490_000], [38_582_698, -121_490_000]]],
  ['a circle on the antimeridian', circle(-17_000_000, 179_999_000, 300), [[-17_000_000, -179_999_000], [-17_000_000, 179_000_000]]],
  ['a circle near the pole', circle(85_000_001, 0, 300), []],
  ['a square on the equator', polygon([0, 0], [0, 5000], [5000, 5000], [5000, 0]), [[0, 0], [2500, 2500], [2500, 5000], [2500, 5001]]],
  ['the same, the other way round', polygon([5000, 0], [5000, 5000], [0, 5000], [0, 0]), [[2500, 2500]]],
  ['a square across the antimeridian', polygon([0, 179_997_500], [0, -179_997_500], [5000, -179_997_500], [5000, 179_997_500]), [[1, 180_000_000], [1, -180_000_000], [1, 0]]],
  ['a square in the north', polygon([70_000_000, 0], [70_000_000, 15_000], [70_005_000, 15_000], [70_005_000, 0]), [[70_002_000, 7000]]],
  ['an L', polygon([0, 0], [0, 6000], [2000, 6000], [2000, 2000], [6000, 2000], [6000, 0]), [[1000, 5000], [5000, 5000], [2000, 2000], [2000, 4000]]],
  ['a strip', polygon([0, 0], [0, 40_000], [600, 40_000], [600, 0]), [[300, 1]]],
  ['a spike', polygon([0, 0], [0, 5000], [5000, 5000], [2500, 2501], [5000, 0]), [[4000, 2500]]],
  ['a point in the middle of an edge', polygon([0, 0], [0, 2500], [0, 5000], [5000, 5000], [5000, 0]), [[0, 1]]],
  ['a bow tie', polygon([0, 0], [4000, 4000], [0, 4000], [4000, 0]), []],
  ['an edge touching a corner', polygon([0, 0], [0, 4000], [4000, 4000], [0, 2000], [4000, 0]), []],
  ['folded back', polygon([0, 0], [0, 4000], [0, 2000], [4000, 2000]), []],
  ['a hole by a doubled edge', polygon([0, 0], [0, 9000], [9000, 9000], [9000, 0], [0, 0], [3000, 3000], [6000, 3000], [6000, 6000], [3000, 3000]), []],
  ['a point twice', polygon([0, 0], [0, 4000], [4000, 4000], [0, 0]), []],
  ['eleven degrees wide', polygon([0, 0], [0, 11_000_000], [1000, 11_000_000]), []],
  ['a flat triangle', polygon([0, 0], [0, 4000], [0, 9000]), []],
]; // biome-ignore format: a table

const leaves = Array.from({ length: 13 }, (_, i) =>
  leafHash(sha256(Uint8Array.of(i)).subarray(0, 16), 1 + (i % 2), sha256(Uint8Array.of(i, i))),
);
const ninth = (value: number): number => Number(value.toPrecision(9));

const texts: readonly unknown[] = [
  { b: 1, a: [true, null, 'é€😀'], é: -5, '😀': 0, '\ufb33': 9_007_199_254_740_991 },
  { text: 'quote " backslash \\ slash / delete \u007f controls \u0000\b\t\n\u000b\f\r\u001f line \u2028' },
  {},
  [],
];

export function basicVectors(): Readonly<Record<string, unknown>> {
  const payload = canonicalBytes({ a: 1 });
  const requestHash = toHex(sha256(Buffer.from('request')));
  return {
    about: 'Building blocks. Areas and compactness agree within one part in a million; everything else exactly.',
    canonical: texts.map((value) => {
      const utf8 = Buffer.from(canonicalBytes(value)).toString('utf8');
      return { json: JSON.stringify(value, undefined, 1), canonical_utf8: utf8 };
    }),
    pre_auth_encoding: {
      type: payloadTypeOf('request'),
      payload_utf8: Buffer.from(payload).toString('utf8'),
      bytes_hex: toHex(preAuthEncoding(payloadTypeOf('request'), payload)),
    },
    key_id: { public_key: toHex(sampleKeys.officer.publicKey), kid: keyIdOf(sampleKeys.officer.publicKey) },
    recipient_key_id: { age: sampleRecipient, kid: recipientKeyId(sampleRecipient) },
    request_key: ['maple-police', 'oak-police'].map((name) => ({
      owner_seed: toHex(sampleKeys.ownerRoot.seed),
      agency: name,
      request_hash: requestHash,
      public_key: toHex(deriveRequestKey(sampleKeys.ownerRoot.seed, name, requestHash).publicKey),
    })),
    leaf: {
      salt: toHex(sha256(Uint8Array.of(0)).subarray(0, 16)),
      track: 1,
      fragment_hex: '0000',
      leaf: toHex(leaves[0] ?? new Uint8Array()),
    },
    trees: [1, 2, 3, 4, 5, 7, 8, 13].map((size) => ({
      leaves: leaves.slice(0, size).map(toHex),
      root: toHex(rootOf(leaves.slice(0, size))),
      last_path: inclusionPath(leaves.slice(0, size), size - 1).map(toHex),
    })),
    areas: areas.map(([name, area, places]) => {
      const problem = areaProblem(area) ?? null;
      if (problem !== null) return { name, area, problem };
      const contains = places.map(([lat, lon]) => [lat, lon, areaContains(area, { lat_e6: lat, lon_e6: lon })]);
      return { name, area, problem, km2: ninth(areaKm2(area)), compactness: ninth(compactness(area)), contains };
    }),
  };
}
