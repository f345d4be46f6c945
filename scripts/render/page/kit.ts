/**
 * Building blocks of the scenery. Everything is cut into pieces no larger than a share of their distance to the camera,
 * because the lens bends vertices, not edges; pieces of one surface become one mesh.
 */
import { BufferAttribute, BufferGeometry, Color, Group, Mesh, SphereGeometry, Vector3 } from 'three';
import { between, type Random } from '../random.ts';
import { makeSurface, type Surface, type SurfaceName, tileM } from './surfaces.ts';

type Vector = readonly [number, number, number];
interface Piece {
  readonly position: number[];
  readonly normal: number[];
  readonly uv: number[];
  readonly color: number[];
  readonly index: number[];
}

export interface Scenery {
  readonly group: Group;
  readonly surfaces: readonly { readonly mesh: Mesh; readonly surface: Surface }[];
}

const rotate = (x: number, z: number, turn: number): readonly [number, number] => [
  x * Math.cos(turn) + z * Math.sin(turn),
  z * Math.cos(turn) - x * Math.sin(turn),
];

export class Kit {
  readonly random: Random;
  readonly snow: boolean;
  readonly #camera: Vector3;
  readonly #pieces = new Map<SurfaceName, Piece>();
  readonly #color = new Color();

  constructor(random: Random, cameraHeightM: number, snow: boolean) {
    this.random = random;
    this.snow = snow;
    this.#camera = new Vector3(0, cameraHeightM, 0);
  }

