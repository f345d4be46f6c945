// `latchkey watch` with the embedded model and real ffmpeg on the rendered porch, and on what is no stream.
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encode } from '../../test-fixtures/cameras/captured.ts';
import { RtspCamera } from '../../test-fixtures/cameras/rtsp-camera.ts';
import { type CommandResult, runCommand } from './fixture/command.ts';
import { register } from './watch.ts';

const porch = fileURLToPath(new URL('../../test-fixtures/streams/porch-day.mp4', import.meta.url));
const truth = JSON.parse(readFileSync(porch.replace('.mp4', '.json'), 'utf8')) as {
  frames: { i: number; people: { box: [number, number, number, number] }[] }[];
};
const visible = truth.frames.filter(({ people }) => people.length > 0).map(({ i }) => i);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lk-watch-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const watch = (...args: readonly string[]): Promise<CommandResult> => runCommand([register], ['watch', ...args]);
const lines = ({ stdout }: CommandResult) => stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>); // biome-ignore format: one step

describe('latchkey watch', () => {
  it('finds the visitor of the rendered porch, tells what it cost, and draws it', async () => {
    const drawn = join(folder, 'porch.png');
    const result = await watch(porch, '--json', '--draw', drawn);
    expect([result.status, result.stderr]).toEqual([0, expect.stringContaining('Wrote')]);
    const [event, summary, ...more] = lines(result);
    expect(more).toEqual([]);
    expect(event).toMatchObject({ kind: 'person' });
    const { firstFrame, lastFrame, firstMs, lastMs, score, box } = event as Record<string, number> & { box: number[] };
    expect(Math.abs((firstFrame ?? 0) - (visible[0] ?? 0))).toBeLessThanOrEqual(5);
    expect(Math.abs((lastFrame ?? 0) - (visible.at(-1) ?? 0))).toBeLessThanOrEqual(5);
    // Ten pictures a second, evenly.
    expect([firstMs, lastMs]).toEqual([(firstFrame ?? 0) * 100, (lastFrame ?? 0) * 100]);
    expect(score).toBeGreaterThan(0.5);
    expect(box).toHaveLength(4);
    expect(summary).toMatchObject({ sourceFrames: 200, frames: 100, durationMs: 20_000, events: 1, personEvents: 1, failedLooks: 0, skippedLooks: 0 }); // biome-ignore format: one line
    expect(summary?.['cpuSeconds']).toBeGreaterThan(0.1);
    // The three processes together: a recorder of 10 MB or of 2 GB would be a mistake of the meter.
    expect(summary?.['peakMemoryBytes']).toBeGreaterThan(50e6);
    expect(summary?.['peakMemoryBytes']).toBeLessThan(2e9);
    const picture = await sharp(drawn).metadata();
    expect([picture.format, (picture.height ?? 0) > 300]).toEqual(['png', true]);
    const { data } = await sharp(drawn).raw().toBuffer({ resolveWithObject: true });
    let greenCount = 0;
    for (let at = 0; at < data.length; at += 3) if (data[at] === 0x35 && data[at + 1] === 0xd0 && data[at + 2] === 0x7f) greenCount += 1; // biome-ignore format: one scan
    expect(greenCount).toBeGreaterThan(200);
    expect(readdirSync(folder)).toEqual(['porch.png']);
  });

  it('says the same for people, and reports motion where that is asked for', async () => {
    const plain = await watch(porch);
    expect(plain.stdout).toMatch(/^person {2}3\.\d s to 17\.\d s {2}\(frames 3\d-17\d, box .*, score 0\.\d\d\)\n1 event \(1 with people\) in 20\.0 s/); // biome-ignore format: one line
    const motion = lines(await watch(porch, '--mode', 'motion', '--model', 'off', '--json'));
    expect(motion[0]).toMatchObject({ kind: 'motion', score: 0 });
    expect(motion.at(-1)).toMatchObject({ looks: 0, personEvents: 0, motionEvents: motion.length - 1 });
    // The visitor walks in the middle; what moves in the upper left corner is nobody's business.
    const corner = ['--zone', '0,0 0.1,0 0.1,0.1 0,0.1', '--mode', 'motion', '--model', 'off', '--json'];
    const drawn = join(folder, 'none.png');
    expect(lines(await watch(porch, ...corner, '--draw', drawn))).toEqual([expect.objectContaining({ events: 0 })]);
    expect((await sharp(drawn).metadata()).format).toBe('png');
  });

  it('takes the settings of a configured camera, and its source where none is named', async () => {
    const camera = {
      id: 'front',
      name: 'Front',
      source: { kind: 'file', path: porch, loop: true },
      detect: { fps: 2 },
    };
    const config = join(folder, 'config.json');
    writeFileSync(config, JSON.stringify({ dataDir: 'data', cameras: [camera], regions: ['US-CA'] }));
    const configured = await watch('--camera', 'front', '--config', config, '--json');
    expect(lines(configured).at(-1)).toMatchObject({ frames: 40, personEvents: 1 });
    const overridden = await watch(porch, '--config', config, '--fps', '1', '--size', '320x180', '--threshold', '0.99', '--json'); // biome-ignore format: one line
    expect(lines(overridden)).toEqual([expect.objectContaining({ frames: 20, events: 0 })]);
    // Its privacy masks hold for its own address also where that is typed: nothing under them is seen or drawn.
    const privacyMasks = [[[0, 0], [1, 0], [1, 1], [0, 1]]]; // biome-ignore format: the whole picture
    const masked = join(folder, 'masked.json');
    const cameras = [{ ...camera, privacyMasks }];
    writeFileSync(masked, JSON.stringify({ dataDir: 'data', cameras, regions: ['US-CA'] }));
    const typed = await watch(porch, '--camera', 'front', '--config', masked, '--mode', 'motion', '--model', 'off', '--json'); // biome-ignore format: one line
    expect(lines(typed)).toEqual([expect.objectContaining({ events: 0 })]);
    const unknown = await watch('--camera', 'attic', '--config', config);
    expect([unknown.status, unknown.stderr]).toEqual([3, expect.stringContaining('(watch/unknown-camera)')]);
  });

  it('watches a camera for as long as it is told, and tells a wrong password apart', async () => {
    const short = join(folder, 'gop1.mp4');
    encode(porch, short, ['-t', '8', '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '10']);
    await using camera = await RtspCamera.start({ file: short, user: 'owner', password: 'correct horse' });
    const password = join(folder, 'password');
    writeFileSync(password, 'correct horse\n');
    const login = ['--username', 'owner', '--password-file', password, '--model', 'off'];
    const some = await watch(camera.url, ...login, '--for', '3', '--json');
    expect([some.status, some.stderr]).toEqual([0, '']);
    expect(lines(some).at(-1)?.['sourceFrames']).toBeGreaterThan(3);
    writeFileSync(password, 'wrong horse\n');
    const refused = await watch(camera.url, ...login, '--json');
    expect([refused.status, refused.stdout]).toEqual([5, '']);
    expect(refused.stderr).toContain('(capture/unauthorised)');
    expect(refused.stderr).not.toContain('horse');
  });
});

describe('a bad day', () => {
  const put = (name: string, bytes: Uint8Array | string): string => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };
  const huge = (): string => {
    const path = put('huge.mp4', readFileSync(porch).subarray(0, 4096));
    truncateSync(path, 2 ** 40);
    return path;
  };
  const folderLikeAFilm = (): string => {
    mkdirSync(join(folder, 'folder.mp4'), { recursive: true });
    return join(folder, 'folder.mp4');
  };
  it.each<[string, number, string, () => readonly string[]]>([
    ['no source', 2, '(watch/no-source)', () => []],
    ['a file that is not there', 4, '(capture/source-missing)', () => [join(folder, 'none.mp4')]],
    ['a name that is too long', 4, '(capture/source-missing)', () => ['x'.repeat(300)]],
    ['a stop before the model is ready', 4, '(watch/stopped)', () => [porch, '--for', '0.001']],
    ['a folder', 4, '(capture/source-missing)', () => [folderLikeAFilm()]],
    ['an empty file', 6, '(capture/bad-stream)', () => [put('empty.mp4', '')]],
    ['a text', 6, '(capture/bad-stream)', () => [put('text.mp4', 'this is no film\n'.repeat(1000))]],
    ['a file cut off before its pictures', 6, '(capture/bad-stream)', () => [put('cut.mp4', readFileSync(porch).subarray(0, 2000))]],
    ['a terabyte of nothing', 6, '(capture/bad-stream)', () => [huge()]],
    ['credentials in the address', 3, 'expected no user name or password inside the address', () => ['rtsp://joe:hunter2@10.0.0.9/s']],
    ['an address that is not RTSP', 3, 'expected an address such as rtsp://', () => ['https://10.0.0.9/s']],
    ['a sensitivity that is none', 3, 'motion.sensitivity: expected a number from 0 to 1', () => [porch, '--sensitivity', 'high']],
    ['a post-roll that is none', 3, 'clip.postRollMs: expected a whole number of milliseconds', () => [porch, '--post-roll', '-1']],
    ['a mode that is none', 3, 'clip.mode: expected one of', () => [porch, '--mode', 'cat']],
    ['a zone that is none', 2, '(init/bad-answer)', () => [porch, '--zone', '1,2,3']],
    ['a size that is none', 2, '(watch/bad-size)', () => [porch, '--size', 'large']],
    ['a limit that is none', 2, '(watch/bad-limit)', () => [porch, '--for', 'ever']],
    ['a drawing into a folder', 2, '(cli/cannot-draw)', () => [porch, '--draw', folder]],
    ['a drawing into nowhere', 2, '(cli/cannot-draw)', () => [porch, '--draw', join(folder, 'none', 'x.png')]],
    ['a model without its SHA-256', 2, '(models/half-choice)', () => [porch, '--model', 'm.onnx']],
    ['a model whose SHA-256 is too short', 2, '(models/bad-sha256)', () => [porch, '--model', 'm.onnx', '--sha256', 'abc']],
    ['a model that is not there', 4, '(person/model-missing)', () => [porch, '--model', join(folder, 'm.onnx'), '--sha256', '0'.repeat(64)]],
    ['another model than was named', 5, '(person/model-hash)', () => [porch, '--model', put('m2.onnx', 'x'), '--sha256', '0'.repeat(64)]],
  ])('%s is answered in one line', async (_, exitStatus, message, args) => {
    const result = await watch(...args());
    expect(result.stderr).toContain(message);
    expect(result.stderr).not.toContain('hunter2');
    expect(result.status).toBe(exitStatus);
    expect(result.stdout).toBe('');
  }); // biome-ignore format: one case a line

  it('a file cut off in mid-picture is watched as far as it goes', async () => {
    const fragmented = join(folder, 'fragmented.mp4');
    encode(porch, fragmented, ['-c:v', 'copy', '-movflags', '+frag_keyframe+empty_moov']);
    const cut = join(folder, 'cut-late.mp4');
    copyFileSync(fragmented, cut);
    truncateSync(cut, Math.floor(readFileSync(fragmented).length * 0.6));
    const summary = lines(await watch(cut, '--json', '--model', 'off')).at(-1);
    expect(summary?.['sourceFrames']).toBeGreaterThan(20);
    expect(summary?.['sourceFrames']).toBeLessThan(200);
  });
});
