/** All shadow maps of a stage: of the scenery, drawn once, and of what moves, drawn for every frame that needs them. */
import { type Object3D, type Scene, Vector3, type WebGLRenderer } from 'three';
import type { Cast, LitCar } from './cast.ts';
import type { Scenery } from './kit.ts';
import type { LightRig } from './light-rig.ts';
import { type ShadowUniforms, setShadow } from './materials.ts';
import { ShadowView } from './shadow.ts';

export class ShadowMaps {
  readonly #renderer: WebGLRenderer;
  readonly #scene: Scene;
  readonly #scenery: Scenery;
  readonly #rig: LightRig;
  readonly #uniforms: ShadowUniforms;
  readonly #sky: Object3D | undefined;
  readonly #sunMoving = ShadowView.parallel(512, 6, 60);
  readonly #sunFixed: ShadowView;
  /** In the wind the leaves have a map of their own, which frames shift about. */
  readonly #sunLeaves: ShadowView | undefined;
  readonly #lampFixed = ShadowView.cone(1024, 150, 0.15, 30);
  readonly #lampMoving = ShadowView.cone(512, 150, 0.15, 30);
  readonly #head = ShadowView.cone(768, 60, 0.3, 60);

  constructor(
    renderer: WebGLRenderer,
    scene: Scene,
    scenery: Scenery,
    rig: LightRig,
    uniforms: ShadowUniforms,
    options: { readonly windy: boolean; readonly fine: boolean },
  ) {
    this.#renderer = renderer;
    this.#scene = scene;
    this.#scenery = scenery;
    this.#rig = rig;
    this.#uniforms = uniforms;
    this.#sky = scenery.group.getObjectByName('sky');
    this.#sunFixed = ShadowView.parallel(options.fine ? 2048 : 1024, 13, 70);
    this.#sunLeaves = options.windy ? ShadowView.parallel(1024, 13, 70) : undefined;
    setShadow(uniforms.sunMoving, uniforms.sunMovingMatrix, this.#sunMoving);
    setShadow(uniforms.lampFixed, uniforms.lampFixedMatrix, this.#lampFixed);
    setShadow(uniforms.lampMoving, uniforms.lampMovingMatrix, this.#lampMoving);
    setShadow(uniforms.headlights, uniforms.headlightsMatrix, this.#head);
  }

  /** For the baking: the scenery's shadows, and none of anything that moves. Only the scenery may be visible. */
  drawFixed(): void {
    this.#withoutSky(() => {
      const leaves = this.#leaves();
      this.#aimSun(this.#sunFixed);
      if (this.#sunLeaves !== undefined) for (const mesh of leaves) mesh.visible = false;
      this.#sunFixed.draw(this.#renderer, this.#scene);
      for (const mesh of leaves) mesh.visible = true;
      setShadow(this.#uniforms.sunFixed, this.#uniforms.sunFixedMatrix, this.#sunFixed);
      // The lamp hangs below its roof and lights downwards and outwards.
      const { lampAt } = this.#rig;
      for (const view of [this.#lampFixed, this.#lampMoving])
        view.aim(lampAt, new Vector3(lampAt.x * 0.4, 0, lampAt.z - 1.6));
      this.#lampFixed.draw(this.#renderer, this.#scene);
    });
    for (const view of [this.#sunMoving, this.#lampMoving, this.#head]) view.clear(this.#renderer);
  }

  /** After the baking, frames ask the sun's fixed map only for what moves in the wind. */
  drawLeaves(): void {
    const view = this.#sunLeaves;
    if (view === undefined) return;
    this.#aimSun(view);
    const leaves = this.#leaves();
    this.#withoutSky(() => {
      for (const { mesh } of this.#scenery.surfaces) mesh.visible = leaves.includes(mesh);
      view.draw(this.#renderer, this.#scene);
      for (const { mesh } of this.#scenery.surfaces) mesh.visible = true;
    });
    setShadow(this.#uniforms.sunFixed, this.#uniforms.sunFixedMatrix, view);
  }

  /** Of the actors of this frame, as closely around them as possible. */
  drawSun(cast: Cast): void {
    const spots = cast.present.map(({ placement, plan }) => ({
      at: new Vector3(placement?.xM, 0.8 + (placement?.yM ?? 0), placement?.zM),
      roomM: plan.type === 'vehicle' ? 3.2 : 1.4,
    }));
    const middle = new Vector3();
    for (const { at } of spots) middle.addScaledVector(at, 1 / spots.length);
    const half = Math.max(...spots.map(({ at, roomM }) => at.distanceTo(middle) + roomM));
    const { camera } = this.#sunMoving;
    if ('left' in camera) [camera.left, camera.right, camera.bottom, camera.top] = [-half, half, -half, half];
    camera.updateProjectionMatrix();
    this.#sunMoving.aim(middle.clone().addScaledVector(this.#rig.sunFrom, 30), middle);
    this.#sunMoving.draw(this.#renderer, this.#scene);
  }

  drawLamp(): void {
    this.#lampMoving.draw(this.#renderer, this.#scene);
  }

  /** Fences and people throw shadows in a headlight; the car itself does not. */
  drawHeadlights(cast: Cast, lit: LitCar): void {
    const [a, b] = lit.at;
    if (a === undefined || b === undefined) return;
    const from = a.clone().add(b).multiplyScalar(0.5);
    this.#head.aim(from, from.clone().add(lit.ahead));
    const cars = cast.present.filter(({ plan }) => plan.type === 'vehicle').map(({ actor }) => actor.object);
    for (const object of cars) object.visible = false;
    this.#scenery.group.visible = true;
    this.#withoutSky(() => this.#head.draw(this.#renderer, this.#scene));
    this.#scenery.group.visible = false;
    for (const object of cars) object.visible = true;
  }

  #aimSun(view: ShadowView): void {
    const middle = new Vector3(0, 0, -6);
    view.aim(middle.clone().addScaledVector(this.#rig.sunFrom, 35), middle);
  }

  #leaves(): readonly Object3D[] {
    return this.#scenery.surfaces.filter(({ surface }) => surface.name === 'leaf').map(({ mesh }) => mesh);
  }

  /** The dome would put everything into its shadow. */
  #withoutSky(draw: () => void): void {
    if (this.#sky !== undefined) this.#sky.visible = false;
    draw();
    if (this.#sky !== undefined) this.#sky.visible = true;
  }

  dispose(): void {
    for (const view of [this.#sunMoving, this.#sunFixed, this.#lampFixed, this.#lampMoving, this.#head]) view.dispose();
    this.#sunLeaves?.dispose();
  }
}
