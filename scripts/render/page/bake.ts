/**
 * What never moves is drawn once: the scenery under each light alone (light adds up, so that frames are sums), and for every
 * pixel its place in the world, its normal and its colour.
 */
import {
  AmbientLight,
  BufferGeometry,
  Float32BufferAttribute,
  FloatType,
  GLSL3,
  HalfFloatType,
  LinearFilter,
  Mesh,
  type MeshLambertMaterial,
  NearestFilter,
  OrthographicCamera,
  type PerspectiveCamera,
  type Scene,
  ShaderMaterial,
  type Texture,
  type WebGLRenderer,
  WebGLRenderTarget,
} from 'three';
import type { StreamPlan } from '../plan.ts';
import type { Scenery } from './kit.ts';
import { type LightRig, type Source, sources } from './light-rig.ts';

/** Draws one triangle over the whole target. */
export class FullScreen {
  readonly #camera = new OrthographicCamera(-1, 1, 1, -1, 0, 1);
  readonly #mesh: Mesh;

  constructor() {
    const geometry = new BufferGeometry();
    geometry.setAttribute('position', new Float32BufferAttribute([-1, -1, 0, 3, -1, 0, -1, 3, 0], 3));
    this.#mesh = new Mesh(geometry);
    this.#mesh.frustumCulled = false;
  }

  draw(renderer: WebGLRenderer, material: ShaderMaterial, target: WebGLRenderTarget | null): void {
    this.#mesh.material = material;
    renderer.setRenderTarget(target);
    renderer.render(this.#mesh, this.#camera);
  }
}

export const FULL_SCREEN_VERTEX = 'void main() { gl_Position = vec4( position.xy, 0.0, 1.0 ); }';

export interface Baked {
  readonly light: Readonly<Partial<Record<Source, Texture>>>;
  /** World position, and distance to the camera. */
  readonly place: Texture;
  /** World normal, and how far it sways in the wind. */
  readonly normal: Texture;
  readonly albedo: Texture | null;
  dispose(): void;
}

const geometryMaterial = (sway: number): ShaderMaterial =>
  new ShaderMaterial({
    glslVersion: GLSL3,
    side: 2,
    uniforms: { sway: { value: sway } },
    vertexShader: `out vec3 at; out vec3 facing;
      void main() { vec3 transformed = position; at = ( modelMatrix * vec4( position, 1.0 ) ).xyz; facing = mat3( modelMatrix ) * normal;
      #include <project_vertex>
      }`,
    fragmentShader: `in vec3 at; in vec3 facing; uniform float sway;
      layout( location = 0 ) out vec4 place; layout( location = 1 ) out vec4 normalOut;
      void main() { place = vec4( at, distance( at, cameraPosition ) ); normalOut = vec4( normalize( facing ), sway ); }`,
  });

export interface BakeJob {
  readonly renderer: WebGLRenderer;
  readonly scene: Scene;
  readonly scenery: Scenery;
  readonly rig: LightRig;
  readonly camera: PerspectiveCamera;
  readonly plan: StreamPlan;
  readonly needed: ReadonlySet<Source>;
  readonly needAlbedo: boolean;
  readonly screen: FullScreen;
}

/** The scenery alone must be visible in the scene, and the shadow maps drawn. */
export function bake(job: BakeJob): Baked {
  const { renderer, scene, scenery, rig, camera, plan } = job;
  const [w, h] = [plan.widthPx, plan.heightPx];
  const scale = w > 1000 ? 1 : 2;
  const large = new WebGLRenderTarget(w * scale, h * scale, {
    type: HalfFloatType,
    samples: 4,
    minFilter: LinearFilter,
  });
  const shrink = new ShaderMaterial({
    vertexShader: FULL_SCREEN_VERTEX,
    uniforms: { picture: { value: large.texture }, size: { value: [w, h] } },
    fragmentShader: `uniform sampler2D picture; uniform vec2 size;
      void main() { gl_FragColor = min( texture2D( picture, gl_FragCoord.xy / size ), vec4( 200.0 ) ); }`,
    depthTest: false,
  });
  const kept: WebGLRenderTarget[] = [];
  const sky = scenery.group.getObjectByName('sky');
  renderer.setClearColor(0x000000, 0);
  const take = (): Texture => {
    renderer.setRenderTarget(large);
    renderer.clear();
    renderer.render(scene, camera);
    const small = new WebGLRenderTarget(w, h, { type: HalfFloatType, depthBuffer: false, minFilter: LinearFilter });
    job.screen.draw(renderer, shrink, small);
    kept.push(small);
    return small.texture;
  };
  const dark = { sun: 0, sky: 0, lamp: 0, infrared: 0, glow: 0 };
  const light: Partial<Record<Source, Texture>> = {};
  for (const source of sources) {
    if (!job.needed.has(source)) continue;
    rig.set({ ...dark, [source]: 1 });
    if (sky !== undefined) sky.visible = source === 'sky';
    for (const { surface } of scenery.surfaces) {
      const wet =
        plan.ground === 'wet' && ['asphalt', 'paving', 'concrete', 'planks', 'gravel', 'soil'].includes(surface.name);
      const tone = (source === 'infrared' ? surface.infrared : 1) * (wet ? 0.6 : 1);
      surface.material.color.setScalar(tone);
      if (surface.name === 'glow') glow(surface.material, source);
    }
    light[source] = take();
  }
  let albedo: Texture | null = null;
  if (job.needAlbedo) {
    rig.set(dark);
    const even = new AmbientLight('#ffffff', Math.PI);
    scene.add(even);
    if (sky !== undefined) sky.visible = false;
    for (const { surface } of scenery.surfaces) {
      surface.material.color.setScalar(1);
      surface.material.emissive.setScalar(0);
    }
    albedo = take();
    scene.remove(even);
    even.dispose();
  }
  if (sky !== undefined) sky.visible = true;

  const geometry = new WebGLRenderTarget(w, h, {
    count: 2,
    type: FloatType,
    minFilter: NearestFilter,
    magFilter: NearestFilter,
  });
  const solid = geometryMaterial(0);
  const leaf = geometryMaterial(1);
  const own = new Map<Mesh, Mesh['material']>();
  scenery.group.traverse((child) => {
    if (!(child instanceof Mesh)) return;
    own.set(child, child.material);
    child.material = child.name === 'leaf' ? leaf : solid;
  });
  renderer.setRenderTarget(geometry);
  renderer.clear();
  renderer.render(scene, camera);
  for (const [mesh, material] of own) mesh.material = material;
  solid.dispose();
  leaf.dispose();
  large.dispose();
  shrink.dispose();
  const [place, normal] = geometry.textures;
  if (place === undefined || normal === undefined) throw new Error('Cannot bake: a target has no texture');
  return {
    light,
    place,
    normal,
    albedo,
    dispose() {
      for (const target of kept) target.dispose();
      geometry.dispose();
    },
  };
}

/** Lit windows and lamps shine by themselves, in the light of the same name; otherwise they are pale glass. */
function glow(material: MeshLambertMaterial, source: Source): void {
  material.emissive.set(source === 'glow' ? '#ffc880' : '#000000');
  material.emissiveIntensity = 0.9;
}
