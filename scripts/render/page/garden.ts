/** What gardens and streets are made of, put together from the kit's blocks. */
import { between, pick } from '../random.ts';
import type { Kit } from './kit.ts';

type Vector = readonly [number, number, number];

export function picketFence(kit: Kit, x0: number, x1: number, z: number, heightM: number, tone: string): void {
  for (let x = x0; x < x1; x += 0.16) {
    kit.box('planks', [x, 0.05, z], [0.1, heightM * between(kit.random, 0.97, 1), 0.025], tone);
  }
  for (const y of [0.3, heightM * 0.8]) kit.box('planks', [(x0 + x1) / 2, y, z - 0.03], [x1 - x0, 0.07, 0.03], tone);
}

/** Panels between posts, along x (turn 0) or z (turn a quarter). */
export function panelFence(kit: Kit, at: Vector, lengthM: number, heightM: number, tone: string, turn = 0): void {
  kit.box('planks', at, [lengthM, heightM, 0.06], tone, turn);
  for (let s = -lengthM / 2; s <= lengthM / 2 + 0.01; s += 1.8) {
    kit.box(
      'planks',
      [at[0] + s * Math.cos(turn), 0, at[2] - s * Math.sin(turn)],
      [0.11, heightM + 0.08, 0.11],
      tone,
      turn,
    );
  }
}

export function railing(
  kit: Kit,
  at: Vector,
  lengthM: number,
  heightM: number,
  tone: string,
  turn = 0,
  gapM = 0.12,
): void {
  const along = (s: number): Vector => [at[0] + s * Math.cos(turn), at[1], at[2] - s * Math.sin(turn)];
  for (let s = -lengthM / 2; s <= lengthM / 2; s += gapM)
    kit.box('metal', along(s), [0.018, heightM, 0.018], tone, turn);
  kit.box('metal', [at[0], at[1] + heightM, at[2]], [lengthM, 0.05, 0.06], tone, turn);
  kit.box('metal', [at[0], at[1] + 0.08, at[2]], [lengthM, 0.03, 0.03], tone, turn);
}

/** Two rails on posts, as round a field. */
export function railFence(kit: Kit, x0: number, x1: number, z: number, tone: string): void {
  for (let x = x0; x <= x1; x += 2.2) kit.box('planks', [x, 0, z], [0.13, 1.25, 0.13], tone);
  for (const y of [0.4, 0.75, 1.1]) kit.box('planks', [(x0 + x1) / 2, y, z + 0.08], [x1 - x0, 0.11, 0.035], tone);
}

export function hedge(kit: Kit, x0: number, z0: number, x1: number, z1: number, heightM: number, perM2 = 260): void {
  const [w, d] = [x1 - x0, z1 - z0];
  kit.box('leaf', [(x0 + x1) / 2, 0, (z0 + z1) / 2], [w * 0.8, heightM * 0.94, d * 0.97], '#16200f');
  const faces = [
    {
      area: w * heightM,
      at: (u: number, v: number): Vector => [x0 + u * w, v * heightM, z1],
      out: [0, 0.2, 1] as Vector,
    },
    {
      area: w * heightM,
      at: (u: number, v: number): Vector => [x0 + u * w, v * heightM, z0],
      out: [0, 0.2, -1] as Vector,
    },
    {
      area: d * heightM,
      at: (u: number, v: number): Vector => [x0, v * heightM, z0 + u * d],
      out: [-1, 0.2, 0] as Vector,
    },
    {
      area: d * heightM,
      at: (u: number, v: number): Vector => [x1, v * heightM, z0 + u * d],
      out: [1, 0.2, 0] as Vector,
    },
    {
      area: w * d,
      at: (u: number, v: number): Vector => [x0 + u * w, heightM, z0 + v * d],
      out: [0, 1, 0.1] as Vector,
    },
  ];
  for (const { area, at, out } of faces) {
    kit.leaves(Math.min(2600, Math.ceil(area * perM2)), 0.1, 0.25, (random) => {
      const depth = random();
      const p = at(random(), random());
      const inward = depth * 0.14 - 0.05;
      return {
        at: [p[0] - out[0] * inward, p[1] - out[1] * inward + (random() - 0.5) * 0.08, p[2] - out[2] * inward],
        out,
        depth: depth * 0.8,
      };
    });
  }
}

