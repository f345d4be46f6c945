/** One frame in linear light: the sum of the baked lights, what moves drawn over it with its shadows, weather on top. */
import {
  GLSL3,
  HalfFloatType,
  LinearFilter,
  ShaderMaterial,
  type Texture,
  Vector3,
  Vector4,
  type WebGLRenderer,
  WebGLRenderTarget,
} from 'three';
import { type Baked, FULL_SCREEN_VERTEX, type FullScreen } from './bake.ts';
import { type LightRig, type Strengths, sources, type Tints } from './light-rig.ts';
import type { ShadowUniforms } from './materials.ts';
import { SHADOW_GLSL } from './shadow.ts';

export const MAX_CONTACTS = 8;

/** Left, bottom, width, height in pixels; all of the picture when undefined. */
export type Region = readonly [number, number, number, number];

export interface FrameLook {
  readonly strengths: Strengths;
  readonly tints: Tints;
  /** Where feet, wheels and things stand: x, z, radius, strength of the darkening. */
  readonly contacts: readonly (readonly [number, number, number, number])[];
  readonly tSec: number;
  readonly windRatio: number;
  readonly cloudRatio: number;
  /** Light scattered by rain, snow or fog: extinction per metre. */
  readonly hazePerM: number;
  /** Shift of the picture in shares of it, and by how much it is cut so that nothing beyond the edge is seen. */
  readonly shift: readonly [number, number];
  readonly crop: number;
  readonly headlights: boolean;
  readonly sunShadows: boolean;
  readonly lampShadows: boolean;
}

