import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Area } from './documents.ts';
import { areaContains, areaKm2, areaProblem, areasOverlap, compactness } from './geometry.ts';

type Points = [number, number][];
const polygon = (points: Points): Area => ({ polygon: { pts_e6: points } });
const circle = (lat: number, lon: number, radius: number): Area => ({
  circle: { lat_e6: lat, lon_e6: lon, radius_m: radius },
});

const R = 6371.0088;
const rad = Math.PI / 180e6;
/** A longitude back into −180° … 180°. */
const normal = (lon: number): number => ((((lon + 180e6) % 360e6) + 360e6) % 360e6) - 180e6;

/** A star-shaped (so simple) polygon around a centre: points at rising angles. */
const star = fc
  .record({
    lat: fc.integer({ min: -84_000_000, max: 84_000_000 }),
    lon: fc.integer({ min: -180_000_000, max: 180_000_000 }),
    radii: fc.array(fc.integer({ min: 2000, max: 9000 }), { minLength: 5, maxLength: 16 }),
  })
  .map(({ lat, lon, radii }) => ({
    lat,
    lon,
    points: radii.map((r, i): [number, number] => {
      const angle = (2 * Math.PI * i) / radii.length;
      return [lat + Math.round(r * Math.sin(angle)), normal(lon + Math.round(r * Math.cos(angle)))];
    }),
  }));

/** Slow reference of the area: the integral of cos φ over the polygon, in strips of latitude cut by every edge. */
function slowAreaKm2(points: Points, lon0: number): number {
  const plane = points.map(([lat, lon]) => [lat, normal(lon - lon0)] as const);
  const lats = plane.map(([lat]) => lat);
  const [low, high] = [Math.min(...lats), Math.max(...lats)];
  const strips = 4000;
  let area = 0;
  for (let i = 0; i < strips; i++) {
    const lat = low + ((high - low) * (i + 0.5)) / strips;
    const crossings: number[] = [];
    plane.forEach(([aLat, aLon], k) => {
      const [bLat, bLon] = plane[(k + 1) % plane.length] ?? [0, 0];
      if (aLat > lat !== bLat > lat) crossings.push(aLon + ((lat - aLat) / (bLat - aLat)) * (bLon - aLon));
    });
    crossings.sort((x, y) => x - y);
    for (let k = 0; k + 1 < crossings.length; k += 2) {
      const width = ((crossings[k + 1] ?? 0) - (crossings[k] ?? 0)) * rad;
      area += width * Math.cos(lat * rad) * ((high - low) / strips) * rad;
    }
  }
  return area * R * R;
}

/** Slow reference of containment: the winding angle around the place. */
function slowContains(points: Points, lat: number, lon: number): boolean {
  let winding = 0;
  points.forEach(([aLat, aLon], i) => {
    const [bLat, bLon] = points[(i + 1) % points.length] ?? [0, 0];
    const [ax, ay, bx, by] = [normal(aLon - lon), aLat - lat, normal(bLon - lon), bLat - lat];
    winding += Math.atan2(ax * by - ay * bx, ax * bx + ay * by);
  });
  return Math.abs(winding) > Math.PI;
}

function distanceToEdge(points: Points, lat: number, lon: number): number {
  return Math.min(
    ...points.map(([aLat, aLon], i) => {
      const [bLat, bLon] = points[(i + 1) % points.length] ?? [0, 0];
      const [ax, ay, bx, by] = [normal(aLon - lon), aLat - lat, normal(bLon - lon), bLat - lat];
      const t = Math.max(0, Math.min(1, -(ax * (bx - ax) + ay * (by - ay)) / ((bx - ax) ** 2 + (by - ay) ** 2)));
      return Math.hypot(ax + t * (bx - ax), ay + t * (by - ay));
    }),
  );
}

