/**
 * What is to be seen of whom, exactly: every actor is drawn in a colour of its own through the same lens, behind the same scenery,
 * and the pixels are counted. A second drawing of a person alone, on a field twice as wide, says how much there would be to
 * see without edges and things in front.
 */
import {
  Color,
  Mesh,
  MeshBasicMaterial,
  type Object3D,
  type PerspectiveCamera,
  type Scene,
  SkinnedMesh,
  Vector3,
  type WebGLRenderer,
  WebGLRenderTarget,
} from 'three';
import type { Cast, Member } from './cast.ts';
import type { Region } from './compose.ts';
import { type LensSpec, type LensWindow, setLens, toPixels } from './lens.ts';

/** x, y, width, height in pixels. */
export type Box = readonly [number, number, number, number];
export interface Sighting {
  readonly id: number;
  readonly what: string;
  readonly person: boolean;
  /** Undefined when nothing of it is to be seen. */
  readonly box: Box | undefined;
  readonly full: Box | undefined;
  readonly visible: number;
}
export interface Testimony {
  readonly sightings: readonly Sighting[];
  /** Share of the picture's pixels that show an actor. */
  readonly moving: number;
  /** Lengths of runs of pixels, row by row, that show no actor and some actor by turns, if asked for. */
  readonly runs: readonly number[] | undefined;
}

/** What people hold hides and moves, but isn't the person. */
const HELD = 255;

function parts(member: Member, wanted: (mesh: Mesh) => boolean): readonly Object3D[] {
  const found: Object3D[] = [];
  if (member.plan.type !== 'person') return found;
  member.actor.object.traverse((child) => {
    if (child instanceof Mesh && child.visible && wanted(child)) found.push(child);
  });
  return found;
}
const heldBy = (member: Member): readonly Object3D[] => parts(member, (mesh) => !(mesh instanceof SkinnedMesh));
const bodyOf = (member: Member): readonly Object3D[] => parts(member, (mesh) => mesh instanceof SkinnedMesh);

export class Witness {
  readonly #target: WebGLRenderTarget;
  readonly #bytes: Uint8Array;
  readonly #material = new MeshBasicMaterial({ side: 2 });
  readonly #lens: LensSpec;
  /** What of the target is drawn and read: everything else is known to be empty. */
  #region: Region = [0, 0, 0, 0];

  constructor(lens: LensSpec) {
    this.#lens = lens;
    this.#target = new WebGLRenderTarget(lens.widthPx, lens.heightPx, { minFilter: 1003, magFilter: 1003 });
    this.#bytes = new Uint8Array(lens.widthPx * lens.heightPx * 4);
  }

