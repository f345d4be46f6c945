// Draws learning curves: node plot-curve.ts OUT.svg LABEL=CURVE.json…, each the curve.json that train.py leaves. The watch
// pictures are kept aside from training; a run that goes on from another is drawn behind it.
import { readFileSync, writeFileSync } from 'node:fs';
import { drawing, line, paleColour, palette, polyline, rect, text, ticks } from '../bench/plot/svg.ts';

interface Curve {
  readonly arguments: { readonly steps: number; readonly batch: number };
  readonly epochs: readonly { readonly watchAp50: number; readonly steps?: number }[];
}

const [out, ...named] = process.argv.slice(2);
if (!out || named.length === 0) throw new Error('usage: node plot-curve.ts OUT.svg LABEL=CURVE.json…');

let examples = 0;
const runs = named.map((one) => {
  const [label = '', file = ''] = one.split('=');
  const { arguments: chosen, epochs } = JSON.parse(readFileSync(file, 'utf8')) as Curve;
  const points = epochs.map(({ watchAp50, steps = chosen.steps }): [number, number] => {
    examples += (steps * chosen.batch) / 1000;
    return [examples, watchAp50];
  });
  return { label, points };
});

const [leftPx, topPx, widthPx, heightPx] = [56, 40, 560, 300];
const best = Math.max(...runs.flatMap(({ points }) => points.map(([, ap]) => ap)));
const most = Math.ceil(best * 10) / 10;
const at = ([thousands, ap]: readonly [number, number]): [number, number] => [
  leftPx + (thousands / examples) * widthPx,
  topPx + (1 - ap / most) * heightPx,
];
const parts = [
  text(12, 22, 'AP50 on the watch pictures', { sizePx: 15, bold: true }),
  ...ticks(most).flatMap((ap) => {
    const [, y] = at([0, ap]);
    return [
      line(leftPx, y, leftPx + widthPx, y, paleColour),
      text(leftPx - 6, y + 4, ap.toFixed(1), { anchor: 'end', sizePx: 11 }),
    ];
  }),
  ...ticks(examples).map((thousands) =>
    text(at([thousands, 0])[0], topPx + heightPx + 16, String(thousands), { anchor: 'middle', sizePx: 11 }),
  ),
  text(leftPx + widthPx / 2, topPx + heightPx + 34, 'thousand examples', { anchor: 'middle' }),
  ...runs.flatMap(({ label, points }, index) => {
    const colour = palette[index % palette.length] ?? palette[0];
    const y = topPx + heightPx - 20 - (runs.length - index) * 20;
    return [
      polyline(points.map(at), colour),
      rect(leftPx + widthPx - 250, y, 12, 12, colour),
      text(leftPx + widthPx - 232, y + 10, label),
    ];
  }),
];
writeFileSync(out, drawing(leftPx + widthPx + 24, topPx + heightPx + 48, parts));