describe('areas', () => {
  it('of polygons agree with a slow integral, wherever they lie', () => {
    fc.assert(
      fc.property(star, ({ points, lon }) => {
        expect(areaProblem(polygon(points))).toBeUndefined();
        const slow = slowAreaKm2(points, lon);
        expect(Math.abs(areaKm2(polygon(points)) / slow - 1)).toBeLessThan(2e-3);
      }),
      { numRuns: 60 },
    );
  });

  it('do not depend on direction, first point or the antimeridian', () => {
    fc.assert(
      fc.property(star, fc.nat(15), ({ points, lon }, shift) => {
        const area = areaKm2(polygon(points));
        const close = (other: Points): void => expect(Math.abs(areaKm2(polygon(other)) / area - 1)).toBeLessThan(1e-9);
        close(points.toReversed());
        close([...points.slice(shift % points.length), ...points.slice(0, shift % points.length)]);
        close(points.map(([lat, at]) => [lat, normal(at - lon)]));
      }),
    );
  });

  it('have known sizes', () => {
    // One degree by one degree at the equator, and a circle of 1 km.
    expect(
      areaKm2(
        polygon([
          [0, 0],
          [0, 1_000_000],
          [1_000_000, 1_000_000],
          [1_000_000, 0],
        ]),
      ),
    ).toBeCloseTo(12_363.68, 1);
    expect(areaKm2(circle(0, 0, 1000))).toBeCloseTo(Math.PI, 5);
    expect(
      areaKm2(
        polygon([
          [0, 0],
          [0, 10],
          [0, 20],
        ]),
      ),
    ).toBe(0);
  });

  it('are compact like a circle, a square, or a strip', () => {
    expect(compactness(circle(50_000_000, 0, 300))).toBe(1);
    expect(
      compactness(
        polygon([
          [0, 0],
          [0, 1000],
          [1000, 1000],
          [1000, 0],
        ]),
      ),
    ).toBeCloseTo(Math.PI / 4, 6);
    expect(
      compactness(
        polygon([
          [0, 0],
          [0, 100_000],
          [1000, 100_000],
          [1000, 0],
        ]),
      ),
    ).toBeLessThan(0.04);
  });
});

describe('containment', () => {
  it('agrees with the winding angle', () => {
    const offset = fc.integer({ min: -10_000, max: 10_000 });
    fc.assert(
      fc.property(star, offset, offset, ({ points, lat, lon }, dLat, dLon) => {
        const [atLat, atLon] = [lat + dLat, normal(lon + dLon)];
        fc.pre(distanceToEdge(points, atLat, atLon) > 0.5);
        expect(areaContains(polygon(points), { lat_e6: atLat, lon_e6: atLon })).toBe(
          slowContains(points, atLat, atLon),
        );
      }),
      { numRuns: 1000 },
    );
  });

  it('includes corners and edges, and not the far side of the Earth', () => {
    const square = polygon([
      [0, 179_999_000],
      [0, -179_999_000],
      [2000, -179_999_000],
      [2000, 179_999_000],
    ]);
    expect(areaContains(square, { lat_e6: 0, lon_e6: 180_000_000 })).toBe(true);
    expect(areaContains(square, { lat_e6: 1000, lon_e6: -180_000_000 })).toBe(true);
    expect(areaContains(square, { lat_e6: 2000, lon_e6: -179_999_000 })).toBe(true);
    expect(areaContains(square, { lat_e6: 2001, lon_e6: 180_000_000 })).toBe(false);
    expect(areaContains(square, { lat_e6: 1000, lon_e6: 0 })).toBe(false);
    expect(areaContains(square, { lat_e6: 1000, lon_e6: 179_998_999 })).toBe(false);
  });

  it('in a circle is by distance, across the antimeridian too', () => {
    // 111.195 m to a thousandth of a degree of latitude.
    expect(areaContains(circle(0, 0, 112), { lat_e6: 1000, lon_e6: 0 })).toBe(true);
    expect(areaContains(circle(0, 0, 111), { lat_e6: 1000, lon_e6: 0 })).toBe(false);
    expect(areaContains(circle(60_000_000, 180_000_000, 56), { lat_e6: 60_000_000, lon_e6: -179_999_000 })).toBe(true);
    expect(areaContains(circle(60_000_000, 180_000_000, 55), { lat_e6: 60_000_000, lon_e6: -179_999_000 })).toBe(false);
  });
});

