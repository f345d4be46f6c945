/** Teaches three's materials the studio's shadows: one set of maps for scenery and actors alike. */
import {
  type Material,
  Matrix4,
  type Mesh,
  type Object3D,
  type Texture,
  type WebGLProgramParametersWithUniforms,
} from 'three';
import { SHADOW_GLSL, type ShadowView } from './shadow.ts';

interface Uniform<T> {
  value: T;
}
/** Shared by all patched materials: one change here changes all of them. */
export interface ShadowUniforms {
  readonly sunFixed: Uniform<Texture | null>;
  readonly sunFixedMatrix: Uniform<Matrix4>;
  readonly sunMoving: Uniform<Texture | null>;
  readonly sunMovingMatrix: Uniform<Matrix4>;
  readonly lampFixed: Uniform<Texture | null>;
  readonly lampFixedMatrix: Uniform<Matrix4>;
  readonly lampMoving: Uniform<Texture | null>;
  readonly lampMovingMatrix: Uniform<Matrix4>;
  readonly headlights: Uniform<Texture | null>;
  readonly headlightsMatrix: Uniform<Matrix4>;
  readonly cameraToWorld: Uniform<Matrix4>;
}

export function makeShadowUniforms(): ShadowUniforms {
  const map = (): Uniform<Texture | null> => ({ value: null });
  const matrix = (): Uniform<Matrix4> => ({ value: new Matrix4() });
  return {
    sunFixed: map(),
    sunFixedMatrix: matrix(),
    sunMoving: map(),
    sunMovingMatrix: matrix(),
    lampFixed: map(),
    lampFixedMatrix: matrix(),
    lampMoving: map(),
    lampMovingMatrix: matrix(),
    headlights: map(),
    headlightsMatrix: matrix(),
    cameraToWorld: matrix(),
  };
}

export function setShadow(map: Uniform<Texture | null>, matrix: Uniform<Matrix4>, view: ShadowView): void {
  map.value = view.target.texture;
  matrix.value = view.matrix;
}

const declarations = /* glsl */ `
uniform sampler2D sunFixed; uniform sampler2D sunMoving; uniform sampler2D lampFixed; uniform sampler2D lampMoving;
uniform sampler2D headlights;
uniform mat4 sunFixedMatrix; uniform mat4 sunMovingMatrix; uniform mat4 lampFixedMatrix; uniform mat4 lampMovingMatrix;
uniform mat4 headlightsMatrix; uniform mat4 cameraToWorld;
${SHADOW_GLSL}
`;
const lit = (call: string, shadow: string): readonly [string, string] => [
  call,
  `${call}\n WHEN( dot( directLight.color, vec3( 1.0 ) ) > 1e-6 ) { ${shadow} }`,
];
/** Point lights: the porch lamp comes first, others have no shadow. Spot lights: the infrared lamp is first and sits at the camera. */
const insertions = [
  lit(
    'getPointLightInfo( pointLight, geometryPosition, directLight );',
    `if ( UNROLLED_LOOP_INDEX == 0 ) directLight.color *= shadowAt( lampFixed, lampFixedMatrix, shadowPoint, 0.002 )
       * shadowAt( lampMoving, lampMovingMatrix, shadowPoint, 0.002 );`,
  ),
  lit(
    'getSpotLightInfo( spotLight, geometryPosition, directLight );',
    'if ( UNROLLED_LOOP_INDEX > 0 ) directLight.color *= shadowAt( headlights, headlightsMatrix, shadowPoint, 0.0005 );',
  ),
  lit(
    'getDirectionalLightInfo( directionalLight, directLight );',
    `directLight.color *= shadowAt( sunFixed, sunFixedMatrix, shadowPoint, 0.0012 )
       * shadowAt( sunMoving, sunMovingMatrix, shadowPoint, 0.002 );`,
  ),
] as const;

export function patchMaterials(
  object: Object3D,
  uniforms: ShadowUniforms,
  options: { keepNormals?: boolean; lights: string },
): void {
  const compile = (shader: WebGLProgramParametersWithUniforms): void => {
    Object.assign(shader.uniforms, uniforms);
    let chunk = options.lights.replace(
      'IncidentLight directLight;',
      `IncidentLight directLight;
       vec3 shadowPoint = ( cameraToWorld * vec4( - vViewPosition, 1.0 ) ).xyz
         + ( cameraToWorld * vec4( normal, 0.0 ) ).xyz * 0.03;`,
    );
    for (const [from, to] of insertions) chunk = chunk.replace(from, to);
    shader.fragmentShader = shader.fragmentShader
      .replace('void main() {', `${declarations}\nvoid main() {`)
      .replace('#include <lights_fragment_begin>', chunk);
    // Leaves have the normal of the crown, whichever side is seen.
    if (options.keepNormals === true) {
      shader.fragmentShader = shader.fragmentShader.replace(
        '#include <normal_fragment_begin>',
        'float faceDirection = 1.0; vec3 normal = normalize( vNormal ); vec3 nonPerturbedNormal = normal;',
      );
    }
  };
  object.traverse((child) => {
    child.frustumCulled = false;
    const { material } = child as Mesh;
    if (material === undefined) return;
    const list: readonly Material[] = Array.isArray(material) ? material : [material];
    for (const one of list) {
      if (!('isMeshLambertMaterial' in one || 'isMeshStandardMaterial' in one || 'isMeshPhongMaterial' in one))
        continue;
      one.onBeforeCompile = compile;
      one.customProgramCacheKey = () => `studio-${options.keepNormals === true}`;
    }
  });
}
