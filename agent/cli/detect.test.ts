// `latchkey detect` with the embedded model on pictures of the rendered porch, and on files that are no pictures.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encode } from '../../test-fixtures/cameras/captured.ts';
import { tinyModel } from '../../test-fixtures/tiny-model.ts';
import { yuvToRgb } from '../base/image.ts';
import { register } from './detect.ts';
import { type CommandResult, runCommand } from './fixture/command.ts';
import { findPictures, openPicture, toYuv } from './picture-file.ts';

const porch = fileURLToPath(new URL('../../test-fixtures/streams/porch-day.mp4', import.meta.url));
const truth = JSON.parse(readFileSync(porch.replace('.mp4', '.json'), 'utf8')) as {
  frames: { people: { box: [number, number, number, number] }[] }[];
};
/** The visitor stands before the door. */
const [left, top, right, bottom] = truth.frames[70]?.people[0]?.box ?? [0, 0, 0, 0];

let folder: string;
let visitor: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lk-detect-'));
  mkdirSync(join(folder, 'set', 'b'), { recursive: true });
  visitor = join(folder, 'set', 'visitor.png');
  encode(porch, visitor, ['-vf', 'select=eq(n\\,70)', '-frames:v', '1']);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const detect = (...args: readonly string[]): Promise<CommandResult> => runCommand([register], ['detect', ...args]);

interface Line {
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly (readonly [number, number, number, number, number])[];
  readonly error?: { readonly code: string; readonly message: string };
}
const lines = ({ stdout }: CommandResult): Line[] => stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as Line); // biome-ignore format: one step