/** A ball of leaves, squeezed by `flat`. */
function crown(kit: Kit, at: Vector, radiusM: number, flat: number, count: number, leafM: number, hue: number): void {
  kit.leaves(count, leafM, hue, (random) => {
    const angle = random() * 2 * Math.PI;
    const up = 2 * random() - 1;
    const depth = random() ** 2;
    const r = radiusM * (1 - 0.55 * depth) * (0.85 + 0.25 * random());
    const side = Math.sqrt(1 - up * up);
    const out: Vector = [side * Math.sin(angle), up, side * Math.cos(angle)];
    return { at: [at[0] + out[0] * r, at[1] + out[1] * r * flat, at[2] + out[2] * r], out, depth };
  });
}

export function bush(kit: Kit, x: number, z: number, radiusM: number, hue = 0.27): void {
  crown(kit, [x, radiusM * 0.75, z], radiusM, 0.85, Math.round(900 * radiusM * radiusM + 350), 0.085, hue);
  kit.post('leaf', [x, 0, z], radiusM * 0.5, radiusM * 0.4, radiusM * 1.1, '#141d0e');
}

export function tree(
  kit: Kit,
  x: number,
  z: number,
  heightM: number,
  radiusM: number,
  options: { bare?: boolean; hue?: number; leaves?: number } = {},
): void {
  const { random } = kit;
  const trunk = heightM * 0.55;
  const lean: readonly [number, number] = [between(random, -0.25, 0.25), between(random, -0.25, 0.25)];
  kit.post('bark', [x, 0, z], 0.05 * heightM ** 0.8, 0.028 * heightM ** 0.8, trunk, '#ffffff', lean);
  const top: Vector = [x + lean[0], trunk, z + lean[1]];
  for (let i = 0; i < 7; i++) {
    const angle = random() * 6.28;
    const reach = radiusM * between(random, 0.4, 0.9);
    kit.post(
      'bark',
      [top[0], trunk - 0.25 * i * random(), top[2]],
      0.022 * heightM ** 0.8,
      0.01,
      heightM * between(random, 0.2, 0.4),
      '#e8e0d8',
      [Math.sin(angle) * reach, Math.cos(angle) * reach],
    );
  }
  if (options.bare === true) return;
  const count = options.leaves ?? 1500;
  for (let i = 0; i < 4; i++) {
    const angle = i * 1.7 + random();
    const off = radiusM * (i === 0 ? 0 : 0.5);
    crown(
      kit,
      [top[0] + Math.sin(angle) * off, heightM - radiusM * between(random, 0.4, 0.9), top[2] + Math.cos(angle) * off],
      radiusM * (i === 0 ? 0.85 : 0.65),
      0.75,
      count / 4,
      0.13 + 0.07 * radiusM,
      options.hue ?? 0.25,
    );
  }
}

