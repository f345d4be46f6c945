/** One stream's world, ready to be drawn frame by frame. */
import {
  AlwaysDepth,
  GLSL3,
  HalfFloatType,
  PerspectiveCamera,
  Scene,
  ShaderChunk,
  ShaderMaterial,
  Vector3,
  type WebGLRenderer,
  WebGLRenderTarget,
} from 'three';
import { places } from '../places.ts';
import type { CameraPlan, Channel, StreamPlan } from '../plan.ts';
import { channelAt } from '../timeline.ts';
import { type Baked, bake, FULL_SCREEN_VERTEX, FullScreen } from './bake.ts';
import { Cast } from './cast.ts';
import { Composer, type FrameLook, type Region } from './compose.ts';
import { AutoExposure } from './exposure.ts';
import { Finisher } from './finish.ts';
import { glareOf } from './glare.ts';
import { type LensSpec, type LensWindow, NEAR_M, setLens } from './lens.ts';
import { LightRig, type Source, type Strengths, type Tints } from './light-rig.ts';
import { makeShadowUniforms, patchMaterials } from './materials.ts';
import { type Stroke, StrokePainter } from './particles.ts';
import { RegionFinder } from './region.ts';
import { buildScenery } from './scenery.ts';
import { ShadowMaps } from './shadow-maps.ts';
import { Weather } from './weather.ts';
import { type Testimony, Witness } from './witness.ts';

const SHAKE_CROP = 0.94;

const hideMaterial = (): ShaderMaterial =>
  new ShaderMaterial({
    glslVersion: GLSL3,
    vertexShader: FULL_SCREEN_VERTEX,
    fragmentShader: `uniform sampler2D place; uniform vec2 size, shift; uniform float crop; out vec4 color;
      void main() { vec2 from = 0.5 + ( gl_FragCoord.xy / size - 0.5 ) * crop + shift;
      color = vec4( 0.0 ); gl_FragDepth = 1.0 - ${NEAR_M} / max( texture( place, from ).w, 0.06 ); }`,
    colorWrite: false,
    depthFunc: AlwaysDepth,
    uniforms: { place: { value: null }, size: { value: [1, 1] }, shift: { value: [0, 0] }, crop: { value: 1 } },
  });

const level: Readonly<
  Record<StreamPlan['light'], { target: number; limit: readonly [number, number]; noise: number }>
> = {
  day: { target: 0.46, limit: [0.05, 3], noise: 0.012 },
  dusk: { target: 0.34, limit: [0.1, 9], noise: 0.022 },
  ir: { target: 0.36, limit: [0.04, 6], noise: 0.024 },
  mixed: { target: 0.36, limit: [0.04, 9], noise: 0.022 },
};

export class Stage {
  readonly #renderer: WebGLRenderer;
  readonly #plan: StreamPlan;
  readonly #lens: LensSpec;
  readonly #cameraPlan: CameraPlan;
  readonly #scene = new Scene();
  readonly #camera = new PerspectiveCamera();
  readonly #rig: LightRig;
  readonly #cast: Cast;
  readonly #scenery;
  readonly #baked: Baked;
  readonly #screen = new FullScreen();
  readonly #composer: Composer;
  readonly #strokes: StrokePainter;
  readonly #weather: Weather;
  readonly #finisher: Finisher;
  readonly #witness: Witness;
  readonly #exposure: AutoExposure;
  readonly #shadows = makeShadowUniforms();
  readonly #maps: ShadowMaps;
  readonly #actors: WebGLRenderTarget;
  readonly #hide = hideMaterial();
  readonly #pixels: Uint8Array;
  readonly #lit: boolean;
  readonly #windy: boolean;
  readonly #region: RegionFinder;
  #lastLook = '';