function put(name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** Share of the union that the visitor's true box and the found one have in common. */
function overlap([x, y, w, h]: readonly number[], scale = 1): number {
  const [l, t, r, b] = [left * scale, top * scale, right * scale, bottom * scale];
  const [x0 = 0, y0 = 0, w0 = 0, h0 = 0] = [x, y, w, h];
  const shared =
    Math.max(0, Math.min(r, x0 + w0) - Math.max(l, x0)) * Math.max(0, Math.min(b, y0 + h0) - Math.max(t, y0));
  return shared / (w0 * h0 + (r - l) * (b - t) - shared);
}

describe('latchkey detect', () => {
  it('finds the visitor where the truth says, in pixels of the picture, whatever its format, size and turn', async () => {
    const jpg = join(folder, 'set', 'b', 'large.JPG');
    const [width, height] = [1921, 1081];
    // Stored on its side; the EXIF says how to hold it.
    await sharp(visitor)
      .resize(width, height, { fit: 'fill' })
      .rotate(90)
      .withMetadata({ orientation: 8 })
      .jpeg()
      .toFile(jpg);
    const webp = join(folder, 'set', 'a.webp');
    await sharp(visitor).webp({ quality: 90 }).toFile(webp);
    put('set/notes.txt', 'not called like a picture');
    symlinkSync(visitor, join(folder, 'set', 'link.png'));
    symlinkSync('..', join(folder, 'set', 'b', 'circle'));
    const drawn = join(folder, 'drawn');
    const result = await detect(join(folder, 'set'), '--json', '--draw', drawn);
    expect([result.status, result.stderr]).toEqual([0, expect.stringContaining('Drew into')]);
    const found = lines(result);
    expect(found.map(({ file }) => file)).toEqual([webp, jpg, visitor]);
    expect(found.map(({ width: w, height: h }) => [w, h])).toEqual([[640, 360], [1921, 1081], [640, 360]]); // biome-ignore format: sizes
    for (const { boxes, width: w } of found) {
      const best = boxes[0] ?? [0, 0, 0, 0, 0];
      expect(best[4]).toBeGreaterThan(0.4);
      expect(overlap(best, w / 640)).toBeGreaterThan(0.6);
      expect(boxes.every((box) => box[4] >= 0.03 && box.slice(0, 4).every(Number.isInteger))).toBe(true);
      expect(boxes.map((box) => box[4])).toEqual(boxes.map((box) => box[4]).toSorted((a, b) => b - a));
    }
    expect(readdirSync(drawn).toSorted()).toEqual(['a.webp.png', 'b_large.JPG.png', 'visitor.png.png']);
    const picture = await sharp(join(drawn, 'b_large.JPG.png')).metadata();
    expect([picture.width, picture.height]).toEqual([1280, 720]);
  });

  it('says it in words, and uses the model that it is given', async () => {
    const plain = await detect(visitor, visitor);
    expect(plain.status).toBe(0);
    expect(plain.stdout).toMatch(/visitor\.png \(640x360\): 1 person.*\n {2}0\.\d\d at \d+,\d+ \d+x\d+\n/);
    const { path, sha256 } = tinyModel();
    await sharp({ create: { width: 300, height: 200, channels: 3, background: '#fff' } }).png().toFile(join(folder, 'white.png')); // biome-ignore format: one picture
    const [bright] = lines(await detect(join(folder, 'white.png'), '--model', path, '--sha256', sha256, '--json'));
    expect(bright?.boxes.length).toBeGreaterThan(0);
    const [embedded] = lines(await detect(join(folder, 'white.png'), '--json'));
    expect(embedded?.boxes.filter((box) => box[4] >= 0.4)).toEqual([]);
  });

  it('looks at every kind of picture: grey, sixteen bits, transparent, one pixel', async () => {
    const grey = join(folder, 'grey.png');
    await sharp(visitor).greyscale().toColourspace('b-w').png().toFile(grey);
    const deep = join(folder, 'deep.png');
    await sharp(visitor).toColourspace('rgb16').png().toFile(deep);
    const clear = join(folder, 'clear.webp');
    await sharp(visitor).ensureAlpha(1).webp().toFile(clear);
    const dot = join(folder, 'dot.png');
    await sharp({ create: { width: 1, height: 1, channels: 3, background: '#fff' } })
      .png()
      .toFile(dot);
    const found = lines(await detect(grey, deep, clear, dot, '--json'));
    // In grey the embedded model is surer of the tree; the visitor is found all the same.
    expect(found[0]?.boxes.some((box) => overlap(box) > 0.5)).toBe(true);
    for (const { boxes } of found.slice(1, 3)) expect(overlap(boxes[0] ?? [])).toBeGreaterThan(0.6);
    expect(found[3]).toMatchObject({ width: 1, height: 1 });
    expect(found.every(({ error }) => error === undefined)).toBe(true);
  });
});

describe('a bad day', () => {
  it('costs the bad pictures a line with their code, and the others nothing', async () => {
    mkdirSync(join(folder, 'bad'));
    const png = readFileSync(visitor);
    const jpg = await sharp(visitor).jpeg().toBuffer();
    const bomb = Buffer.from(png);
    // The header promises 60000x60000 pixels.
    bomb.writeUInt32BE(60_000, 16);
    bomb.writeUInt32BE(60_000, 20);
    const huge = put('bad/6-huge.jpg', jpg);
    truncateSync(huge, 2 ** 40);
    const files = [
      [put('bad/1-empty.png', ''), 'detect/not-a-picture'],
      [put('bad/2-text.jpg', 'not a picture'), 'detect/not-a-picture'],
      [put('bad/3-cut.png', png.subarray(0, png.length / 2)), 'detect/damaged'],
      [put('bad/4-cut.jpg', jpg.subarray(0, jpg.length / 2)), 'detect/damaged'],
      [put('bad/5-header.jpg', jpg.subarray(0, 20)), 'detect/damaged'],
      [huge, 'base/too-large'],
      [put('bad/7-svg.png', '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'), 'detect/not-a-picture'],
      [put('bad/8-bomb.png', bomb), 'detect/'],
    ] as const;
    const good = put('bad/9-good.png', png);
    const result = await detect(join(folder, 'bad'), '--json');
    expect([result.status, result.stderr]).toEqual([
      6,
      expect.stringContaining('Cannot look at 8 of 9 pictures (detect/unreadable)'),
    ]);
    const found = lines(result);
    expect(found.map(({ file }) => file)).toEqual([...files.map(([file]) => file), good]);
    for (const [index, [file, code]] of files.entries()) expect([file, found[index]?.error?.code]).toEqual([file, expect.stringContaining(code)]); // biome-ignore format: one case a line
    expect(found.at(-1)?.boxes[0]?.[4]).toBeGreaterThan(0.4);
    const plain = await detect(files[1][0], good);
    expect([plain.status, plain.stderr]).toEqual([
      6,
      expect.stringContaining('2-text.jpg: Cannot read it: it is no JPEG'),
    ]);
    expect(plain.stdout).toContain('9-good.png');
  });

  it('draws what lies many folders deep under the end of its name', async () => {
    const deep = join(folder, 'deep-down', ...Array.from({ length: 30 }, (_, i) => `folder-${i}`));
    mkdirSync(deep, { recursive: true });
    writeFileSync(join(deep, 'été ☂.png'), readFileSync(visitor));
    const drawn = join(folder, 'drawn-deep');
    const result = await detect(join(folder, 'deep-down'), '--draw', drawn);
    expect([result.status, result.stdout]).toEqual([0, expect.stringContaining('été ☂.png (640x360): 1 person')]);
    expect(readdirSync(drawn)).toEqual([expect.stringMatching(/folder-29_été ☂\.png\.png$/)]);
  });

  it('refuses more pixels than anybody needs before decoding one', async () => {
    const wide = join(folder, 'wide.png');
    await sharp({ create: { width: 20_000, height: 6000, channels: 3, background: '#000' } }).png({ compressionLevel: 1 }).toFile(wide); // biome-ignore format: one picture
    const [line] = lines(await detect(wide, '--json'));
    expect(line?.error).toEqual({ code: 'detect/too-many-pixels', message: 'Cannot read it: 20000x6000 is more than 100000000 pixels' }); // biome-ignore format: one line
  });

  it('does not wait for a pipe', async () => {
    const pipe = join(folder, 'pipe.png');
    execFileSync('mkfifo', [pipe]);
    const [line] = lines(await detect(pipe, '--json'));
    expect(line?.error?.code).toBe('base/not-a-file');
  });

  it.each<[string, number, string, () => readonly string[]]>([
    ['no file', 2, "missing required argument 'file'", () => []],
    ['a file that is not there', 2, '(detect/missing)', () => [visitor, join(folder, 'none.png')]],
    ['a name that is too long', 5, '(detect/cannot-read)', () => ['x'.repeat(300)]],
    ['a folder without pictures', 2, '(detect/no-pictures)', () => {
      mkdirSync(join(folder, 'nothing'), { recursive: true });
      return [join(folder, 'nothing')];
    }],
    ['drawing over what is looked at', 2, '(detect/draw-over)', () => [visitor, '--draw', folder]],
    ['drawing into a file', 2, '(detect/cannot-draw)', () => [visitor, '--draw', put('file', '')]],
    ['a model without its SHA-256', 2, '(models/half-choice)', () => [visitor, '--model', 'm.onnx']],
    ['a model of another shape', 5, '(person/model-shape)', () => {
      const { path, sha256 } = tinyModel('wrong.onnx');
      return [visitor, '--model', path, '--sha256', sha256];
    }],
    ['a model that is none', 5, '(person/model-shape)', () => {
      const path = put('text.onnx', 'no model');
      return [visitor, '--model', path, '--sha256', createHash('sha256').update('no model').digest('hex')];
    }],
  ])('%s is answered in one line', async (_, exitStatus, message, args) => {
    const result = await detect(...args());
    expect(result.stderr).toContain(message);
    expect([result.status, result.stdout]).toEqual([exitStatus, '']);
  }); // biome-ignore format: one case a line
});

describe('pictures', () => {
  it('are a bounded list, and one that vanished meanwhile is told apart from a damaged one', async () => {
    expect(() => findPictures([visitor, visitor], 1)).toThrow(expect.objectContaining({ code: 'detect/too-many' }));
    const gone = openPicture(join(folder, 'gone.png'));
    await expect(gone).rejects.toThrow(expect.objectContaining({ code: 'detect/gone', kind: 'refused' }));
  });
});

describe('toYuv', () => {
  it('is undone by the conversion that thumbnails use, within what halved colour costs', () => {
    const [widthPx, heightPx] = [16, 16];
    const rgb = new Uint8Array(widthPx * heightPx * 3);
    const colours = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [0, 0, 0], [120, 200, 40]]; // biome-ignore format: colours
    for (const colour of colours) {
      for (let at = 0; at < rgb.length; at += 3) rgb.set(colour, at);
      const back = yuvToRgb({ widthPx, heightPx, yuv: toYuv(rgb, widthPx, heightPx, 3) });
      for (let channel = 0; channel < 3; channel++) {
        expect(Math.abs((back[channel] ?? 999) - (colour[channel] ?? 0))).toBeLessThanOrEqual(3);
      }
    }
  });
});
