/** From linear light to what the camera sends: lens, sensor and signal processing, in that order. */
import { CanvasTexture, DataTexture, GLSL3, ShaderMaterial, type Texture, type WebGLRenderer } from 'three';
import { fork } from '../random.ts';
import { FULL_SCREEN_VERTEX, type FullScreen } from './bake.ts';

export interface FinishLook {
  readonly exposure: number;
  readonly noise: number;
  readonly grey: boolean;
  readonly dirt: number;
  /** A number that differs from frame to frame. */
  readonly frame: number;
  readonly fill: 'none' | 'black' | 'grey';
}

const fragment = /* glsl */ `
out vec4 color;
uniform sampler2D picture, dirtMap, grain;
uniform ivec2 grainAt, grainCoarseAt;
uniform vec2 size;
uniform float exposure, noiseLevel, dirt, fill;
uniform bool grey;
vec3 film( vec3 x ) { return clamp( ( x * ( 2.51 * x + 0.03 ) ) / ( x * ( 2.43 * x + 0.59 ) + 0.14 ), 0.0, 1.0 ); }
void main() {
  /* Rows from the top, as files want them. */
  vec2 px = vec2( gl_FragCoord.x, size.y - gl_FragCoord.y );
  vec2 uv = px / size, one = 1.0 / size;
  if ( fill > 0.0 ) { color = vec4( vec3( fill > 1.5 ? 0.5 : 0.0 ), 1.0 ); return; }
  ivec2 at = ivec2( px ), last = ivec2( size ) - 1;
  vec3 c = texelFetch( picture, at, 0 ).rgb;
  vec3 round = ( texelFetch( picture, min( at + ivec2( 1, 0 ), last ), 0 ).rgb + texelFetch( picture, max( at - ivec2( 1, 0 ), 0 ), 0 ).rgb
    + texelFetch( picture, min( at + ivec2( 0, 1 ), last ), 0 ).rgb + texelFetch( picture, max( at - ivec2( 0, 1 ), 0 ), 0 ).rgb ) * 0.25;
  c = max( c + clamp( c - round, - c * 0.5, c * 0.6 ) * 0.4, 0.0 );
  for ( bool once = dirt > 0.0; once; once = false ) {
    vec2 smear = texture( dirtMap, uv ).rg * dirt;
    vec3 wide = vec3( 0.0 );
    for ( int i = 0; i < 8; i ++ ) {
      float a = float( i ) * 0.785;
      wide += min( texture( picture, uv + vec2( cos( a ), sin( a ) * size.x / size.y ) * ( i % 2 == 0 ? 0.012 : 0.03 ) ).rgb, vec3( 4.0 ) );
    }
    c = mix( c, wide / 8.0 * ( 0.85 - 0.35 * smear.g ), clamp( smear.r, 0.0, 0.85 ) );
    c += wide / 8.0 * smear.r * 0.25;
  }
  vec2 p = ( uv * 2.0 - 1.0 ) * vec2( 1.0, size.y / size.x );
  c *= exposure * ( 1.0 - 0.3 * dot( p, p ) );
  if ( grey ) c = vec3( dot( c, vec3( 0.42, 0.38, 0.2 ) ) );
  /* Infrared lamps light what is near far more than the rest: cameras fold that into what they can send. */
  vec3 folded = log( 1.0 + 12.0 * c ) * 0.233;
  c = film( c * 0.9 );
  c = mix( vec3( dot( c, vec3( 0.3, 0.59, 0.11 ) ) ), c, 0.85 );
  c = grey ? min( folded, 1.0 ) : sqrt( c );
  /* Grain: red is fine, green is twice as coarse, blue is of the sensor and stays; alpha is for colours. */
  vec4 fine = texelFetch( grain, ( at + grainAt ) & 511, 0 ) * 2.0 - 1.0;
  vec4 coarse = texelFetch( grain, ( at / 2 + grainCoarseAt ) & 511, 0 ) - 0.5;
  float fixedPattern = texelFetch( grain, at & 511, 0 ).b - 0.5;
  float level = noiseLevel * ( 1.25 - 0.7 * c.g );
  c += level * ( fine.r + 0.8 * coarse.g + 0.25 * fixedPattern );
  if ( ! grey ) c += level * 0.45 * coarse.rba;
  color = vec4( c, 1.0 );
}`;

