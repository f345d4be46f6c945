// Asks the reference detector for the people the training labels miss: node label.ts DATA/person-train MODEL OUT.json
// Pictures that were squashed to squares are asked twice, as they are and stretched wide, because their true shape is lost.
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Found, openDetector, overlap, readPicture } from './detect.ts';

const FLOOR = 0.1;
const SQUASHED = new Set(['varied', 'lobby']);
const FOLDERS = [
  'varied',
  'lobby',
  'clinic',
  'street',
  'cctv/person',
  'cctv/empty',
  'empty-houses',
  'empty-pets',
].concat(['coco-train', 'coco-tiny-train2017', 'coco-tiny-val2017']);

const [root, model, out] = process.argv.slice(2);
if (!root || !model || !out) throw new Error('usage: node label.ts PERSON_TRAIN MODEL OUT.json');
const detector = await openDetector(model, 416);
const labels: Record<string, number[][]> = {};
for (const folder of FOLDERS) {
  for (const name of readdirSync(join(root, folder)).toSorted()) {
    const file = join(root, folder, name);
    const found = await detector.detect(await readPicture(file), FLOOR);
    if (SQUASHED.has(folder)) {
      for (const more of await detector.detect(await readPicture(file, { width: 416, height: 260 }), FLOOR))
        keepBest(found, more);
    }
    labels[`${folder}/${name}`] = found.map(({ box, score }) =>
      [box.x0, box.y0, box.x1, box.y1, score].map((v) => Math.round(v * 1e4) / 1e4),
    );
  }
  console.log(folder, Object.keys(labels).length);
}
writeFileSync(out, JSON.stringify(labels));

function keepBest(found: Found[], more: Found): void {
  const same = found.findIndex((one) => overlap(one.box, more.box) > 0.5);
  if (same < 0) found.push(more);
  else if ((found[same]?.score ?? 0) < more.score) found[same] = more;
}
