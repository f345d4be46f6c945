import type { Area } from './fields.ts';

/**
 * Areas on a sphere of the mean Earth radius. A polygon's edges are straight in latitude and longitude (RFC 7946), so
 * that crossing and containment are exact in integer micro-degrees and the area has a closed form. Longitudes are
 * unwrapped relative to the first point: the antimeridian is no special place.
 */
export interface Place {
  readonly lat_e6: number;
  readonly lon_e6: number;
}

/** `too-wide`: over 10 degrees, far beyond any permitted area, and where unwrapping would become ambiguous. */
export type AreaProblem = 'near-pole' | 'too-wide' | 'repeated-point' | 'not-simple';

/** x is the unwrapped longitude difference to the first point, y the latitude; both integer micro-degrees. */
interface Point {
  readonly x: number;
  readonly y: number;
}

const earthRadiusKm = 6371.0088;
const radPerE6 = Math.PI / 180e6;
const maxLatE6 = 85_000_000;
const maxSpanE6 = 10_000_000;

/** What keeps the area from being measured, if anything. The other functions are meant for areas without a problem. */
export function areaProblem(area: Area): AreaProblem | undefined {
  if ('circle' in area) return Math.abs(area.circle.lat_e6) > maxLatE6 ? 'near-pole' : undefined;
  const points = unwrap(area.polygon.pts_e6);
  if (points.some(({ y }) => Math.abs(y) > maxLatE6)) return 'near-pole';
  const xs = points.map(({ x }) => x);
  const ys = points.map(({ y }) => y);
  if (spanOf(xs) > maxSpanE6 || spanOf(ys) > maxSpanE6) return 'too-wide';
  if (new Set(points.map(({ x, y }) => `${x},${y}`)).size !== points.length) return 'repeated-point';
  return isSimple(points) ? undefined : 'not-simple';
}

export function areaKm2(area: Area): number {
  if ('circle' in area) {
    const half = area.circle.radius_m / 1000 / earthRadiusKm / 2;
    return 4 * Math.PI * earthRadiusKm ** 2 * Math.sin(half) ** 2;
  }
  const points = unwrap(area.polygon.pts_e6);
  const base = (points[0]?.y ?? 0) * radPerE6;
  let sum = 0;
  for (const [a, b] of edgesOf(points)) {
    // Exact integral of (sin φ − sin φ0) dλ along an edge on which φ is linear in λ; the base keeps digits.
    const [fromLat, toLat] = [a.y * radPerE6, b.y * radPerE6];
    const middle = (fromLat + toLat) / 2;
    const bend = sinc((toLat - fromLat) / 2);
    const rise = 2 * Math.cos((middle + base) / 2) * Math.sin((middle - base) / 2);
    sum += (b.x - a.x) * radPerE6 * (rise * bend + Math.sin(base) * (bend - 1));
  }
  return Math.abs(sum) * earthRadiusKm ** 2;
}

/** 4πA/P²: 1 for a circle, .79 for a square, near 0 for a strip or for spikes. */
export function compactness(area: Area): number {
  if ('circle' in area) return 1;
  const points = unwrap(area.polygon.pts_e6);
  let perimeterKm = 0;
  for (const [a, b] of edgesOf(points)) perimeterKm += distanceKm(a, b);
  return (4 * Math.PI * areaKm2(area)) / perimeterKm ** 2;
}

/** True inside and on the border. */
export function areaContains(area: Area, place: Place): boolean {
  if ('circle' in area) {
    const center = { x: 0, y: area.circle.lat_e6 };
    const point = { x: wrap(place.lon_e6 - area.circle.lon_e6), y: place.lat_e6 };
    return distanceKm(center, point) * 1000 <= area.circle.radius_m;
  }
  const first = area.polygon.pts_e6[0];
  if (first === undefined) return false;
  const at = { x: wrap(place.lon_e6 - first[1]), y: place.lat_e6 };
  let inside = false;
  for (const [a, b] of edgesOf(unwrap(area.polygon.pts_e6))) {
    if (turn(a, b, at) === 0 && isBetween(a, b, at)) return true;
    if (a.y > at.y !== b.y > at.y && turn(a, b, at) > 0 === b.y > a.y) inside = !inside;
  }
  return inside;
}

/**
 * Whether two areas touch. For showing requests together, not for deciding: the distance of a circle to a polygon's edge is
 * taken in the plane, which is exact to a millionth for areas that can be asked for.
 */