describe('problems', () => {
  const cases: [string, Points, string | undefined][] = [
    [
      'a triangle',
      [
        [0, 0],
        [0, 1000],
        [1000, 0],
      ],
      undefined,
    ],
    [
      'a bow tie',
      [
        [0, 0],
        [1000, 1000],
        [0, 1000],
        [1000, 0],
      ],
      'not-simple',
    ],
    [
      'a corner on an edge',
      [
        [0, 0],
        [0, 1000],
        [1000, 1000],
        [0, 500],
      ],
      'not-simple',
    ],
    [
      'a spike back along an edge',
      [
        [0, 0],
        [0, 1000],
        [0, 500],
        [1000, 500],
      ],
      'not-simple',
    ],
    [
      'a line',
      [
        [0, 0],
        [0, 500],
        [0, 1000],
      ],
      'not-simple',
    ],
    [
      'overlapping edges',
      [
        [0, 0],
        [0, 1000],
        [1000, 1000],
        [1000, 500],
        [0, 600],
        [0, 200],
        [500, 0],
      ],
      'not-simple',
    ],
    [
      'a repeated point',
      [
        [0, 0],
        [0, 1000],
        [1000, 0],
        [0, 0],
      ],
      'repeated-point',
    ],
    [
      'the same at 180 and −180',
      [
        [0, 180_000_000],
        [0, -180_000_000],
        [1000, 179_999_000],
      ],
      'repeated-point',
    ],
    [
      'a point straight through',
      [
        [0, 0],
        [0, 500],
        [0, 1000],
        [1000, 0],
      ],
      undefined,
    ],
    [
      'eleven degrees',
      [
        [0, 0],
        [0, 11_000_000],
        [1000, 0],
      ],
      'too-wide',
    ],
    [
      'near a pole',
      [
        [85_000_001, 0],
        [85_000_000, 1000],
        [84_000_000, 0],
      ],
      'near-pole',
    ],
  ];
  it.each(cases)('%s', (_name, points, problem) => {
    expect(areaProblem(polygon(points))).toBe(problem);
    expect(areaProblem(polygon(points.toReversed()))).toBe(problem);
  });

  it('of circles', () => {
    expect(areaProblem(circle(85_000_000, 0, 100))).toBeUndefined();
    expect(areaProblem(circle(-85_000_001, 0, 100))).toBe('near-pole');
  });

  it('of random polygons: simple exactly if no two edges cross in a slow check', () => {
    const coordinate = fc.integer({ min: 0, max: 12 });
    const points = fc.uniqueArray(fc.tuple(coordinate, coordinate), { minLength: 3, maxLength: 7, selector: String });
    fc.assert(
      fc.property(points, (list) => {
        expect(areaProblem(polygon(list))).toBe(slowSimple(list) ? undefined : 'not-simple');
      }),
      { numRuns: 2000 },
    );
  });
});

/** Solves each pair of edges for their common points with exact fractions of small integers. */
function slowSimple(points: Points): boolean {
  const n = points.length;
  const at = (i: number): [number, number] => points[i % n] ?? [0, 0];
  const on = (a: [number, number], b: [number, number], p: [number, number]): boolean =>
    (b[0] - a[0]) * (p[1] - a[1]) === (b[1] - a[1]) * (p[0] - a[0]) &&
    (p[0] - a[0]) * (p[0] - b[0]) + (p[1] - a[1]) * (p[1] - b[1]) <= 0;
  for (let i = 0; i < n; i++) {
    // A corner may lie on no edge but its own two.
    for (let k = 0; k < n; k++) if (k !== i && (k + 1) % n !== i && on(at(k), at(k + 1), at(i))) return false;
    for (let k = 0; k < n; k++) {
      if (k === i) continue;
      const [a, b, c, d] = [at(i), at(i + 1), at(k), at(k + 1)];
      const det = (b[0] - a[0]) * (d[1] - c[1]) - (b[1] - a[1]) * (d[0] - c[0]);
      if (det === 0) continue;
      const t = ((c[0] - a[0]) * (d[1] - c[1]) - (c[1] - a[1]) * (d[0] - c[0])) / det;
      const u = ((c[0] - a[0]) * (b[1] - a[1]) - (c[1] - a[1]) * (b[0] - a[0])) / det;
      if (t > 1e-9 && t < 1 - 1e-9 && u > 1e-9 && u < 1 - 1e-9) return false;
    }
  }
  return true;
}