const fragment = /* glsl */ `
out vec4 color;
uniform sampler2D lightSun, lightSky, lightLamp, lightInfrared, lightGlow, place, facing, albedo, actors;
uniform sampler2D sunFixed, sunMoving, lampMoving, headlights;
uniform mat4 sunFixedMatrix, sunMovingMatrix, lampMovingMatrix, headlightsMatrix;
uniform vec3 tint[ 5 ];
uniform vec2 size, shift;
uniform float crop, seconds, wind, cloud, haze;
uniform bool sunShadows, lampShadows, headlightsOn;
uniform vec4 contacts[ ${MAX_CONTACTS} ];
uniform int contactCount;
uniform vec3 headAt[ 2 ], headAhead;
uniform float headStrength;
${SHADOW_GLSL}
float hash( vec2 p ) { return fract( sin( dot( p, vec2( 127.1, 311.7 ) ) ) * 43758.5453 ); }
float soft( vec2 p ) {
  vec2 i = floor( p ), f = fract( p ); f = f * f * ( 3.0 - 2.0 * f );
  return mix( mix( hash( i ), hash( i + vec2( 1, 0 ) ), f.x ), mix( hash( i + vec2( 0, 1 ) ), hash( i + 1.0 ), f.x ), f.y );
}
/* Leaves move in gusts that run over the place; each leaf trembles on its own. */
vec3 gust( vec3 at ) {
  float slow = soft( at.xz * 0.35 - vec2( seconds * 0.9, seconds * 0.35 ) );
  float sway = sin( seconds * 2.1 + at.x * 0.7 + at.z * 0.4 ) * 0.6 + sin( seconds * 3.7 + at.y * 1.9 ) * 0.4;
  float tremble = sin( seconds * 9.0 + hash( floor( at.xy * 9.0 ) + floor( at.zz * 9.0 ) ) * 6.28 );
  return vec3( ( sway * 0.055 + tremble * 0.012 ) * ( 0.35 + slow ), tremble * 0.012, sway * 0.03 ) * wind * min( 1.6, at.y * 0.5 + 0.3 );
}
/* Without filtering where pixels fall on pixels: it is several times faster. */
#ifdef EXACT
vec4 get( sampler2D map, vec2 from ) { return texelFetch( map, ivec2( gl_FragCoord.xy ), 0 ); }
#else
vec4 get( sampler2D map, vec2 from ) { return texture( map, from ); }
#endif
void main() {
  vec2 uv = gl_FragCoord.xy / size;
  vec2 from = 0.5 + ( uv - 0.5 ) * crop + shift;
  vec4 here = get( place, from );
  #ifdef WINDY
    float leafHere = texture( facing, from ).w;
    /* A leaf some pixels away may have moved here: look where it would have come from. */
    vec3 moved = gust( here.xyz );
    vec2 step = vec2( moved.x, moved.y ) / max( here.w, 0.5 ) * 0.55;
    vec2 other = from - step;
    if ( leafHere > 0.5 ) { if ( texture( facing, other ).w > 0.5 ) { from = other; here = texture( place, from ); } }
    else {
      for ( int k = 0; k < 2; k ++ ) {
        vec2 probe = from + ( k == 0 ? vec2( 0.004, 0.0 ) : vec2( -0.004, 0.0 ) );
        vec4 near = texture( place, probe );
        if ( texture( facing, probe ).w > 0.5 && near.w < here.w ) {
          vec2 pulled = from - gust( near.xyz ).xy / max( near.w, 0.5 ) * 0.55;
          if ( texture( facing, pulled ).w > 0.5 ) { from = pulled; here = texture( place, from ); break; }
        }
      }
    }
  #endif
  vec4 normal = get( facing, from );
  vec3 c = vec3( 0.0 );
  vec3 at = here.xyz + normal.xyz * 0.03;
  WHEN( tint[ 0 ].x > 0.0 ) {
    float lit = 1.0;
    WHEN( sunShadows ) lit *= shadowAt( sunMoving, sunMovingMatrix, at, 0.002 );
    #ifdef WINDY
    lit *= shadowAt( sunFixed, sunFixedMatrix, at + gust( here.xyz + vec3( 0.0, 2.5, 0.0 ) ) * vec3( 2.2, 0.0, 2.2 ), 0.0012 );
    #endif
    WHEN( cloud > 0.0 ) lit *= 1.0 - cloud * smoothstep( 0.3, 0.7, soft( here.xz * 0.05 + vec2( seconds * 0.16, 0.0 ) ) );
    c += get( lightSun, from ).rgb * tint[ 0 ] * lit;
  }
  float open = 1.0;
  WHEN( contactCount > 0 && here.y < 0.35 && normal.y > 0.5 ) {
    for ( int i = 0; i < ${MAX_CONTACTS}; i ++ ) {
      if ( i >= contactCount ) break;
      vec2 away = ( here.xz - contacts[ i ].xy ) / contacts[ i ].z;
      open *= 1.0 - contacts[ i ].w * exp( - dot( away, away ) );
    }
  }
  WHEN( tint[ 1 ].z > 0.0 ) c += get( lightSky, from ).rgb * tint[ 1 ] * open;
  WHEN( tint[ 2 ].x > 0.0 ) {
    float lit = 1.0;
    WHEN( lampShadows ) lit = shadowAt( lampMoving, lampMovingMatrix, at, 0.002 );
    c += get( lightLamp, from ).rgb * tint[ 2 ] * mix( 1.0, lit, 0.85 );
  }
  WHEN( tint[ 3 ].x > 0.0 ) c += get( lightInfrared, from ).rgb * tint[ 3 ] * mix( 1.0, open, 0.5 );
  WHEN( tint[ 4 ].x > 0.0 ) c += get( lightGlow, from ).rgb * tint[ 4 ];
  WHEN( headlightsOn && headStrength > 0.0 ) {
    vec3 sum = vec3( 0.0 );
    for ( int i = 0; i < 2; i ++ ) {
      vec3 to = headAt[ i ] - here.xyz;
      float far = length( to );
      float spread = smoothstep( 0.9, 0.985, dot( - to / far, headAhead ) );
      sum += max( dot( normal.xyz, to / far ), 0.0 ) * spread / pow( far, 1.2 );
    }
    WHEN( sum.x > 1e-5 ) sum *= shadowAt( headlights, headlightsMatrix, at, 0.0006 );
    c += get( albedo, from ).rgb / 3.1416 * sum * headStrength * vec3( 1.0, 0.93, 0.8 );
  }
  vec4 actor = texelFetch( actors, ivec2( gl_FragCoord.xy ), 0 );
  c = c * ( 1.0 - actor.a ) + actor.rgb;
  WHEN( haze > 0.0 ) {
    float through = exp( - haze * min( here.w, 60.0 ) * ( 1.0 - actor.a ) );
    c = mix( vec3( 0.75, 0.8, 0.86 ) * ( tint[ 1 ] * 0.9 + tint[ 3 ] * 0.06 ), c, through );
  }
  color = vec4( c, 1.0 );
}`;

