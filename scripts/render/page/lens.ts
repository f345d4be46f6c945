/**
 * The camera's lens: barrel distortion by one family of projections, `r = tan(bend * angle) / bend`, of which pinhole
 * (bend 1), stereographic (1/2) and equidistant (towards 0) are members. It has an exact inverse and no fold up to
 * an angle of `pi / (2 bend)`, so that it can be applied to vertices instead of pictures: everything is drawn straight into
 * the lens's picture, at its resolution.
 */
import { Matrix4, type PerspectiveCamera, ShaderChunk } from 'three';

export interface LensSpec {
  readonly fieldDeg: number;
  readonly bend: number;
  readonly widthPx: number;
  readonly heightPx: number;
}

/** Anything nearer than this is not drawn. */
export const NEAR_M = 0.05;
/** Triangles that reach further to the side or back than this are cut there. */
const KILL_RAD = 1.95;

/** Radius (1 = the left and right edge of the picture, on the horizon) of a direction at this angle off the axis. */
export function radiusOf(lens: LensSpec, angleRad: number): number {
  return Math.tan(lens.bend * angleRad) / edge(lens);
}

export function angleOf(lens: LensSpec, radius: number): number {
  return Math.atan(radius * edge(lens)) / lens.bend;
}

function edge(lens: LensSpec): number {
  return Math.tan((lens.bend * lens.fieldDeg * Math.PI) / 360);
}

/** From camera axes (x right, y up, -z ahead) to pixels; undefined where nothing is drawn. */
export function toPixels(lens: LensSpec, x: number, y: number, z: number): readonly [number, number] | undefined {
  const side = Math.hypot(x, y);
  const angle = Math.atan2(side, -z);
  if (angle > KILL_RAD || angle * lens.bend > 1.5) return undefined;
  const scale = side < 1e-9 ? 0 : radiusOf(lens, angle) / side;
  const half = lens.widthPx / 2;
  return [half + x * scale * half, lens.heightPx / 2 - y * scale * half];
}

/** The direction (unit length, camera axes) that a pixel looks along. */
export function toDirection(lens: LensSpec, xPx: number, yPx: number): readonly [number, number, number] {
  const half = lens.widthPx / 2;
  const x = (xPx - half) / half;
  const y = (lens.heightPx / 2 - yPx) / half;
  const radius = Math.hypot(x, y);
  const angle = angleOf(lens, radius);
  const scale = radius < 1e-9 ? 0 : Math.sin(angle) / radius;
  return [x * scale, y * scale, -Math.cos(angle)];
}

/** A window onto the lens's picture: `zoom` 0.5 shows twice as much to every side; the shift is in half pictures. */
export interface LensWindow {
  readonly zoom: number;
  readonly shiftX: number;
  readonly shiftY: number;
}
export const wholePicture: LensWindow = { zoom: 1, shiftX: 0, shiftY: 0 };

/**
 * Makes a camera draw through the lens. The projection matrix carries the lens's figures instead of a projection, told apart
 * by its last element; `installLens` teaches three's shaders to read them. Culling by such a matrix means nothing, so
 * objects must not be frustum culled.
 */
export function setLens(camera: PerspectiveCamera, lens: LensSpec, window: LensWindow = wholePicture): void {
  const aspect = lens.widthPx / lens.heightPx;
  const kill = Math.min(KILL_RAD, 1.5 / lens.bend);
  // Column major: first column, second column, two unused ones.
  camera.projectionMatrix = new Matrix4().fromArray([
    lens.bend,
    1 / edge(lens),
    aspect,
    kill,
    window.zoom,
    window.shiftX,
    window.shiftY,
    NEAR_M,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    9,
  ]);
  camera.projectionMatrixInverse = new Matrix4();
  camera.matrixAutoUpdate = true;
}

const LENS_GLSL = /* glsl */ `
if ( projectionMatrix[ 3 ][ 3 ] > 5.0 ) {
  float lensDistance = max( length( mvPosition.xyz ), 1e-5 );
  float lensSide = length( mvPosition.xy );
  float lensAngle = atan( lensSide, - mvPosition.z );
  float lensKill = projectionMatrix[ 0 ][ 3 ];
  float lensRadius = tan( projectionMatrix[ 0 ][ 0 ] * min( lensAngle, lensKill ) ) * projectionMatrix[ 0 ][ 1 ];
  vec2 lensAt = mvPosition.xy / max( lensSide, 1e-6 ) * lensRadius * vec2( 1.0, projectionMatrix[ 0 ][ 2 ] );
  lensAt = lensAt * projectionMatrix[ 1 ][ 0 ] + vec2( projectionMatrix[ 1 ][ 1 ], projectionMatrix[ 1 ][ 2 ] );
  // With w = distance, varyings are interpolated in perspective and depth is 1 - near / distance.
  float lensDepth = lensDistance - 2.0 * projectionMatrix[ 1 ][ 3 ];
  gl_Position = vec4( lensAt * lensDistance, lensAngle > lensKill ? 2.0 * lensDistance : lensDepth, lensDistance );
}
`;

/** Once, before any material is compiled. */
export function installLens(): void {
  if (!ShaderChunk.project_vertex.includes('lensKill')) ShaderChunk.project_vertex += LENS_GLSL;
}