/** Triangular noise in red, uniform in the others. */
function makeGrain(seed: number): Texture {
  const random = fork(seed, 'grain');
  const bytes = new Uint8Array(512 * 512 * 4);
  for (let i = 0; i < bytes.length; i++) bytes[i] = i % 4 === 0 ? 127.5 * (random() + random()) : 255 * random();
  const texture = new DataTexture(bytes, 512, 512);
  texture.needsUpdate = true;
  return texture;
}

/** Smears in red, specks in green. */
function paintDirt(seed: number): Texture {
  const random = fork(seed, 'dirt');
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [320, 180];
  const g = canvas.getContext('2d');
  if (g === null) throw new Error('Cannot paint dirt: the browser has no 2D canvas');
  g.globalCompositeOperation = 'lighter';
  for (let i = 0; i < 46; i++) {
    const [x, y] = [random() * 320, random() * 180];
    const r = i < 9 ? 25 + random() * 45 : 2 + random() * 8;
    const glow = g.createRadialGradient(x, y, 0, x, y, r);
    const strength = Math.round(i < 9 ? 60 + 80 * random() : 110 + 120 * random());
    glow.addColorStop(0, `rgb(${strength},${i < 9 ? 0 : strength},0)`);
    glow.addColorStop(1, 'rgb(0,0,0)');
    g.fillStyle = glow;
    g.fillRect(x - r, y - r, 2 * r, 2 * r);
  }
  // What ran down and dried.
  for (let i = 0; i < 7; i++) {
    const x = random() * 320;
    g.fillStyle = `rgb(${Math.round(40 + 50 * random())},20,0)`;
    g.fillRect(x, random() * 90, 1 + random() * 3, 40 + random() * 90);
  }
  return new CanvasTexture(canvas);
}

export class Finisher {
  readonly #material: ShaderMaterial;

  constructor(widthPx: number, heightPx: number, picture: Texture, seed: number, dirty: boolean) {
    this.#material = new ShaderMaterial({
      glslVersion: GLSL3,
      vertexShader: FULL_SCREEN_VERTEX,
      fragmentShader: fragment,
      depthTest: false,
      uniforms: {
        picture: { value: picture },
        dirtMap: { value: dirty ? paintDirt(seed) : null },
        size: { value: [widthPx, heightPx] },
        exposure: { value: 1 },
        noiseLevel: { value: 0 },
        dirt: { value: 0 },
        grain: { value: makeGrain(seed) },
        grainAt: { value: [0, 0] },
        grainCoarseAt: { value: [0, 0] },
        fill: { value: 0 },
        grey: { value: false },
      },
    });
  }

  /** Into the page's canvas. */
  draw(renderer: WebGLRenderer, screen: FullScreen, look: FinishLook): void {
    const { uniforms } = this.#material;
    const set = (name: string, value: unknown): void => {
      const uniform = uniforms[name];
      if (uniform !== undefined) uniform.value = value;
    };
    set('exposure', look.exposure);
    set('noiseLevel', look.noise);
    set('grey', look.grey);
    set('dirt', look.dirt);
    const random = fork(look.frame, 'frame');
    set('grainAt', [Math.floor(random() * 512), Math.floor(random() * 512)]);
    set('grainCoarseAt', [Math.floor(random() * 512), Math.floor(random() * 512)]);
    set('fill', { none: 0, black: 1, grey: 2 }[look.fill]);
    screen.draw(renderer, this.#material, null);
  }

  dispose(): void {
    for (const name of ['grain', 'dirtMap']) (this.#material.uniforms[name]?.value as Texture | null)?.dispose();
    this.#material.dispose();
  }
}
