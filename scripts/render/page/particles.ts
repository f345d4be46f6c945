/** Drops, flakes, splashes and the glare of lamps: soft strokes drawn straight into the picture, behind what is nearer. */
import {
  BufferAttribute,
  CustomBlending,
  GLSL3,
  InstancedBufferAttribute,
  InstancedBufferGeometry,
  Mesh,
  OneFactor,
  OneMinusSrcAlphaFactor,
  OrthographicCamera,
  ShaderMaterial,
  type Texture,
  type WebGLRenderer,
  type WebGLRenderTarget,
} from 'three';

/** Pixels from the upper left corner; light is linear and added, `cover` hides what is behind. */
export interface Stroke {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
  readonly radiusPx: number;
  readonly light: readonly [number, number, number];
  readonly cover: number;
  /** Behind scenery that is nearer than this. */
  readonly distanceM: number;
}

const MAX = 900;

export class StrokePainter {
  readonly #geometry = new InstancedBufferGeometry();
  readonly #mesh: Mesh;
  readonly #camera = new OrthographicCamera();
  readonly #material: ShaderMaterial;
  readonly #line = new InstancedBufferAttribute(new Float32Array(MAX * 4), 4);
  readonly #tone = new InstancedBufferAttribute(new Float32Array(MAX * 4), 4);
  readonly #shape = new InstancedBufferAttribute(new Float32Array(MAX * 2), 2);

  constructor(widthPx: number, heightPx: number, place: Texture) {
    this.#geometry.setAttribute(
      'position',
      new BufferAttribute(new Float32Array([-1, -1, 0, 1, -1, 0, 1, 1, 0, -1, 1, 0]), 3),
    );
    this.#geometry.setIndex([0, 1, 2, 0, 2, 3]);
    this.#geometry.setAttribute('line', this.#line);
    this.#geometry.setAttribute('tone', this.#tone);
    this.#geometry.setAttribute('shape', this.#shape);
    this.#material = new ShaderMaterial({
      glslVersion: GLSL3,
      depthTest: false,
      depthWrite: false,
      transparent: true,
      blending: CustomBlending,
      blendSrc: OneFactor,
      blendDst: OneMinusSrcAlphaFactor,
      uniforms: { size: { value: [widthPx, heightPx] }, place: { value: place } },
      vertexShader: `in vec4 line; in vec4 tone; in vec2 shape; uniform vec2 size; uniform sampler2D place;
        out vec4 shade; out vec2 at; out float longness;
        void main() {
          vec2 middle = 0.5 * ( line.xy + line.zw ), along = 0.5 * ( line.zw - line.xy );
          float halfLength = length( along );
          vec2 u = halfLength > 1e-3 ? along / halfLength : vec2( 1.0, 0.0 );
          vec2 p = middle + u * position.x * ( halfLength + shape.x ) + vec2( - u.y, u.x ) * position.y * shape.x;
          float behind = texture( place, vec2( middle.x, size.y - middle.y ) / size ).w;
          float shown = shape.y <= behind + 0.3 ? 1.0 : 0.0;
          shade = tone * shown;
          longness = halfLength / shape.x;
          at = position.xy * vec2( longness + 1.0, 1.0 );
          gl_Position = vec4( ( p / size * 2.0 - 1.0 ) * vec2( 1.0, -1.0 ), 0.0, 1.0 );
        }`,
      fragmentShader: `in vec4 shade; in vec2 at; in float longness; out vec4 color;
        void main() {
          vec2 d = vec2( max( abs( at.x ) - longness, 0.0 ), at.y );
          float soft = exp( -3.0 * dot( d, d ) ) - 0.05;
          color = shade * max( soft, 0.0 );
        }`,
    });
    this.#material.side = 2;
    this.#mesh = new Mesh(this.#geometry, this.#material);
    this.#mesh.frustumCulled = false;
  }

  draw(renderer: WebGLRenderer, strokes: readonly Stroke[], target: WebGLRenderTarget): void {
    if (strokes.length === 0) return;
    const count = Math.min(MAX, strokes.length);
    for (let i = 0; i < count; i++) {
      const s = strokes[i];
      if (s === undefined) continue;
      this.#line.setXYZW(i, s.x0, s.y0, s.x1, s.y1);
      this.#tone.setXYZW(i, s.light[0], s.light[1], s.light[2], s.cover);
      this.#shape.setXY(i, s.radiusPx, s.distanceM);
    }
    this.#line.needsUpdate = this.#tone.needsUpdate = this.#shape.needsUpdate = true;
    this.#geometry.instanceCount = count;
    renderer.setRenderTarget(target);
    renderer.autoClear = false;
    renderer.render(this.#mesh, this.#camera);
    renderer.autoClear = true;
  }

  dispose(): void {
    this.#geometry.dispose();
    this.#material.dispose();
  }
}
