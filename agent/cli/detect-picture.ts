/** A picture of `latchkey detect --draw`: what counts as a person in green with its score, what doesn't in thin grey. */
import sharp from 'sharp';
import { yuvToRgb } from '../base/image.ts';
import type { Detection, SmallFrame } from '../recorder/stages.ts';
import { boxSvg } from './drawing.ts';

/** A PNG of the small frame that the model looked at. */
export async function drawDetections(
  frame: SmallFrame,
  found: readonly Detection[],
  shownScore: number,
): Promise<Uint8Array> {
  const { widthPx, heightPx } = frame;
  const lineWidthPx = Math.max(1, Math.round(Math.max(widthPx, heightPx) / 400));
  const marks = found.toReversed().map(({ box, score }) =>
    boxSvg(
      box,
      { x: 1, y: 1 },
      score >= shownScore
        ? {
            colour: '#30e060',
            widthPx: lineWidthPx,
            label: score.toFixed(2),
            labelPx: 6 + 5 * lineWidthPx,
            rightPx: widthPx,
          }
        : { colour: '#9aa4b2', widthPx: 1 },
    ),
  );
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${widthPx}" height="${heightPx}">${marks.join('')}</svg>`;
  const raw = { width: widthPx, height: heightPx, channels: 3 } as const;
  const picture = sharp(yuvToRgb(frame), { raw }).composite([{ input: Buffer.from(svg), left: 0, top: 0 }]);
  return new Uint8Array(await picture.png().toBuffer());
}
