// Turns a signed-distance field into triangles: naive surface nets (one vertex per cell that the surface crosses,
// one quad per crossed edge), skipping blocks of cells that a probe at their centre shows to be empty or full.
import type { Field, Point } from './field.ts';

export interface Surface {
  readonly positions: Float32Array;
  /** Unit, outwards, from the field's gradient. */
  readonly normals: Float32Array;
  readonly indices: Uint32Array;
}

const BLOCK = 4;
/** Corner c of a cell lies at (c & 1, c >> 1 & 1, c >> 2). */
const EDGES: readonly (readonly [number, number])[] = [
  [0, 1],
  [0, 2],
  [0, 4],
  [1, 3],
  [1, 5],
  [2, 3],
  [2, 6],
  [3, 7],
  [4, 5],
  [4, 6],
  [5, 7],
  [6, 7],
];

/**
 * The outermost samples count as outside, so that every surface is closed, even one that `low`..`high` cuts off.
 * @param slack how much faster or slower than true distance the field may change
 */
export function polygonise(field: Field, low: Point, high: Point, stepM: number, slack = 1.7): Surface {
  const size = [0, 1, 2].map((a) => Math.ceil(((high[a] ?? 0) - (low[a] ?? 0)) / stepM) + 1);
  const [nx = 0, ny = 0, nz = 0] = size;
  const values = sample(field, low, [nx, ny, nz], stepM, slack);
  const vertexOf = new Int32Array(nx * ny * nz).fill(-1);
  const positions: number[] = [];
  const row = nx;
  const slice = nx * ny;
  const corner = [0, 1, row, row + 1, slice, slice + 1, slice + row, slice + row + 1];
  for (let k = 0; k < nz - 1; k++) {
    for (let j = 0; j < ny - 1; j++) {
      for (let i = 0; i < nx - 1; i++) {
        const o = i + row * j + slice * k;
        let mask = 0;
        for (let c = 0; c < 8; c++) if ((values[o + (corner[c] ?? 0)] ?? 1) < 0) mask |= 1 << c;
        if (mask === 0 || mask === 255) continue;
        let x = 0;
        let y = 0;
        let z = 0;
        let crossings = 0;
        for (const [a, b] of EDGES) {
          if (((mask >> a) & 1) === ((mask >> b) & 1)) continue;
          const va = values[o + (corner[a] ?? 0)] ?? 0;
          const vb = values[o + (corner[b] ?? 0)] ?? 0;
          const t = va / (va - vb);
          x += (a & 1) + ((b & 1) - (a & 1)) * t;
          y += ((a >> 1) & 1) + (((b >> 1) & 1) - ((a >> 1) & 1)) * t;
          z += (a >> 2) + ((b >> 2) - (a >> 2)) * t;
          crossings++;
        }
        vertexOf[o] = positions.length / 3;
        positions.push(
          low[0] + (i + x / crossings) * stepM,
          low[1] + (j + y / crossings) * stepM,
          low[2] + (k + z / crossings) * stepM,
        );
      }
    }
  }
  const indices = connect(values, vertexOf, [nx, ny, nz]);
  return { positions: new Float32Array(positions), normals: gradients(field, positions, stepM), indices };
}

function sample(field: Field, low: Point, [nx, ny, nz]: Point, stepM: number, slack: number): Float32Array {
  const values = new Float32Array(nx * ny * nz);
  const reach = slack * stepM * (BLOCK / 2 + 1) * Math.sqrt(3);
  const half = (BLOCK - 1) / 2;
  for (let bk = 0; bk < nz; bk += BLOCK) {
    for (let bj = 0; bj < ny; bj += BLOCK) {
      for (let bi = 0; bi < nx; bi += BLOCK) {
        const middle = field(low[0] + (bi + half) * stepM, low[1] + (bj + half) * stepM, low[2] + (bk + half) * stepM);
        const far = Math.abs(middle) > reach;
        for (let k = bk; k < Math.min(bk + BLOCK, nz); k++) {
          for (let j = bj; j < Math.min(bj + BLOCK, ny); j++) {
            for (let i = bi; i < Math.min(bi + BLOCK, nx); i++) {
              const rim = i === 0 || j === 0 || k === 0 || i === nx - 1 || j === ny - 1 || k === nz - 1;
              let v = far ? middle : field(low[0] + i * stepM, low[1] + j * stepM, low[2] + k * stepM);
              if (rim && v < 1e-4) v = 1e-4;
              values[i + nx * (j + ny * k)] = v;
            }
          }
        }
      }
    }
  }
  return values;
}

function connect(values: Float32Array, vertexOf: Int32Array, [nx, ny, nz]: Point): Uint32Array {
  const out: number[] = [];
  const row = nx;
  const slice = nx * ny;
  // The four cells around an edge, in turn; `step` leads along the edge, `u` and `v` across it.
  const quad = (o: number, step: number, u: number, v: number): void => {
    const inside = (values[o] ?? 1) < 0;
    if (inside === (values[o + step] ?? 1) < 0) return;
    const a = vertexOf[o - u - v] ?? -1;
    const b = vertexOf[o - v] ?? -1;
    const c = vertexOf[o] ?? -1;
    const d = vertexOf[o - u] ?? -1;
    if (inside) out.push(a, b, c, a, c, d);
    else out.push(a, c, b, a, d, c);
  };
  for (let k = 0; k < nz - 1; k++) {
    for (let j = 0; j < ny - 1; j++) {
      for (let i = 0; i < nx - 1; i++) {
        const o = i + row * j + slice * k;
        if (j > 0 && k > 0) quad(o, 1, row, slice);
        if (i > 0 && k > 0) quad(o, row, slice, 1);
        if (i > 0 && j > 0) quad(o, slice, 1, row);
      }
    }
  }
  return new Uint32Array(out);
}

function gradients(field: Field, positions: readonly number[], stepM: number): Float32Array {
  const normals = new Float32Array(positions.length);
  const e = Math.min(stepM * 0.5, 0.012);
  for (let o = 0; o < positions.length; o += 3) {
    const x = positions[o] ?? 0;
    const y = positions[o + 1] ?? 0;
    const z = positions[o + 2] ?? 0;
    // Four probes at the corners of a tetrahedron give the gradient.
    const a = field(x + e, y - e, z - e);
    const b = field(x - e, y - e, z + e);
    const c = field(x - e, y + e, z - e);
    const d = field(x + e, y + e, z + e);
    const gx = a - b - c + d;
    const gy = -a - b + c + d;
    const gz = -a + b - c + d;
    const length = Math.hypot(gx, gy, gz) || 1;
    normals[o] = gx / length;
    normals[o + 1] = gy / length;
    normals[o + 2] = gz / length;
  }
  return normals;
}
