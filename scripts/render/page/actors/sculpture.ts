// Puts painted solids together into one geometry with colours for day and for near infrared: one draw call.
import type { Mesh } from 'three';
import { BufferAttribute, BufferGeometry, Matrix3, Matrix4, Vector3 } from 'three';
import type { Light } from './actor.ts';
import type { Assembled, Rgb } from './layer.ts';
import { rgb } from './layer.ts';

export class Sculpture {
  readonly #positions: number[] = [];
  readonly #normals: number[] = [];
  readonly #day: number[] = [];
  readonly #ir: number[] = [];
  readonly #indices: number[] = [];

  /** Adds a solid; takes the geometry over. `irRatio` is its reflectance in near infrared. */
  add(solid: BufferGeometry, tone: string | Rgb, irRatio: number, place: Matrix4 = new Matrix4()): this {
    const colour = typeof tone === 'string' ? rgb(tone) : tone;
    const position = solid.getAttribute('position');
    const normal = solid.getAttribute('normal');
    const base = this.#positions.length / 3;
    const turn = new Matrix3().getNormalMatrix(place);
    const v = new Vector3();
    for (let i = 0; i < position.count; i++) {
      v.set(position.getX(i), position.getY(i), position.getZ(i)).applyMatrix4(place);
      this.#positions.push(v.x, v.y, v.z);
      v.set(normal.getX(i), normal.getY(i), normal.getZ(i)).applyMatrix3(turn).normalize();
      this.#normals.push(v.x, v.y, v.z);
      this.#day.push(...colour);
      this.#ir.push(irRatio, irRatio, irRatio);
    }
    const index = solid.getIndex();
    const count = index ? index.count : position.count;
    // A mirroring place would turn the solid inside out.
    const order = place.determinant() < 0 ? [0, 2, 1] : [0, 1, 2];
    for (let t = 0; t < count; t += 3) {
      for (const o of order) this.#indices.push(base + (index ? index.getX(t + o) : t + o));
    }
    solid.dispose();
    return this;
  }

  finish(): Assembled {
    const geometry = new BufferGeometry();
    const dayColours = new BufferAttribute(new Float32Array(this.#day), 3);
    geometry.setAttribute('position', new BufferAttribute(new Float32Array(this.#positions), 3));
    geometry.setAttribute('normal', new BufferAttribute(new Float32Array(this.#normals), 3));
    geometry.setAttribute('color', dayColours);
    geometry.setIndex(this.#indices);
    return { geometry, dayColours, irColours: new BufferAttribute(new Float32Array(this.#ir), 3) };
  }
}

export function lightUp({ geometry, dayColours, irColours }: Assembled, light: Light): void {
  geometry.setAttribute('color', light === 'ir' ? irColours : dayColours);
}

/** Appends the world positions of about `count` of a mesh's vertices. */
export function samplePositions(mesh: Mesh, count: number, out: number[]): void {
  const vertices = mesh.geometry.getAttribute('position').count;
  const stride = Math.max(1, Math.floor(vertices / count));
  const v = new Vector3();
  for (let i = 0; i < vertices; i += stride) {
    mesh.getVertexPosition(i, v).applyMatrix4(mesh.matrixWorld);
    out.push(v.x, v.y, v.z);
  }
}
