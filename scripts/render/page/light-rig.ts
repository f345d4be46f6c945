/** All lights of a place. Each is baked alone at strength 1; frames then mix them by the plan's channels. */
import { Color, DirectionalLight, HemisphereLight, PointLight, type Scene, SpotLight, Vector3 } from 'three';
import type { Place } from '../places.ts';
import type { CameraPlan } from '../plan.ts';

export type Source = 'sun' | 'sky' | 'lamp' | 'infrared' | 'glow';
export const sources: readonly Source[] = ['sun', 'sky', 'lamp', 'infrared', 'glow'];
export type Strengths = Readonly<Record<Source, number>>;
/** Linear colour by which the baked light is multiplied, besides its strength. */
export type Tints = Readonly<Record<Source, readonly [number, number, number]>>;

const SUN = '#fff0d8';
const SKY = '#c2d6f2';
const full: Readonly<Record<Source, number>> = { sun: 3, sky: 2.1, lamp: 7, infrared: 26, glow: 26 };

export class LightRig {
  readonly #sun = new DirectionalLight(SUN, 0);
  readonly #sky = new HemisphereLight(SKY, '#7a7460', 0);
  readonly #lamp = new PointLight('#ffd6a0', 0, 0, 1.7);
  readonly #street = new PointLight('#ffc98a', 0, 0, 1.9);
  readonly #infrared: SpotLight;
  readonly #heads: readonly SpotLight[];
  readonly sunFrom: Vector3;
  readonly lampAt: Vector3;

  constructor(scene: Scene, place: Place, sunFrom: readonly [number, number, number], camera: CameraPlan) {
    this.sunFrom = new Vector3(...sunFrom).normalize();
    this.lampAt = new Vector3(...place.lampAt);
    this.#sun.target.position.set(0, 0, -4);
    this.#sun.position.copy(this.#sun.target.position).addScaledVector(this.sunFrom, 20);
    this.#lamp.position.copy(this.lampAt);
    this.#street.position.set(...place.streetLampAt);
    this.#infrared = new SpotLight('#ffffff', 0, 0, 1.35, 0.75, 1.55);
    this.#infrared.position.set(0.03, camera.heightM - 0.04, 0.01);
    this.#infrared.target.position.set(
      -5 * Math.sin(camera.yawRad),
      camera.heightM + 5 * Math.tan(camera.pitchRad),
      -5 * Math.cos(camera.yawRad),
    );
    this.#heads = [0, 1].map(() => new SpotLight('#fff2d8', 0, 0, 0.42, 0.65, 1.2));
    scene.add(this.#sun, this.#sun.target, this.#sky, this.#lamp, this.#street, this.#infrared, this.#infrared.target);
    for (const head of this.#heads) scene.add(head, head.target);
  }

  /** Which light shines how strongly from now on, for scenery being baked and for actors being drawn. */
  set(strengths: Strengths, tints?: Tints): void {
    const light = { sun: this.#sun, sky: this.#sky, lamp: this.#lamp, infrared: this.#infrared, glow: this.#street };
    for (const source of sources) light[source].intensity = full[source] * strengths[source];
    if (tints !== undefined) {
      this.#sky.color.set(SKY).multiply(new Color(...tints.sky));
      this.#sun.color.set(SUN).multiply(new Color(...tints.sun));
    }
  }

  /** Two headlights (world positions) that shine along `ahead`; strength 0 is off. */
  setHeadlights(at: readonly Vector3[], ahead: Vector3, strength: number): void {
    for (const [i, head] of this.#heads.entries()) {
      const from = at[i];
      head.intensity = from === undefined ? 0 : 230 * strength;
      if (from === undefined) continue;
      head.position.copy(from);
      head.target.position.copy(from).addScaledVector(ahead, 12).setY(0.35);
      head.target.updateMatrixWorld();
    }
  }

  get headlights(): readonly SpotLight[] {
    return this.#heads;
  }
}
