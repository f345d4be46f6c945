/** `latchkey detect`: the person model on single pictures, each looked at as a whole. */
import { mkdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { AgentError, systemCode } from '../base/errors.ts';
import { PersonDetector } from '../recorder/person/detector.ts';
import { probeModel } from '../recorder/person/probe.ts';
import type { Detection } from '../recorder/stages.ts';
import { writeDrawing } from './drawing.ts';
import { type CliIo, note, say } from './io.ts';
import { chosenModel, type ModelOption, withModelOption } from './model-choice.ts';
import { findPictures, type OpenedPicture, openPicture, type PictureFile } from './picture-file.ts';
import { example } from './program-line.ts';
import { withStopSignals } from './stop-signals.ts';
import { clean } from './terminal-text.ts';

interface DetectOption extends ModelOption {
  readonly draw?: string;
  readonly json?: boolean;
}

/** Everything that could be of use to whoever measures; what counts as a person is a matter of the threshold. */
const minScore = 0.03;
const shownScore = 0.4;

type PictureBox = readonly [x: number, y: number, w: number, h: number, score: number];

interface Looked {
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly PictureBox[];
}

/** From the small frame to whole pixels of the picture, none outside it. */
function toPicture({ box, score }: Detection, { scale, widthPx, heightPx }: OpenedPicture): PictureBox {
  const x = Math.min(widthPx - 1, Math.round(box.x * scale.x));
  const y = Math.min(heightPx - 1, Math.round(box.y * scale.y));
  const right = Math.min(widthPx, Math.round((box.x + box.w) * scale.x));
  const bottom = Math.min(heightPx, Math.round((box.y + box.h) * scale.y));
  return [x, y, Math.max(1, right - x), Math.max(1, bottom - y), Math.round(score * 1e4) / 1e4];
}

function lookedText({ file, width, height, boxes }: Looked): string {
  const shown = boxes.filter(([, , , , score]) => score >= shownScore);
  const each = shown.map(([x, y, w, h, score]) => `  ${score.toFixed(2)} at ${x},${y} ${w}x${h}`);
  const unsure = boxes.length - shown.length;
  const count = `${shown.length} ${shown.length === 1 ? 'person' : 'people'}`;
  const more = unsure > 0 ? `, ${unsure} unsure below ${shownScore}` : '';
  return [`${clean(file)} (${width}x${height}): ${count}${more}`, ...each].join('\n');
}

function checkDrawFolder(folder: string, pictures: readonly PictureFile[]): void {
  const within = pictures.find(({ path }) => !relative(folder, resolve(path)).startsWith('..'));
  if (within !== undefined) {
    const message = `Cannot draw into ${folder}: pictures to look at lie in it, and could be written over`;
    throw new AgentError('usage', 'detect/draw-over', message);
  }
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (thrown) {
    const why = systemCode(thrown) ?? 'failed';
    throw new AgentError('usage', 'detect/cannot-draw', `Cannot draw into ${folder}: ${why}`, { cause: thrown });
  }
}

/** `garden/dusk.jpg` becomes `garden_dusk.jpg.png`; a second one of that name gets a number. */
function drawNames(): (name: string) => string {
  const taken = new Set<string>();
  return (name) => {
    const stem = ending(name.replaceAll(/[/\\]/g, '_'));
    let free = `${stem}.png`;
    for (let n = 2; taken.has(free); n++) free = `${stem}-${n}.png`;
    taken.add(free);
    return free;
  };
}

/** A name from many folders deep is longer than a file's may be (255 bytes). */
function ending(name: string): string {
  const characters = Array.from(name);
  while (Buffer.byteLength(characters.join('')) > 200) characters.shift();
  return characters.join('');
}

async function draw(path: string, picture: OpenedPicture, found: readonly Detection[]): Promise<void> {
  const { drawDetections } = await import('./detect-picture.ts');
  writeDrawing(path, await drawDetections(picture.frame, found, shownScore));
}

async function detect(paths: readonly string[], option: DetectOption, io: CliIo): Promise<void> {
  const pictures = findPictures(paths);
  const drawFolder = option.draw === undefined ? undefined : resolve(option.draw);
  if (drawFolder !== undefined) checkDrawFolder(drawFolder, pictures);
  const model = chosenModel(option);
  await probeModel({ model });
  await using detector = await PersonDetector.open({ model, minScore });
  const drawName = drawNames();
  let unreadableCount = 0;
  await withStopSignals(io, async (signal) => {
    for (const { path, name } of pictures) {
      if (signal.aborted) break;
      let picture: OpenedPicture;
      try {
        picture = await openPicture(path);
      } catch (thrown) {
        if (!(thrown instanceof AgentError)) throw thrown;
        const { code, message } = thrown;
        unreadableCount += 1;
        if (option.json === true) say(io, JSON.stringify({ file: path, error: { code, message } }));
        else note(io, `${clean(path)}: ${message} (${code})`);
        continue;
      }
      const found = await detector.detect(picture.frame, []);
      const boxes = found.map((detection) => toPicture(detection, picture));
      const looked: Looked = { file: path, width: picture.widthPx, height: picture.heightPx, boxes };
      say(io, option.json === true ? JSON.stringify(looked) : lookedText(looked));
      if (drawFolder !== undefined) await draw(join(drawFolder, drawName(name)), picture, found);
    }
  });
  if (drawFolder !== undefined) note(io, `Drew into ${drawFolder}.`);
  if (unreadableCount > 0) {
    const message = `Cannot look at ${unreadableCount} of ${pictures.length} pictures`;
    throw new AgentError('corrupt', 'detect/unreadable', message, { detail: { count: unreadableCount } });
  }
}

export function register(program: Command, io: CliIo): void {
  const command = program
    .command('detect <file...>')
    .description('look for people in pictures (jpg, png, webp), or in all pictures of a folder')
    .option('--draw <folder>', 'write each picture with its boxes')
    .option('--json', `print one JSON line a picture, with every box down to score ${minScore}`)
    .addHelpText(
      'after',
      example(
        'latchkey detect porch.jpg',
        'latchkey detect pictures/ --json --draw drawn/',
        'latchkey detect porch.jpg --model yolox_nano.onnx --sha256 0123…',
      ),
    );
  withModelOption(command).action((paths: string[], option: DetectOption) => detect(paths, option, io));
}
