import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually } from '../../test-fixtures/eventually.ts';
import { makeNewFolder, requireNew, writeNewFile } from './new-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lk-new-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const fail = (code: string) => expect.objectContaining({ code });
const words = (text: string) => async (work: string) => {
  writeFileSync(join(work, 'made'), text);
  return join(work, 'made');
};

test('a new file is there whole, for this user alone, with nothing beside it', async () => {
  await writeNewFile(join(folder, 'a.mp4'), words('footage'));
  expect(readFileSync(join(folder, 'a.mp4'), 'utf8')).toBe('footage');
  expect(statSync(join(folder, 'a.mp4')).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(['a.mp4']);
});

test('what is there stays: a file, a folder, a link to nowhere, and what another program left unfinished', async () => {
  writeFileSync(join(folder, 'a.mp4.part'), 'theirs');
  await writeNewFile(join(folder, 'a.mp4'), words('footage'));
  expect(readFileSync(join(folder, 'a.mp4.part'), 'utf8')).toBe('theirs');

  writeFileSync(join(folder, 'file'), 'theirs');
  mkdirSync(join(folder, 'dir'));
  symlinkSync(join(folder, 'elsewhere'), join(folder, 'link'));
  for (const name of ['file', 'dir', 'link']) {
    const path = join(folder, name);
    expect(() => requireNew(path)).toThrow(fail('clips/file-exists'));
    await expect(writeNewFile(path, words('ours'))).rejects.toThrow(fail('clips/file-exists'));
    expect(() => makeNewFolder(path)).toThrow(fail('clips/file-exists'));
  }
  expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('theirs');
  expect(existsSync(join(folder, 'elsewhere'))).toBe(false);
});

test('a failure leaves nothing, and a place that cannot be written to is said in words', async () => {
  const broken = writeNewFile(join(folder, 'a.mp4'), async (work) => {
    writeFileSync(join(work, 'half'), 'footage');
    throw new Error('no');
  });
  await expect(broken).rejects.toThrow('no');
  expect(readdirSync(folder)).toEqual([]);

  writeFileSync(join(folder, 'file'), '');
  const bad = { nowhere: join(folder, 'no', 'a.mp4'), inside: join(folder, 'file', 'a.mp4'), long: join(folder, 'n'.repeat(300)) }; // biome-ignore format: a list
  for (const path of Object.values(bad)) {
    expect(() => makeNewFolder(path)).toThrow(fail('clips/cannot-write'));
    await expect(writeNewFile(path, words('ours'))).rejects.toThrow(fail('clips/cannot-write'));
  }
  expect(() => requireNew(bad.long)).toThrow('its name is too long');
  expect(() => makeNewFolder(bad.nowhere)).toThrow('there is no such folder to put it in');
});

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  '%s in the middle leaves nothing, and ends the program',
  async (signal) => {
    const path = join(folder, 'a.mp4');
    const program = `import { writeFileSync } from 'node:fs';
    import { writeNewFile } from ${JSON.stringify(join(import.meta.dirname, 'new-file.ts'))};
    await writeNewFile(${JSON.stringify(path)}, async (work) => {
      writeFileSync(work + '/half', 'footage');
      await new Promise((resolve) => setTimeout(resolve, 600_000));
    });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'ignore' });
    const ended = once(child, 'exit');
    await eventually(() => expect(readdirSync(folder, { recursive: true })).toHaveLength(3));
    child.kill(signal);
    expect(await ended).toEqual([null, signal]);
    expect(readdirSync(folder)).toEqual([]);
  },
);
