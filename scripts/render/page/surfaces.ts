/** Surfaces of the scenery: painted textures, their size in the world, and how much infrared they send back. */
import {
  CanvasTexture,
  DoubleSide,
  type Material,
  MeshBasicMaterial,
  MeshLambertMaterial,
  RepeatWrapping,
  SRGBColorSpace,
} from 'three';
import { noise } from '../noise.ts';
import { between, type Random } from '../random.ts';

export type SurfaceName =
  | 'grass'
  | 'paving'
  | 'brick'
  | 'planks'
  | 'tiles'
  | 'asphalt'
  | 'gravel'
  | 'concrete'
  | 'plaster'
  | 'bark'
  | 'soil'
  | 'paint'
  | 'leaf'
  | 'glass'
  | 'glow'
  | 'metal';

type Painter = (g: CanvasRenderingContext2D, n: number, random: Random) => void;
interface SurfaceSpec {
  readonly tileM: number;
  readonly sizePx: number;
  /** Reflectance in the near infrared by that in the visible. */
  readonly infrared: number;
  readonly paint: Painter;
}

/** Adds noise to every pixel: `fine` per pixel, `coarse` with the given grain. */
function roughen(g: CanvasRenderingContext2D, n: number, random: Random, fine: number, coarse = 0, grainPx = 24): void {
  const image = g.getImageData(0, 0, n, n);
  const shift = random() * 100;
  for (let i = 0; i < n * n; i++) {
    const x = i % n;
    const y = Math.floor(i / n);
    const v = (random() - 0.5) * fine + noise(x / grainPx + shift, y / grainPx) * coarse;
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = (image.data[4 * i + c] ?? 0) + v;
  }
  g.putImageData(image, 0, 0);
}

function fill(g: CanvasRenderingContext2D, n: number, tone: string): void {
  g.fillStyle = tone;
  g.fillRect(0, 0, n, n);
}

/** Rows of blocks, every second row shifted by half a block. */
function bond(rows: number, columns: number, gapPx: number, mortar: string, tone: (random: Random) => string): Painter {
  return (g, n, random) => {
    fill(g, n, mortar);
    for (let row = 0; row < rows; row++) {
      for (let column = -1; column < columns; column++) {
        g.fillStyle = tone(random);
        const x = ((column + (row % 2) / 2) * n) / columns;
        g.fillRect(x + gapPx / 2, (row * n) / rows + gapPx / 2, n / columns - gapPx, n / rows - gapPx);
      }
    }
    roughen(g, n, random, 20, 8);
  };
}

const hsl = (h: number, s: number, l: number): string => `hsl(${h},${s}%,${l}%)`;
const flat =
  (fine: number, coarse: number): Painter =>
  (g, n, random) => {
    fill(g, n, '#d8d8d8');
    roughen(g, n, random, fine, coarse, 40);
  };

const specs: Readonly<Record<SurfaceName, SurfaceSpec>> = {
  grass: {
    tileM: 2.3,
    sizePx: 512,
    infrared: 2.6,
    paint: (g, n, random) => {
      fill(g, n, '#48592b');
      for (let i = 0; i < 9000; i++) {
        g.strokeStyle = hsl(between(random, 68, 112), between(random, 25, 50), between(random, 16, 42));
        const [x, y] = [random() * n, random() * n];
        g.beginPath();
        g.moveTo(x, y);
        g.lineTo(x + (random() - 0.5) * 8, y - between(random, 4, 13));
        g.stroke();
      }
      roughen(g, n, random, 12, 12, 90);
    },
  },
  paving: {
    tileM: 1.6,
    sizePx: 256,
    infrared: 1.1,
    paint: bond(3, 2, 5, '#55524d', (r) => hsl(36, between(r, 3, 8), between(r, 50, 60))),
  },
  brick: {
    tileM: 1.2,
    sizePx: 512,
    infrared: 1.5,
    paint: bond(16, 5, 6, '#a59b8e', (r) => hsl(between(r, 8, 20), between(r, 28, 46), between(r, 29, 43))),
  },
  planks: {
    tileM: 1.1,
    sizePx: 256,
    infrared: 1.25,
    paint: (g, n, random) => {
      for (let j = 0; j < 8; j++) {
        g.fillStyle = hsl(30, between(random, 8, 16), between(random, 62, 76));
        g.fillRect(0, (j * n) / 8, n, n / 8 - 3);
      }
      roughen(g, n, random, 16, 14, 10);
    },
  },
  tiles: {
    tileM: 2.4,
    sizePx: 256,
    infrared: 1.2,
    paint: bond(12, 8, 3, '#2a2422', (r) => hsl(12, between(r, 8, 18), between(r, 22, 32))),
  },
  asphalt: {
    tileM: 3,
    sizePx: 256,
    infrared: 1.3,
    paint: (g, n, random) => {
      fill(g, n, '#58595c');
      roughen(g, n, random, 36, 12, 30);
    },
  },
  gravel: {
    tileM: 1.5,
    sizePx: 512,
    infrared: 1.1,
    paint: (g, n, random) => {
      fill(g, n, '#7d7568');
      for (let i = 0; i < 5000; i++) {
        g.fillStyle = hsl(between(random, 28, 45), between(random, 4, 16), between(random, 35, 72));
        g.beginPath();
        g.ellipse(random() * n, random() * n, between(random, 2, 5), between(random, 1.5, 4), random() * 3, 0, 7);
        g.fill();
      }
      roughen(g, n, random, 18, 10, 70);
    },
  },
  concrete: { tileM: 2.5, sizePx: 256, infrared: 1.1, paint: bond(1, 1, 3, '#77756f', () => '#9b9892') },
  plaster: { tileM: 3, sizePx: 256, infrared: 1.05, paint: flat(14, 10) },
  bark: {
    tileM: 0.8,
    sizePx: 256,
    infrared: 1.4,
    paint: (g, n, random) => {
      fill(g, n, '#6b5c50');
      for (let i = 0; i < 500; i++) {
        g.fillStyle = hsl(25, between(random, 10, 22), between(random, 22, 46));
        g.fillRect(random() * n, random() * n, between(random, 2, 6), between(random, 12, 60));
      }
      roughen(g, n, random, 18, 8, 12);
    },
  },
  soil: {
    tileM: 2,
    sizePx: 512,
    infrared: 1.5,
    paint: (g, n, random) => {
      fill(g, n, '#4f4232');
      for (let i = 0; i < 2600; i++) {
        g.fillStyle = hsl(between(random, 22, 50), between(random, 15, 45), between(random, 18, 44));
        g.beginPath();
        g.ellipse(random() * n, random() * n, between(random, 3, 9), between(random, 1.5, 4), random() * 3, 0, 7);
        g.fill();
      }
      roughen(g, n, random, 16, 14, 80);
    },
  },
  paint: { tileM: 1.5, sizePx: 128, infrared: 1.05, paint: flat(8, 5) },
  leaf: { tileM: 1, sizePx: 64, infrared: 3, paint: flat(6, 0) },
  glass: { tileM: 2, sizePx: 128, infrared: 0.8, paint: flat(6, 40) },
  glow: { tileM: 2, sizePx: 64, infrared: 1, paint: flat(4, 12) },
  metal: { tileM: 1, sizePx: 128, infrared: 1, paint: flat(10, 6) },
};