  /** `hide` draws the scenery's depth into a cleared target, so that the scenery hides actors. */
  look(
    renderer: WebGLRenderer,
    scene: Scene,
    camera: PerspectiveCamera,
    cast: Cast,
    window: LensWindow,
    hide: (target: WebGLRenderTarget) => void,
    region: Region | undefined,
    wantRuns: boolean,
  ): Testimony {
    const present = cast.present;
    const { widthPx, heightPx } = this.#lens;
    const total = widthPx * heightPx;
    if (present.length === 0) return { sightings: [], moving: 0, runs: wantRuns ? [total] : undefined };
    if (region === undefined)
      return { sightings: this.#unseen(present, camera, window), moving: 0, runs: wantRuns ? [total] : undefined };
    setLens(camera, this.#lens, window);
    renderer.setClearColor(0x000000, 1);
    this.#limit(region);
    hide(this.#target);
    scene.overrideMaterial = this.#material;
    renderer.autoClear = false;
    for (const [k, member] of present.entries()) {
      const held = heldBy(member);
      this.#drawAlone(renderer, scene, camera, present, member, k + 1, held);
      if (held.length > 0) this.#drawAlone(renderer, scene, camera, present, member, HELD, bodyOf(member));
    }
    this.#read(renderer);
    const counts = this.#count(present.length);
    const runs = wantRuns ? this.#runs() : undefined;
    const moving = this.#covered() / total;

    const sightings = present.map((member, k): Sighting => {
      const seen = counts[k];
      const box = seen === undefined || seen.pixels === 0 ? undefined : seen.box;
      const person = member.plan.type === 'person';
      const full = union(this.#project(member, camera, window), box);
      let visible = 0;
      if (box !== undefined && seen !== undefined) {
        visible = person
          ? Math.min(1, seen.pixels / Math.max(1, this.#wholeArea(renderer, scene, camera, present, member, window)))
          : 1;
      }
      return { id: member.plan.id, what: member.actor.what, person, box, full, visible };
    });
    renderer.autoClear = true;
    scene.overrideMaterial = null;
    for (const { actor } of present) actor.object.visible = true;
    setLens(camera, this.#lens, window);
    return { sightings, moving, runs };
  }

  #drawAlone(
    renderer: WebGLRenderer,
    scene: Scene,
    camera: PerspectiveCamera,
    present: readonly Member[],
    member: Member,
    id: number,
    without: readonly Object3D[],
  ): void {
    for (const other of present) other.actor.object.visible = other === member;
    for (const part of without) part.visible = false;
    this.#material.color = new Color().setRGB(id / 255, 0, 0);
    renderer.setRenderTarget(this.#target);
    renderer.render(scene, camera);
    for (const part of without) part.visible = true;
  }

  #limit(region: Region): void {
    this.#region = region;
    this.#target.scissorTest = true;
    this.#target.scissor.set(...region);
  }

  #read(renderer: WebGLRenderer): void {
    renderer.readRenderTargetPixels(this.#target, ...this.#region, this.#bytes);
  }

  #covered(): number {
    const end = 4 * this.#region[2] * this.#region[3];
    let pixels = 0;
    for (let i = 0; i < end; i += 4) if (this.#bytes[i] !== 0) pixels++;
    return pixels;
  }

  #unseen(present: readonly Member[], camera: PerspectiveCamera, window: LensWindow): readonly Sighting[] {
    return present.map((member) => ({
      id: member.plan.id,
      what: member.actor.what,
      person: member.plan.type === 'person',
      box: undefined,
      full: this.#project(member, camera, window),
      visible: 0,
    }));
  }

  /** Pixels that this person would cover, in pixels of the picture. */
  #wholeArea(
    renderer: WebGLRenderer,
    scene: Scene,
    camera: PerspectiveCamera,
    present: readonly Member[],
    member: Member,
    window: LensWindow,
  ): number {
    const { widthPx, heightPx } = this.#lens;
    setLens(camera, this.#lens, { zoom: window.zoom / 2, shiftX: window.shiftX / 2, shiftY: window.shiftY / 2 });
    // The same region of the picture, on a field of twice the size, around it what lies beyond the edges.
    const [x, y, w, h] = this.#region;
    const wide: Region = [
      Math.floor(widthPx / 4 + x / 2),
      Math.floor(heightPx / 4 + y / 2),
      Math.ceil(w / 2) + 1,
      Math.ceil(h / 2) + 1,
    ];
    const atEdge = x <= 1 || y <= 1 || x + w >= widthPx - 1 || y + h >= heightPx - 1;
    this.#limit(atEdge ? [0, 0, widthPx, heightPx] : wide);
    renderer.setRenderTarget(this.#target);
    renderer.clear();
    this.#drawAlone(renderer, scene, camera, present, member, 1, heldBy(member));
    this.#read(renderer);
    return this.#covered() * 4;
  }

  #count(actors: number): readonly { readonly pixels: number; readonly box: Box }[] {
    const { widthPx, heightPx } = this.#lens;
    const found = Array.from({ length: actors }, () => ({ pixels: 0, x0: widthPx, y0: heightPx, x1: -1, y1: -1 }));
    const [left, bottom, width, height] = this.#region;
    for (let row = 0; row < height; row++) {
      // Rows come from the bottom.
      const y = heightPx - 1 - bottom - row;
      for (let column = 0; column < width; column++) {
        const x = left + column;
        const id = this.#bytes[4 * (row * width + column)] ?? 0;
        if (id === 0) continue;
        const one = found[id - 1];
        if (one === undefined) continue;
        one.pixels++;
        if (x < one.x0) one.x0 = x;
        if (x > one.x1) one.x1 = x;
        if (y < one.y0) one.y0 = y;
        if (y > one.y1) one.y1 = y;
      }
    }
    return found.map(({ pixels, x0, y0, x1, y1 }) => ({ pixels, box: [x0, y0, x1 - x0 + 1, y1 - y0 + 1] }));
  }

  #runs(): readonly number[] {
    const { widthPx, heightPx } = this.#lens;
    const runs: number[] = [];
    let current = false;
    let length = 0;
    const [left, bottom, width, height] = this.#region;
    for (let y = heightPx - 1; y >= 0; y--) {
      for (let x = 0; x < widthPx; x++) {
        const inside = x >= left && x < left + width && y >= bottom && y < bottom + height;
        const shown = inside && this.#bytes[4 * ((y - bottom) * width + x - left)] !== 0;
        if (shown === current) length++;
        else {
          runs.push(length);
          current = shown;
          length = 1;
        }
      }
    }
    runs.push(length);
    return runs;
  }

  #project(member: Member, camera: PerspectiveCamera, window: LensWindow): Box | undefined {
    const held = heldBy(member);
    for (const part of held) part.visible = false;
    const points = member.actor.samplePoints();
    for (const part of held) part.visible = true;
    const { widthPx, heightPx } = this.#lens;
    const v = new Vector3();
    let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
    for (let i = 0; i + 2 < points.length; i += 3) {
      v.fromArray(points, i).applyMatrix4(camera.matrixWorldInverse);
      const at = toPixels(this.#lens, v.x, v.y, v.z);
      if (at === undefined) continue;
      const x = widthPx / 2 + (at[0] - widthPx / 2) * window.zoom + (window.shiftX * widthPx) / 2;
      const y = heightPx / 2 + (at[1] - heightPx / 2) * window.zoom - (window.shiftY * heightPx) / 2;
      [x0, y0, x1, y1] = [Math.min(x0, x), Math.min(y0, y), Math.max(x1, x), Math.max(y1, y)];
    }
    return x1 > x0 ? [x0, y0, x1 - x0, y1 - y0] : undefined;
  }

  dispose(): void {
    this.#target.dispose();
    this.#material.dispose();
  }
}

function union(a: Box | undefined, b: Box | undefined): Box | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const [x, y] = [Math.min(a[0], b[0]), Math.min(a[1], b[1])];
  return [x, y, Math.max(a[0] + a[2], b[0] + b[2]) - x, Math.max(a[1] + a[3], b[1] + b[3]) - y];
}