export function areasOverlap(a: Area, b: Area): boolean {
  if ('circle' in a && 'circle' in b) {
    const apart = { x: wrap(b.circle.lon_e6 - a.circle.lon_e6), y: b.circle.lat_e6 };
    const apartM = distanceKm({ x: 0, y: a.circle.lat_e6 }, apart) * 1000;
    return apartM <= a.circle.radius_m + b.circle.radius_m;
  }
  if ('circle' in a) return areasOverlap(b, a);
  const points = unwrap(a.polygon.pts_e6);
  const originLon = a.polygon.pts_e6[0]?.[1] ?? 0;
  if ('circle' in b) {
    const { lat_e6: latE6, lon_e6: lonE6, radius_m: radiusM } = b.circle;
    const center = { x: wrap(lonE6 - originLon), y: latE6 };
    const near = edgesOf(points).some(([from, to]) => distanceToEdgeM(center, from, to) <= radiusM);
    return near || areaContains(a, { lat_e6: latE6, lon_e6: lonE6 });
  }
  const others = b.polygon.pts_e6.map(([lat, lon]) => ({ x: wrap(lon - originLon), y: lat }));
  const crossing = edgesOf(points).some(([p, q]) => edgesOf(others).some(([r, s]) => meet(p, q, r, s)));
  const [inB, inA] = [a.polygon.pts_e6[0], b.polygon.pts_e6[0]];
  const within = (area: Area, at: readonly [number, number] | undefined): boolean =>
    at !== undefined && areaContains(area, { lat_e6: at[0], lon_e6: at[1] });
  return crossing || within(b, inB) || within(a, inA);
}

/** In the plane that touches the sphere at `from`. */
function distanceToEdgeM(from: Point, a: Point, b: Point): number {
  const shrink = Math.cos(from.y * radPerE6);
  const flat = ({ x, y }: Point): Point => ({ x: wrap(x - from.x) * shrink, y: y - from.y });
  const [p, q] = [flat(a), flat(b)];
  const [dx, dy] = [q.x - p.x, q.y - p.y];
  const lengthSquared = dx * dx + dy * dy;
  const along = lengthSquared === 0 ? 0 : Math.min(1, Math.max(0, -(p.x * dx + p.y * dy) / lengthSquared));
  return Math.hypot(p.x + along * dx, p.y + along * dy) * radPerE6 * earthRadiusKm * 1000;
}

function unwrap(points: readonly (readonly [number, number])[]): Point[] {
  const firstLon = points[0]?.[1] ?? 0;
  return points.map(([lat, lon]) => ({ x: wrap(lon - firstLon), y: lat }));
}

/** A longitude difference as −180° (included) to 180°. */
function wrap(differenceE6: number): number {
  return ((((differenceE6 + 180_000_000) % 360_000_000) + 360_000_000) % 360_000_000) - 180_000_000;
}

function edgesOf(points: readonly Point[]): [Point, Point][] {
  return points.map((point, i) => [point, points[(i + 1) % points.length] ?? point]);
}

function spanOf(values: readonly number[]): number {
  return Math.max(...values) - Math.min(...values);
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(x) / x;
}

/** Haversine. */
function distanceKm(a: Point, b: Point): number {
  const dLat = Math.sin(((b.y - a.y) * radPerE6) / 2);
  const dLon = Math.sin(((b.x - a.x) * radPerE6) / 2);
  const h = dLat ** 2 + Math.cos(a.y * radPerE6) * Math.cos(b.y * radPerE6) * dLon ** 2;
  return 2 * earthRadiusKm * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** Sign of the turn a → b → c. Exact: within the permitted span every product stays below 2^53. */
function turn(a: Point, b: Point, c: Point): number {
  return Math.sign((b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x));
}

/** For a point on the line through a and b: whether it lies on the edge. */
function isBetween(a: Point, b: Point, point: Point): boolean {
  return (
    Math.min(a.x, b.x) <= point.x &&
    point.x <= Math.max(a.x, b.x) &&
    Math.min(a.y, b.y) <= point.y &&
    point.y <= Math.max(a.y, b.y)
  );
}

/** No two edges meet except neighbours in their common corner. */
function isSimple(points: readonly Point[]): boolean {
  const edges = edgesOf(points);
  return edges.every(([a, b], i) =>
    edges.slice(i + 1).every(([c, d], k) => {
      if (k === 0) return !foldsBack(a, b, d);
      if (i === 0 && k === edges.length - 2) return !foldsBack(c, d, b);
      return !meet(a, b, c, d);
    }),
  );
}

/** True if the neighbouring edges a → b → c run back over each other. */
function foldsBack(a: Point, b: Point, c: Point): boolean {
  return turn(a, b, c) === 0 && (isBetween(a, b, c) || isBetween(b, c, a));
}

function meet(a: Point, b: Point, c: Point, d: Point): boolean {
  const [abc, abd, cda, cdb] = [turn(a, b, c), turn(a, b, d), turn(c, d, a), turn(c, d, b)];
  if (abc !== abd && cda !== cdb && abc * abd <= 0 && cda * cdb <= 0) return true;
  return (
    (abc === 0 && isBetween(a, b, c)) ||
    (abd === 0 && isBetween(a, b, d)) ||
    (cda === 0 && isBetween(c, d, a)) ||
    (cdb === 0 && isBetween(c, d, b))
  );
}
