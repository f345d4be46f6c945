/** The glare of headlights in the lens, the stronger the more they point at it. */
import type { PerspectiveCamera } from 'three';
import type { LitCar } from './cast.ts';
import { type LensSpec, toPixels } from './lens.ts';
import type { Stroke } from './particles.ts';

export function glareOf(lit: LitCar, camera: PerspectiveCamera, lens: LensSpec): readonly Stroke[] {
  const scale = lens.widthPx / 640;
  return lit.at.flatMap((lamp): readonly Stroke[] => {
    const toCamera = camera.position.clone().sub(lamp);
    const distanceM = toCamera.length();
    const facing = Math.max(0, toCamera.normalize().dot(lit.ahead));
    const v = lamp.clone().applyMatrix4(camera.matrixWorldInverse);
    const at = toPixels(lens, v.x, v.y, v.z);
    if (at === undefined || facing < 0.02) return [];
    const bright = 1.5 + 60 * facing ** 6;
    const spot = (radiusPx: number, gain: number): Stroke => ({
      x0: at[0],
      y0: at[1],
      x1: at[0] + 0.01,
      y1: at[1],
      radiusPx: radiusPx * scale,
      light: [bright * gain, bright * gain * 0.95, bright * gain * 0.85],
      cover: 0,
      distanceM: distanceM - 1,
    });
    const spots = [spot(3, 1), spot(9 + 22 * facing ** 4, 0.16), spot(90 * facing ** 3, 0.012)];
    return spots.filter((stroke) => stroke.radiusPx > 1);
  });
}
