// The same photographs as a doorbell would take them at night: what light costs, with the people unchanged.
import { seededRandom } from '../bench/statistics.ts';
import type { Picture } from './detect.ts';

type Channels = readonly [red: number, green: number, blue: number];

function repaint(picture: Picture, noise: number, paint: (rgb: Channels, fromCentre: number) => Channels): Picture {
  const { width, height } = picture;
  const random = seededRandom(1);
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 3;
      const rgb: Channels = [picture.data[at] ?? 0, picture.data[at + 1] ?? 0, picture.data[at + 2] ?? 0];
      const fromCentre = Math.min(1, Math.hypot(x / width - 0.5, y / height - 0.5) * Math.SQRT2);
      // Three uniform values make a noise that is round enough; the same for all colours, as after a cheap encoder.
      const grain = noise * 2 * (random() + random() + random() - 1.5);
      paint(rgb, fromCentre).forEach((value, c) => {
        data[at + c] = Math.max(0, Math.min(255, Math.round(value + grain)));
      });
    }
  }
  return { data, width, height };
}

export const lights: Readonly<Record<string, (picture: Picture) => Picture>> = {
  'as taken': (picture) => picture,
  'lit by infra-red': (picture) =>
    repaint(picture, 6, ([red, green, blue], fromCentre) => {
      const grey = (0.3 * red + 0.59 * green + 0.11 * blue) * (1.2 - 0.75 * fromCentre * fromCentre);
      return [grey, grey, grey];
    }),
  'at dusk': (picture) => repaint(picture, 5, ([red, green, blue]) => [0.3 * red, 0.32 * green, 0.38 * blue]),
};
