/** Smooth value noise, for surfaces and for wind. Deterministic, without a seed: shift the coordinates instead. */
function lattice(x: number, y: number, z: number): number {
  let n = Math.imul(x, 374761393) ^ Math.imul(y, 668265263) ^ Math.imul(z, 1274126177);
  n = Math.imul(n ^ (n >>> 13), 1274126177);
  return ((n ^ (n >>> 16)) >>> 0) / 4294967296;
}

const ease = (t: number): number => t * t * (3 - 2 * t);
const mix = (a: number, b: number, t: number): number => a + (b - a) * t;

/** From -1 to 1. */
export function noise(x: number, y: number, z = 0): number {
  const [ix, iy, iz] = [Math.floor(x), Math.floor(y), Math.floor(z)];
  const [u, v, w] = [ease(x - ix), ease(y - iy), ease(z - iz)];
  const plane = (k: number): number =>
    mix(
      mix(lattice(ix, iy, k), lattice(ix + 1, iy, k), u),
      mix(lattice(ix, iy + 1, k), lattice(ix + 1, iy + 1, k), u),
      v,
    );
  return mix(plane(iz), plane(iz + 1), w) * 2 - 1;
}
