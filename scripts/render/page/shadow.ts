/** Depth as a light sees it, and the GLSL that asks whether a point is in its shadow. */
import {
  DoubleSide,
  FloatType,
  Matrix4,
  MeshDepthMaterial,
  NearestFilter,
  OrthographicCamera,
  PerspectiveCamera,
  RedFormat,
  type Scene,
  type Vector3,
  type WebGLRenderer,
  WebGLRenderTarget,
} from 'three';

const toUnit = new Matrix4().set(0.5, 0, 0, 0.5, 0, 0.5, 0, 0.5, 0, 0, 0.5, 0.5, 0, 0, 0, 1);

export class ShadowView {
  readonly target: WebGLRenderTarget;
  readonly matrix = new Matrix4();
  readonly camera: OrthographicCamera | PerspectiveCamera;
  readonly #material = new MeshDepthMaterial({ side: DoubleSide });

  constructor(sizePx: number, camera: OrthographicCamera | PerspectiveCamera) {
    this.camera = camera;
    this.target = new WebGLRenderTarget(sizePx, sizePx, {
      type: FloatType,
      format: RedFormat,
      minFilter: NearestFilter,
      magFilter: NearestFilter,
    });
  }

  static parallel(sizePx: number, halfM: number, depthM: number): ShadowView {
    return new ShadowView(sizePx, new OrthographicCamera(-halfM, halfM, halfM, -halfM, 0.1, depthM));
  }

  static cone(sizePx: number, fieldDeg: number, nearM: number, farM: number): ShadowView {
    return new ShadowView(sizePx, new PerspectiveCamera(fieldDeg, 1, nearM, farM));
  }

  aim(from: Vector3, at: Vector3): void {
    this.camera.position.copy(from);
    this.camera.up.set(0, 1, Math.abs(at.y - from.y) > 0.95 * from.distanceTo(at) ? 1 : 0);
    this.camera.lookAt(at);
    this.camera.updateMatrixWorld();
    this.matrix.copy(toUnit).multiply(this.camera.projectionMatrix).multiply(this.camera.matrixWorldInverse);
  }

  /** Draws what is visible in the scene; with nothing visible, nothing is in shadow. */
  draw(renderer: WebGLRenderer, scene: Scene): void {
    scene.overrideMaterial = this.#material;
    renderer.setRenderTarget(this.target);
    renderer.setClearColor(0x000000, 0);
    renderer.clear();
    renderer.render(scene, this.camera);
    scene.overrideMaterial = null;
    renderer.setRenderTarget(null);
  }

  clear(renderer: WebGLRenderer): void {
    renderer.setRenderTarget(this.target);
    renderer.setClearColor(0x000000, 0);
    renderer.clear();
    renderer.setRenderTarget(null);
  }

  dispose(): void {
    this.target.dispose();
    this.#material.dispose();
  }
}

/** `shadowAt` is 1 in the light and 0 in the shadow; the maps hold 1 - depth, so that a cleared map is empty. */
export const SHADOW_GLSL = /* glsl */ `
/* An \`if\` whose body is really skipped: a software renderer walks through both sides of a branch, but not through idle loops. */
#define WHEN( condition ) for ( bool once = ( condition ); once; once = false )
float shadowAt( sampler2D map, mat4 toMap, vec3 world, float bias ) {
  vec4 p = toMap * vec4( world, 1.0 );
  vec3 q = p.xyz / p.w;
  float lit = 1.0;
  bool outside =  p.w <= 0.0 || any( lessThan( q, vec3( 0.001 ) ) ) || any( greaterThan( q, vec3( 0.999 ) ) );
  WHEN( ! outside ) {
  vec2 size = vec2( textureSize( map, 0 ) );
  vec2 at = q.xy * size - 0.5;
  vec2 part = fract( at );
  ivec2 cell = ivec2( floor( at ) );
  ivec2 last = ivec2( size ) - 1;
  /* Where the corners of the filter agree, so does what lies between them: nothing that throws a shadow is thinner. */
  float corners = 0.0;
  for ( int k = 0; k < 4; k ++ ) {
    ivec2 corner = clamp( cell + ivec2( ( k & 1 ) * 3 - 1, ( k >> 1 ) * 3 - 1 ), ivec2( 0 ), last );
    corners += step( q.z - bias, 1.0 - texelFetch( map, corner, 0 ).r );
  }
  lit = corners * 0.25;
  WHEN( corners > 0.0 && corners < 4.0 ) {
  lit = 0.0;
  for ( int j = -1; j <= 2; j ++ ) {
    float rowShare = j == -1 ? 1.0 - part.y : j == 2 ? part.y : 1.0;
    for ( int i = -1; i <= 2; i ++ ) {
      float share = ( i == -1 ? 1.0 - part.x : i == 2 ? part.x : 1.0 ) * rowShare;
      float stored = 1.0 - texelFetch( map, clamp( cell + ivec2( i, j ), ivec2( 0 ), last ), 0 ).r;
      lit += share * step( q.z - bias, stored );
    }
  }
  lit /= 9.0;
  }
  }
  return lit;
}
`;