const LAYERS = ['lightSun', 'lightSky', 'lightLamp', 'lightInfrared', 'lightGlow'] as const;

export class Composer {
  readonly target: WebGLRenderTarget;
  readonly #material: ShaderMaterial;
  readonly #baked: Baked;

  constructor(
    widthPx: number,
    heightPx: number,
    baked: Baked,
    actors: Texture,
    shadows: ShadowUniforms,
    options: { readonly windy: boolean; readonly crops: boolean },
  ) {
    this.#baked = baked;
    this.target = new WebGLRenderTarget(widthPx, heightPx, {
      type: HalfFloatType,
      minFilter: LinearFilter,
      depthBuffer: false,
    });
    const {
      sunFixed,
      sunFixedMatrix,
      sunMoving,
      sunMovingMatrix,
      lampMoving,
      lampMovingMatrix,
      headlights,
      headlightsMatrix,
    } = shadows;
    this.#material = new ShaderMaterial({
      glslVersion: GLSL3,
      vertexShader: FULL_SCREEN_VERTEX,
      fragmentShader: fragment,
      depthTest: false,
      defines: { ...(options.windy ? { WINDY: 1 } : {}), ...(options.windy || options.crops ? {} : { EXACT: 1 }) },
      uniforms: {
        ...Object.fromEntries(LAYERS.map((name) => [name, { value: null }])),
        sunFixed,
        sunFixedMatrix,
        sunMoving,
        sunMovingMatrix,
        lampMoving,
        lampMovingMatrix,
        headlights,
        headlightsMatrix,
        place: { value: baked.place },
        facing: { value: baked.normal },
        albedo: { value: baked.albedo },
        actors: { value: actors },
        tint: { value: sources.map(() => new Vector3()) },
        size: { value: [widthPx, heightPx] },
        shift: { value: [0, 0] },
        crop: { value: 1 },
        seconds: { value: 0 },
        wind: { value: 0 },
        cloud: { value: 0 },
        haze: { value: 0 },
        sunShadows: { value: false },
        lampShadows: { value: false },
        headlightsOn: { value: false },
        headAt: { value: [new Vector3(), new Vector3()] },
        headAhead: { value: new Vector3() },
        headStrength: { value: 0 },
        contacts: { value: Array.from({ length: MAX_CONTACTS }, () => new Vector4()) },
        contactCount: { value: 0 },
      },
    });
  }

  draw(renderer: WebGLRenderer, screen: FullScreen, look: FrameLook, rig: LightRig, region: Region | undefined): void {
    this.target.scissorTest = region !== undefined;
    if (region !== undefined) this.target.scissor.set(...region);
    const set = (name: string, value: unknown): void => {
      const uniform = this.#material.uniforms[name];
      if (uniform !== undefined) uniform.value = value;
    };
    const tints = this.#material.uniforms['tint']?.value as Vector3[];
    for (const [i, source] of sources.entries()) {
      const map = this.#baked.light[source];
      const name = LAYERS[i];
      if (map !== undefined && name !== undefined) set(name, map);
      tints[i]?.set(...look.tints[source]).multiplyScalar(map === undefined ? 0 : look.strengths[source]);
    }
    const contacts = this.#material.uniforms['contacts']?.value as Vector4[];
    for (const [i, contact] of look.contacts.slice(0, MAX_CONTACTS).entries()) contacts[i]?.set(...contact);
    set('contactCount', Math.min(MAX_CONTACTS, look.contacts.length));
    set('seconds', look.tSec);
    set('wind', look.windRatio);
    set('cloud', look.cloudRatio);
    set('haze', look.hazePerM);
    set('shift', look.shift);
    set('crop', look.crop);
    set('sunShadows', look.sunShadows);
    set('lampShadows', look.lampShadows);
    set('headlightsOn', look.headlights);
    const [left, right] = rig.headlights;
    if (look.headlights && left !== undefined && right !== undefined) {
      set('headAt', [left.position, right.position]);
      set('headAhead', left.target.position.clone().sub(left.position).normalize());
      set('headStrength', left.intensity * Math.PI);
    }
    screen.draw(renderer, this.#material, this.target);
  }

  dispose(): void {
    this.target.dispose();
    this.#material.dispose();
  }
}