  #piece(surface: SurfaceName): Piece {
    let piece = this.#pieces.get(surface);
    if (piece === undefined) {
      piece = { position: [], normal: [], uv: [], color: [], index: [] };
      this.#pieces.set(surface, piece);
    }
    return piece;
  }

  #tint(tone: string, upward: boolean): readonly [number, number, number] {
    const color = this.#color.set(this.snow && upward ? '#ffffff' : tone);
    return [color.r, color.g, color.b];
  }

  /** A parallelogram from a corner along two edges; its front is where u x v points. `snowy`: snow lies on it. */
  quad(surface: SurfaceName, corner: Vector, u: Vector, v: Vector, tone = '#ffffff', snowy = true): this {
    const [a, b, c] = [new Vector3(...corner), new Vector3(...u), new Vector3(...v)];
    const normal = b.clone().cross(c).normalize();
    const covered = this.snow && snowy && normal.y > 0.5;
    const piece = this.#piece(covered ? 'paint' : surface);
    const tile = tileM(covered ? 'paint' : surface);
    const tint = this.#tint(tone, covered);
    const middle = a.clone().addScaledVector(b, 0.5).addScaledVector(c, 0.5);
    const reach = Math.max(0.4, middle.distanceTo(this.#camera) - 0.5 * Math.hypot(b.length(), c.length()));
    // Large faces that begin at the camera's feet are split once more by halves, so that only near parts are cut finely.
    if (Math.max(b.length(), c.length()) > 6 && reach < 6) {
      const [first, second] =
        b.length() > c.length() ? [b.clone().multiplyScalar(0.5), b] : [c.clone().multiplyScalar(0.5), c];
      const other = second === b ? v : u;
      const half: Vector = [first.x, first.y, first.z];
      const start = a.clone().add(first);
      const next: Vector = [start.x, start.y, start.z];
      return second === b
        ? this.quad(surface, corner, half, other, tone, snowy).quad(surface, next, half, other, tone, snowy)
        : this.quad(surface, corner, other, half, tone, snowy).quad(surface, next, other, half, tone, snowy);
    }
    const step = Math.min(2.5, Math.max(0.09, reach * 0.14));
    const columns = Math.max(1, Math.ceil(b.length() / step));
    const rows = Math.max(1, Math.ceil(c.length() / step));
    const start = piece.position.length / 3;
    const along = b.clone().normalize();
    const up = c.clone().normalize();
    for (let j = 0; j <= rows; j++) {
      for (let i = 0; i <= columns; i++) {
        const p = a
          .clone()
          .addScaledVector(b, i / columns)
          .addScaledVector(c, j / rows);
        piece.position.push(p.x, p.y, p.z);
        piece.normal.push(normal.x, normal.y, normal.z);
        // Textures lie on the world, not on the piece, so that neighbours join.
        piece.uv.push(p.dot(along) / tile, p.dot(up) / tile);
        piece.color.push(...tint);
      }
    }
    for (let j = 0; j < rows; j++) {
      for (let i = 0; i < columns; i++) {
        const k = start + j * (columns + 1) + i;
        piece.index.push(k, k + 1, k + columns + 2, k, k + columns + 2, k + columns + 1);
      }
    }
    return this;
  }

  /** Level ground between two corners. */
  ground(
    surface: SurfaceName,
    x0: number,
    z0: number,
    x1: number,
    z1: number,
    y = 0,
    tone = '#ffffff',
    snowy = true,
  ): this {
    return this.quad(surface, [x0, y, z1], [x1 - x0, 0, 0], [0, 0, z0 - z1], tone, snowy);
  }

  /** Stands with the middle of its foot at (x, y, z). */
  box(surface: SurfaceName, at: Vector, size: Vector, tone = '#ffffff', turn = 0): this {
    const [w, h, d] = size;
    const corner = (x: number, y: number, z: number): Vector => {
      const [rx, rz] = rotate(x, z, turn);
      return [at[0] + rx, at[1] + y, at[2] + rz];
    };
    const edge = (x: number, y: number, z: number): Vector => {
      const [rx, rz] = rotate(x, z, turn);
      return [rx, y, rz];
    };
    const [r, s] = [w / 2, d / 2];
    this.quad(surface, corner(-r, 0, s), edge(w, 0, 0), edge(0, h, 0), tone);
    this.quad(surface, corner(r, 0, -s), edge(-w, 0, 0), edge(0, h, 0), tone);
    this.quad(surface, corner(r, 0, s), edge(0, 0, -d), edge(0, h, 0), tone);
    this.quad(surface, corner(-r, 0, -s), edge(0, 0, d), edge(0, h, 0), tone);
    this.quad(surface, corner(-r, h, s), edge(w, 0, 0), edge(0, 0, -d), tone);
    if (at[1] > 0.2) this.quad(surface, corner(-r, 0, -s), edge(w, 0, 0), edge(0, 0, d), tone);
    return this;
  }

  /** A round post, trunk or pot: a cone's frustum. */
  post(
    surface: SurfaceName,
    at: Vector,
    lowM: number,
    highM: number,
    heightM: number,
    tone = '#ffffff',
    lean: readonly [number, number] = [0, 0],
  ): this {
    const sides = 10;
    const rings = Math.max(2, Math.ceil(heightM / 0.4));
    const piece = this.#piece(surface);
    const start = piece.position.length / 3;
    const tint = this.#tint(tone, false);
    for (let j = 0; j <= rings; j++) {
      const t = j / rings;
      const radius = lowM + (highM - lowM) * t;
      for (let i = 0; i <= sides; i++) {
        const angle = (i / sides) * 2 * Math.PI;
        const [nx, nz] = [Math.sin(angle), Math.cos(angle)];
        piece.position.push(at[0] + nx * radius + lean[0] * t, at[1] + heightM * t, at[2] + nz * radius + lean[1] * t);
        piece.normal.push(nx, 0, nz);
        piece.uv.push(((i / sides) * 2 * Math.PI * lowM) / tileM(surface), (heightM * t) / tileM(surface));
        piece.color.push(...tint);
      }
    }
    for (let j = 0; j < rings; j++) {
      for (let i = 0; i < sides; i++) {
        const k = start + j * (sides + 1) + i;
        piece.index.push(k, k + 1, k + sides + 2, k, k + sides + 2, k + sides + 1);
      }
    }
    return this;
  }

  /** Leaves as small rhombs; lit as the surface of the whole that they belong to, darker inside. */
  leaves(
    count: number,
    sizeM: number,
    hue: number,
    place: (random: Random) => { readonly at: Vector; readonly out: Vector; readonly depth: number },
  ): this {
    const piece = this.#piece('leaf');
    const { random } = this;
    for (let i = 0; i < count; i++) {
      const { at, out, depth } = place(random);
      const a = new Vector3(random() - 0.5, random() - 0.5, random() - 0.5).normalize();
      const b = new Vector3(random() - 0.5, random() - 0.5, random() - 0.5).cross(a).normalize();
      const size = sizeM * between(random, 0.6, 1.3);
      const start = piece.position.length / 3;
      const snowy = this.snow && out[1] > 0.2 && random() < 0.75;
      const color = snowy
        ? this.#color.set('#f4f7fb')
        : this.#color.setHSL(
            hue + (random() - 0.5) * 0.06,
            between(random, 0.28, 0.5),
            between(random, 0.13, 0.3) * (1 - 0.65 * depth),
          );
      for (const [s, t] of [
        [-0.5, 0],
        [0, -0.28],
        [0.5, 0],
        [0, 0.28],
      ] as const) {
        piece.position.push(
          at[0] + (a.x * s + b.x * t) * size,
          at[1] + (a.y * s + b.y * t) * size,
          at[2] + (a.z * s + b.z * t) * size,
        );
        piece.normal.push(...out);
        piece.uv.push(s, t);
        piece.color.push(color.r, color.g, color.b);
      }
      piece.index.push(start, start + 1, start + 2, start, start + 2, start + 3);
    }
    return this;
  }

  finish(sky: Mesh): Scenery {
    const group = new Group();
    const surfaces: { mesh: Mesh; surface: Surface }[] = [];
    for (const [name, piece] of this.#pieces) {
      const geometry = new BufferGeometry();
      for (const [attribute, values, size] of [
        ['position', piece.position, 3],
        ['normal', piece.normal, 3],
        ['uv', piece.uv, 2],
        ['color', piece.color, 3],
      ] as const) {
        geometry.setAttribute(attribute, new BufferAttribute(new Float32Array(values), size));
      }
      geometry.setIndex(piece.index);
      const surface = makeSurface(name, this.random);
      const mesh = new Mesh(geometry, surface.material);
      mesh.name = name;
      mesh.frustumCulled = false;
      group.add(mesh);
      surfaces.push({ mesh, surface });
    }
    sky.frustumCulled = false;
    group.add(sky);
    return { group, surfaces };
  }
}

export const skyDome = (): SphereGeometry => new SphereGeometry(90, 64, 40);