export const tileM = (name: SurfaceName): number => specs[name].tileM;

export interface Surface {
  readonly name: SurfaceName;
  readonly material: MeshLambertMaterial;
  readonly infrared: number;
}

export function makeSurface(name: SurfaceName, random: Random): Surface {
  const spec = specs[name];
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = spec.sizePx;
  const g = canvas.getContext('2d', { willReadFrequently: true });
  if (g === null) throw new Error('Cannot paint a texture: the browser has no 2D canvas');
  spec.paint(g, spec.sizePx, random);
  const map = new CanvasTexture(canvas);
  map.wrapS = map.wrapT = RepeatWrapping;
  map.colorSpace = SRGBColorSpace;
  map.anisotropy = 4;
  const material = new MeshLambertMaterial({ map, vertexColors: true });
  if (name === 'leaf') material.side = DoubleSide;
  return { name, material, infrared: spec.infrared };
}

/** The dome of the sky; unlit, so that it belongs to one light only. */
export function makeSky(light: 'day' | 'dusk' | 'night', cloudy: boolean, random: Random): Material {
  const n = 256;
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = n;
  const g = canvas.getContext('2d', { willReadFrequently: true });
  if (g === null) throw new Error('Cannot paint the sky: the browser has no 2D canvas');
  const [top, low] = { day: ['#6f9bd1', '#dfe7ec'], dusk: ['#44557f', '#d39a78'], night: ['#0a0d16', '#141824'] }[
    light
  ];
  const gradient = g.createLinearGradient(0, 0, 0, n);
  gradient.addColorStop(0, cloudy ? '#c3c9cf' : (top ?? ''));
  gradient.addColorStop(0.52, cloudy ? '#dfe3e6' : (low ?? ''));
  g.fillStyle = gradient;
  g.fillRect(0, 0, n, n);
  // Below the horizon, behind the last ground: hazy fields.
  g.fillStyle = { day: '#8b9684', dusk: '#5c5a58', night: '#0c0e12' }[light];
  g.fillRect(0, n * 0.502, n, n);
  const image = g.getImageData(0, 0, n, n);
  const shift = random() * 50;
  for (let i = 0; i < n * n; i++) {
    const x = i % n;
    const y = Math.floor(i / n);
    // Closes the seam of the dome behind the camera.
    const wrap = y > n / 2 ? 0 : Math.min(1, Math.min(x, n - x) / 30);
    const cover = Math.max(0, noise(x / 30 + shift, y / 10, 5) + 0.5 * noise(x / 12, y / 5 + shift, 2)) * wrap;
    for (let c = 0; c < 3; c++)
      image.data[4 * i + c] = (image.data[4 * i + c] ?? 0) + cover * (cloudy ? 20 : light === 'day' ? 60 : 22);
  }
  g.putImageData(image, 0, 0);
  const map = new CanvasTexture(canvas);
  map.colorSpace = SRGBColorSpace;
  return new MeshBasicMaterial({ map, side: DoubleSide });
}