  constructor(renderer: WebGLRenderer, plan: StreamPlan) {
    this.#renderer = renderer;
    this.#plan = plan;
    const place = places[plan.place];
    this.#cameraPlan = { ...place.camera, ...plan.camera };
    const { widthPx, heightPx } = plan;
    const { fieldDeg, bend, heightM, pitchRad, yawRad } = this.#cameraPlan;
    this.#lens = { fieldDeg, bend, widthPx, heightPx };
    renderer.setSize(widthPx, heightPx, false);
    this.#camera.position.set(0, heightM, 0);
    this.#camera.rotation.set(pitchRad, yawRad, 0, 'YXZ');
    this.#camera.updateMatrixWorld(true);
    setLens(this.#camera, this.#lens);
    this.#rig = new LightRig(this.#scene, place, plan.sunFrom ?? place.sunFrom, this.#cameraPlan);
    this.#scenery = buildScenery(plan);
    this.#cast = new Cast(plan);
    this.#scene.add(this.#scenery.group, this.#cast.group);
    const lights = ShaderChunk.lights_fragment_begin;
    for (const { mesh, surface } of this.#scenery.surfaces)
      patchMaterials(mesh, this.#shadows, { lights, keepNormals: surface.name === 'leaf' });
    patchMaterials(this.#cast.group, this.#shadows, { lights });
    this.#shadows.cameraToWorld.value = this.#camera.matrixWorld;
    const uses = (channel: Channel): boolean => {
      const keys = plan.channels[channel];
      return keys === undefined ? channelAt(plan, channel, 0) > 0 : keys.some((key) => key[1] > 0);
    };
    this.#windy = uses('wind') && channelMax(plan, 'wind') >= 0.3;
    this.#lit = plan.actors.some((actor) => actor.type === 'vehicle' && actor.lamps === true);
    this.#maps = new ShadowMaps(renderer, this.#scene, this.#scenery, this.#rig, this.#shadows, {
      windy: this.#windy,
      fine: widthPx > 500,
    });
    const needed = new Set<Source>((['sun', 'sky', 'lamp', 'infrared'] as const).filter(uses));
    if (plan.light !== 'day') needed.add('glow');
    this.#baked = this.#bakeAll(needed);
    this.#actors = new WebGLRenderTarget(widthPx, heightPx, { type: HalfFloatType, samples: 4 });
    this.#composer = new Composer(widthPx, heightPx, this.#baked, this.#actors.texture, this.#shadows, {
      windy: this.#windy,
      crops: plan.channels.shake !== undefined,
    });
    this.#strokes = new StrokePainter(widthPx, heightPx, this.#baked.place);
    const toCamera = (world: Vector3): Vector3 => world.applyMatrix4(this.#camera.matrixWorldInverse);
    this.#weather = new Weather(plan.seed, this.#lens, toCamera);
    this.#finisher = new Finisher(widthPx, heightPx, this.#composer.target.texture, plan.seed, uses('dirt'));
    this.#witness = new Witness(this.#lens);
    this.#exposure = new AutoExposure(level[plan.light].target, level[plan.light].limit);
    this.#region = new RegionFinder(this.#lens, this.#rig);
    this.#pixels = new Uint8Array(widthPx * heightPx * 4);
  }

  #bakeAll(needed: ReadonlySet<Source>): Baked {
    this.#cast.setLight(this.#plan.light === 'ir' ? 'ir' : 'day');
    this.#cast.showScenery(true);
    this.#maps.drawFixed();
    const baked = bake({
      renderer: this.#renderer,
      scene: this.#scene,
      scenery: this.#scenery,
      rig: this.#rig,
      camera: this.#camera,
      plan: this.#plan,
      needed,
      needAlbedo: this.#lit,
      screen: this.#screen,
    });
    this.#maps.drawLeaves();
    this.#cast.showScenery(false);
    this.#scenery.group.visible = false;
    return baked;
  }

  /** Lets the exposure settle on the first picture, as it has in a camera that has been running. */
  settle(ms: number, rounds = 5): void {
    for (let i = 0; i < rounds; i++) {
      this.#draw(ms, 0);
      this.#exposure.meter(this.#pixels, this.#plan.widthPx, this.#plan.heightPx, 0.7);
    }
  }