describe('two areas overlap', () => {
  const lat0 = 38_580_000;
  const point = fc.tuple(fc.integer({ min: -8000, max: 8000 }), fc.integer({ min: -8000, max: 8000 }));
  const circleAt = fc
    .tuple(point, fc.integer({ min: 50, max: 600 }))
    .map(
      ([[lat, lon], radius]): Area => ({ circle: { lat_e6: lat0 + lat, lon_e6: 179_999_000 + lon, radius_m: radius } }),
    );
  // Around the antimeridian, where nothing may be special.
  const wrapLon = (lon: number): number => (lon > 180_000_000 ? lon - 360_000_000 : lon);
  const boxAt = fc
    .tuple(point, fc.integer({ min: 500, max: 6000 }), fc.integer({ min: 500, max: 6000 }))
    .map(([[lat, lon], height, width]): Area => {
      const [south, west] = [lat0 + lat, 179_999_000 + lon];
      const corners = [[south, west], [south, west + width], [south + height, west + width], [south + height, west]] as const;
      return { polygon: { pts_e6: corners.map(([y, x]): [number, number] => [y, wrapLon(x)]) } };
    }); // biome-ignore format: corners
  const area = fc.oneof(
    circleAt.filter((a) => 'circle' in a && a.circle.lon_e6 <= 180_000_000),
    boxAt,
  );

  it('exactly when some place of a fine grid lies in both, but for slivers that the grid can’t see', () => {
    fc.assert(
      fc.property(area, area, (a, b) => {
        const said = areasOverlap(a, b);
        expect(areasOverlap(b, a)).toBe(said);
        let common = 0;
        for (let lat = -16_000; lat <= 16_000; lat += 400) {
          for (let lon = -16_000; lon <= 16_000; lon += 400) {
            const place = { lat_e6: lat0 + lat, lon_e6: wrapLon(179_999_000 + lon) };
            if (areaContains(a, place) && areaContains(b, place)) common += 1;
          }
        }
        if (common > 0) expect(said).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('when they touch, and not a metre further apart', () => {
    const round = (lonE6: number, radius: number): Area => ({
      circle: { lat_e6: 0, lon_e6: lonE6, radius_m: radius },
    });
    // 1,112 m between the centres.
    expect(areasOverlap(round(0, 556), round(10_000, 556))).toBe(true);
    expect(areasOverlap(round(0, 555), round(10_000, 556))).toBe(false);
    const box: Area = { polygon: { pts_e6: [[-1000, 5000], [-1000, 9000], [1000, 9000], [1000, 5000]] } };
    expect(areasOverlap(round(0, 556), box)).toBe(true);
    expect(areasOverlap(box, round(0, 555))).toBe(false);
    // One inside the other, either way round, without an edge in common.
    expect(areasOverlap(box, round(7000, 5))).toBe(true);
    const inner: Area = { polygon: { pts_e6: [[-10, 6990], [-10, 7010], [10, 7000]] } };
    expect([areasOverlap(box, inner), areasOverlap(inner, box), areasOverlap(round(7000, 300), inner)]).toEqual([true, true, true]);
    const apart: Area = { polygon: { pts_e6: [[-10, 16_990], [-10, 17_010], [10, 17_000]] } };
    expect(areasOverlap(box, apart)).toBe(false);
  }); // biome-ignore format: corners
});
