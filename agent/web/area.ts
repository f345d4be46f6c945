/** The geometry of the little map: micro-degrees to metres around the area, flat because areas are under 2 km. Pure. */
import type { RequestDetail } from '../owner/service.ts';

export interface Point {
  /** Metres east of the area's middle. */
  readonly x: number;
  /** Metres south of it, as a picture counts. */
  readonly y: number;
}

export interface AreaShape {
  readonly outline:
    | { readonly kind: 'circle'; readonly radiusM: number }
    | { readonly kind: 'polygon'; readonly points: readonly Point[] };
  readonly place: Point;
  readonly inside: boolean;
  /** From the place to the area's middle. */
  readonly distanceM: number;
  /** Half the side of the square picture, so that area and place fit with a margin. */
  readonly halfM: number;
}

const metresPerDegree = 111_320;

export function areaShape(area: RequestDetail['area'], placeE6: RequestDetail['placeE6']): AreaShape {
  const pointsE6: readonly (readonly [number, number])[] =
    area.kind === 'circle' ? [[area.latE6, area.lonE6]] : area.pointsE6;
  const lats = pointsE6.map(([lat]) => lat);
  const lons = pointsE6.map(([, lon]) => lon);
  const midLat = (Math.min(...lats) + Math.max(...lats)) / 2;
  const midLon = (Math.min(...lons) + Math.max(...lons)) / 2;
  const narrowing = Math.cos((midLat / 1e6) * (Math.PI / 180));
  const project = (latE6: number, lonE6: number): Point => ({
    x: ((lonE6 - midLon) / 1e6) * metresPerDegree * narrowing,
    y: -((latE6 - midLat) / 1e6) * metresPerDegree,
  });
  const place = project(placeE6.latE6, placeE6.lonE6);
  const distanceM = Math.hypot(place.x, place.y);
  const reach = Math.max(Math.abs(place.x), Math.abs(place.y));
  if (area.kind === 'circle') {
    const outline = { kind: 'circle', radiusM: area.radiusM } as const;
    const halfM = Math.max(area.radiusM, reach) * 1.15;
    return { outline, place, inside: distanceM <= area.radiusM, distanceM, halfM };
  }
  const points = area.pointsE6.map(([lat, lon]) => project(lat, lon));
  const extent = Math.max(reach, ...points.flatMap(({ x, y }) => [Math.abs(x), Math.abs(y)]));
  return {
    outline: { kind: 'polygon', points },
    place,
    inside: contains(points, place),
    distanceM,
    halfM: extent * 1.15,
  };
}

/** A round length of about a third of the picture, for the scale bar. */
export function scaleBarM(halfM: number): number {
  const target = (2 * halfM) / 3;
  const power = 10 ** Math.floor(Math.log10(target));
  return [5, 2, 1].map((step) => step * power).find((length) => length <= target) ?? power;
}

/** Even-odd rule. */
function contains(points: readonly Point[], { x, y }: Point): boolean {
  let inside = false;
  points.forEach((a, i) => {
    const b = points[(i + 1) % points.length] ?? a;
    if (a.y > y !== b.y > y && x < ((b.x - a.x) * (y - a.y)) / (b.y - a.y) + a.x) inside = !inside;
  });
  return inside;
}