  /** Pixels as RGBA rows from the top; valid until the next frame. */
  frame(ms: number, index: number): Uint8Array {
    this.#draw(ms, index);
    if (this.#fill(ms) === 'none')
      this.#exposure.meter(this.#pixels, this.#plan.widthPx, this.#plan.heightPx, 0.9 / this.#plan.fps);
    return this.#pixels;
  }

  /** Of the frame last drawn. */
  testify(ms: number, wantRuns: boolean): Testimony {
    const total = this.#plan.widthPx * this.#plan.heightPx;
    if (this.#fill(ms) !== 'none') return { sightings: [], moving: 0, runs: wantRuns ? [total] : undefined };
    const look = this.#window(ms);
    const { window } = look;
    return this.#witness.look(
      this.#renderer,
      this.#scene,
      this.#camera,
      this.#cast,
      window,
      (target) => this.#drawHide(target, look.shift, look.crop),
      this.#region.current,
      wantRuns,
    );
  }

  #fill(ms: number): 'none' | 'black' | 'grey' {
    const gap = this.#plan.gaps.find((one) => ms >= one.fromMs && ms < one.toMs);
    return gap?.outage === 'black' || gap?.outage === 'grey' ? gap.outage : 'none';
  }

  #window(ms: number): {
    readonly window: LensWindow;
    readonly shift: readonly [number, number];
    readonly crop: number;
  } {
    if (this.#plan.channels.shake === undefined)
      return { window: { zoom: 1, shiftX: 0, shiftY: 0 }, shift: [0, 0], crop: 1 };
    const t = ms / 1000;
    const strength = channelAt(this.#plan, 'shake', ms) * 0.012;
    const wave = (a: number, b: number, c: number): number =>
      0.5 * Math.sin(t * a) + 0.3 * Math.sin(t * b + 1) + 0.2 * Math.sin(t * c + 2);
    const shift = [strength * wave(13, 29, 41), strength * 1.5 * wave(17, 23, 47)] as const;
    return {
      window: { zoom: 1 / SHAKE_CROP, shiftX: (-2 * shift[0]) / SHAKE_CROP, shiftY: (-2 * shift[1]) / SHAKE_CROP },
      shift,
      crop: SHAKE_CROP,
    };
  }

  #drawHide(target: WebGLRenderTarget, shift: readonly [number, number], crop: number): void {
    const set = (name: string, value: unknown): void => {
      const uniform = this.#hide.uniforms[name];
      if (uniform !== undefined) uniform.value = value;
    };
    set('place', this.#baked.place);
    set('size', [this.#plan.widthPx, this.#plan.heightPx]);
    set('shift', shift);
    set('crop', crop);
    this.#renderer.autoClear = false;
    this.#renderer.setRenderTarget(target);
    this.#renderer.clear();
    this.#screen.draw(this.#renderer, this.#hide, target);
    this.#renderer.autoClear = true;
  }

  #draw(ms: number, index: number): void {
    const renderer = this.#renderer;
    const plan = this.#plan;
    const get = (channel: Channel): number => channelAt(plan, channel, ms);
    const fill = this.#fill(ms);
    const grey = get('greyMode') > 0.5;
    const strengths: Strengths = {
      sun: get('sun'),
      sky: get('sky'),
      lamp: get('lamp'),
      infrared: get('infrared'),
      glow: plan.light === 'day' ? 0 : 1,
    };
    if (fill === 'none') {
      const dusk = strengths.sun < 0.15 && strengths.sky < 0.35;
      const tints: Tints = {
        sun: [1, 1, 1],
        sky: dusk ? [0.75, 0.85, 1.2] : [1, 1, 1],
        lamp: [1, 1, 1],
        infrared: [1, 1, 1],
        glow: [1, 1, 1],
      };
      this.#cast.setLight(grey ? 'ir' : dusk ? 'dusk' : 'day');
      this.#cast.pose(ms, Math.max(0.15, get('wind')));
      this.#rig.set(strengths, tints);
      const { present } = this.#cast;
      const shadowed = present.length > 0;
      if (shadowed && strengths.sun > 0) this.#maps.drawSun(this.#cast);
      if (shadowed && strengths.lamp > 0) this.#maps.drawLamp();
      const lit = this.#lit ? this.#cast.headlights() : undefined;
      this.#rig.setHeadlights(lit?.at ?? [], lit?.ahead ?? new Vector3(0, 0, 1), lit === undefined ? 0 : 1);
      if (lit !== undefined) this.#maps.drawHeadlights(this.#cast, lit);
      const look = this.#window(ms);
      const frameLook: FrameLook = {
        strengths,
        tints,
        contacts: this.#cast.contacts(),
        tSec: this.#windy || get('cloud') > 0 ? ms / 1000 : 0,
        windRatio: get('wind'),
        cloudRatio: get('cloud'),
        hazePerM: 0.012 * get('rain') + 0.02 * get('snow'),
        shift: look.shift,
        crop: look.crop,
        headlights: lit !== undefined,
        sunShadows: shadowed && strengths.sun > 0,
        lampShadows: shadowed && strengths.lamp > 0,
      };
      const strokes = [
        ...this.#weatherStrokes(ms, strengths),
        ...(lit === undefined ? [] : glareOf(lit, this.#camera, this.#lens)),
      ];
      this.#region.next(this.#cast, this.#camera, look.window, strengths);
      const region = this.#compare(frameLook, strokes.length > 0);
      if (region !== 'nothing') {
        setLens(this.#camera, this.#lens, look.window);
        renderer.setClearColor(0x000000, 0);
        this.#actors.scissorTest = region !== undefined;
        if (region !== undefined) this.#actors.scissor.set(...region);
        this.#drawHide(this.#actors, look.shift, look.crop);
        renderer.autoClear = false;
        renderer.setRenderTarget(this.#actors);
        if (shadowed) renderer.render(this.#scene, this.#camera);
        renderer.autoClear = true;
        this.#composer.draw(renderer, this.#screen, frameLook, this.#rig, region);
        this.#composer.target.scissorTest = false;
        this.#strokes.draw(renderer, strokes, this.#composer.target);
      }
    }
    const gain = get('gain');
    const base = level[plan.light].noise;
    this.#finisher.draw(renderer, this.#screen, {
      exposure: this.#exposure.value * 2 ** get('exposureSteps'),
      noise: Math.min(0.11, base * gain * Math.min(2.2, Math.max(0.6, Math.sqrt(this.#exposure.value)))),
      grey,
      dirt: get('dirt'),
      frame: index + (plan.seed % 5003),
      fill,
    });
    const gl = renderer.getContext();
    gl.readPixels(0, 0, plan.widthPx, plan.heightPx, gl.RGBA, gl.UNSIGNED_BYTE, this.#pixels);
  }

  /** What of the last composed picture has to be drawn again: all of it, a region, or nothing. */
  #compare(look: FrameLook, strokes: boolean): Region | undefined | 'nothing' {
    const { contacts: _, sunShadows: _sun, lampShadows: _lamp, ...steady } = look;
    const key = JSON.stringify(steady);
    const same = key === this.#lastLook && !strokes && !look.headlights;
    this.#lastLook = strokes || look.headlights ? '' : key;
    return same ? (this.#region.changed() ?? 'nothing') : undefined;
  }

  #weatherStrokes(ms: number, strengths: Strengths): readonly Stroke[] {
    const [rain, snow] = [channelAt(this.#plan, 'rain', ms), channelAt(this.#plan, 'snow', ms)];
    if (rain === 0 && snow === 0) return [];
    const wind = channelAt(this.#plan, 'wind', ms);
    const sky = strengths.sky * 1.2 + strengths.sun * 0.3;
    return this.#weather.strokes({
      tSec: ms / 1000,
      rain,
      snow,
      wind,
      infrared: strengths.infrared,
      sky,
      lamp: strengths.lamp,
      exposureSec: strengths.sky > 0.4 ? 1 / 80 : 1 / 30,
    });
  }

  dispose(): void {
    this.#cast.dispose();
    this.#baked.dispose();
    this.#composer.dispose();
    this.#strokes.dispose();
    this.#finisher.dispose();
    this.#witness.dispose();
    this.#actors.dispose();
    this.#hide.dispose();
    this.#maps.dispose();
    for (const { mesh, surface } of this.#scenery.surfaces) {
      mesh.geometry.dispose();
      surface.material.map?.dispose();
      surface.material.dispose();
    }
  }
}

function channelMax(plan: StreamPlan, channel: Channel): number {
  const keys = plan.channels[channel];
  return keys === undefined ? channelAt(plan, channel, 0) : Math.max(...keys.map((key) => key[1]));
}
