/** Frames as picture files, plain or with the boxes of the truth. */
import sharp, { type Sharp } from 'sharp';
import type { TruthFrame } from './truth.ts';

export interface RawPicture {
  readonly pixels: Buffer;
  readonly widthPx: number;
  readonly heightPx: number;
}

function open({ pixels, widthPx, heightPx }: RawPicture): Sharp {
  return sharp(pixels, { raw: { width: widthPx, height: heightPx, channels: 3 } });
}

export async function writePicture(path: string, picture: RawPicture, truth?: TruthFrame): Promise<void> {
  const image = open(picture);
  if (truth !== undefined) image.composite([{ input: Buffer.from(drawing(picture, truth)), left: 0, top: 0 }]);
  await (path.endsWith('.jpg') ? image.jpeg({ quality: 92 }) : image.png()).toFile(path);
}

/** Green: what is seen of a person; dashed: all of the person; yellow: other movers. */
function drawing({ widthPx, heightPx }: RawPicture, truth: TruthFrame): string {
  const rect = ([x, y, w, h]: readonly [number, number, number, number], style: string): string =>
    `<rect x="${x}" y="${y}" width="${w}" height="${h}" fill="none" ${style}/>`;
  const people = truth.people.map(
    ({ id, box, full, visible }) =>
      `${rect(full, 'stroke="#6f6" stroke-dasharray="3 3"')}${rect(box, 'stroke="#0f0"')}` +
      `<text x="${box[0] + 2}" y="${Math.max(11, box[1] + 11)}" font-size="10" fill="#0f0">${id} ${visible}</text>`,
  );
  const movers = truth.movers.map(
    ({ what, box }) =>
      `${rect(box, 'stroke="#ff0"')}<text x="${box[0] + 2}" y="${Math.max(11, box[1] + 11)}" font-size="10" fill="#ff0">${what}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${widthPx}" height="${heightPx}">${people.join('')}${movers.join('')}</svg>`;
}