/** A front with windows and a door; lit windows glow by night. The front faces the camera. */
export function house(
  kit: Kit,
  x: number,
  z: number,
  widthM: number,
  floors: number,
  options: {
    surface?: 'brick' | 'plaster' | 'planks';
    tone?: string;
    roof?: boolean;
    litRatio?: number;
    shop?: boolean;
  } = {},
): void {
  const { random } = kit;
  const heightM = floors * 2.7 + 0.3;
  kit.box(options.surface ?? 'brick', [x, 0, z - 4], [widthM, heightM, 8], options.tone ?? '#ffffff');
  const columns = Math.max(1, Math.round(widthM / 2.8));
  const door = options.shop === true ? -1 : Math.floor(random() * columns);
  const frame = pick(random, ['#ebe9e4', '#d8d4ca', '#4a4f52']);
  for (let floor = 0; floor < floors; floor++) {
    for (let column = 0; column < columns; column++) {
      const wx = x - widthM / 2 + ((column + 0.5) * widthM) / columns;
      const lit = random() < (options.litRatio ?? 0.3);
      if (floor === 0 && column === door) {
        kit.box('paint', [wx, 0, z + 0.02], [1.15, 2.25, 0.08], frame);
        kit.box(
          'paint',
          [wx, 0, z + 0.06],
          [0.95, 2.1, 0.06],
          pick(random, ['#5a2320', '#203c33', '#26334d', '#3b3b3e', '#7b6a3a']),
        );
        continue;
      }
      const shop = floor === 0 && options.shop === true;
      const [w, h, y] = shop ? [widthM / columns - 0.4, 2, 0.4] : [1.25, 1.3, floor * 2.7 + 0.95];
      kit.box('paint', [wx, y - 0.08, z + 0.02], [w + 0.16, h + 0.16, 0.06], frame);
      kit.box(
        lit ? 'glow' : 'glass',
        [wx, y, z + 0.05],
        [w, h, 0.05],
        lit ? pick(random, ['#ffd9a0', '#ffe9c8', '#f4dfb8']) : '#2c343c',
      );
      if (!shop) {
        kit.box('paint', [wx, y, z + 0.09], [0.05, h, 0.03], frame);
        kit.box('paint', [wx, y + h * 0.62, z + 0.09], [w, 0.045, 0.03], frame);
      }
    }
  }
  if (options.roof === false) return;
  const rise = 2.6;
  kit.quad('tiles', [x - widthM / 2 - 0.3, heightM - 0.1, z + 0.4], [widthM + 0.6, 0, 0], [0, rise, -4.4]);
}

/** The near edge of a porch: posts and a beam, which stand in front of what comes. */
export function porchPosts(kit: Kit, xs: readonly number[], z: number, heightM: number, tone: string): void {
  for (const x of xs) kit.box('paint', [x, 0, z], [0.12, heightM, 0.12], tone);
  const [x0, x1] = [Math.min(...xs) - 0.5, Math.max(...xs) + 0.5];
  kit.box('paint', [(x0 + x1) / 2, heightM, z], [x1 - x0, 0.2, 0.14], tone);
  kit.box('planks', [(x0 + x1) / 2, heightM + 0.2, z / 2 + 0.1], [x1 - x0, 0.06, -z + 0.5], '#e8e4dc');
}

export function streetLamp(kit: Kit, at: Vector): void {
  kit.post('metal', [at[0], Math.min(0, at[1]), at[2]], 0.07, 0.05, Math.abs(at[1]) + 0.1, '#4b4f52');
  kit.box('glow', [at[0], at[1] + 0.02, at[2] + 0.25], [0.18, 0.08, 0.5], '#fff0d0');
}

export function flowerBed(kit: Kit, x0: number, z0: number, x1: number, z1: number): void {
  kit.ground('soil', x0, z0, x1, z1, 0.015, '#b9a48a');
  const hue = pick(kit.random, [0.02, 0.13, 0.8, 0.93]);
  const spread = (h: number): void => {
    kit.leaves(Math.round((x1 - x0) * Math.abs(z1 - z0) * 220), 0.07, h, (random) => ({
      at: [between(random, x0, x1), between(random, 0.03, 0.35), between(random, z0, z1)],
      out: [0, 0.9, 0.4],
      depth: random() * 0.5,
    }));
  };
  spread(0.27);
  spread(hue);
}

export function pot(kit: Kit, x: number, z: number, heightM: number): void {
  kit.post(
    'paint',
    [x, 0, z],
    heightM * 0.32,
    heightM * 0.42,
    heightM,
    pick(kit.random, ['#a5583a', '#6a6f73', '#3f4a52']),
  );
  crown(kit, [x, heightM * 1.5, z], heightM * 0.75, 0.9, 380, 0.075, between(kit.random, 0.2, 0.32));
}
