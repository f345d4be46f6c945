// `latchkey keys` and `latchkey recover` as a person runs them, on a house with clips.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestHouse, testPassphrase } from '../../test-fixtures/house.ts';
import { generateIdentity } from '../protocol/age-file.ts';
import { passphraseProblem } from '../vault/passphrase.ts';
import { readVaultFile } from '../vault/vault-file.ts';
import { register as clips } from './clips.ts';
import { withDataLock } from './data-lock.ts';
import { type CommandResult, runCommand } from './fixture/command.ts';
import { register as keys } from './keys.ts';
import { register as recover } from './recover.ts';

let house: TestHouse;
let clipId: string;
beforeEach(async () => {
  house = await TestHouse.make();
  clipId = house.addClip({ startMs: Date.parse('2026-11-01T12:00:00Z') });
  const cameras = [{ id: 'front', name: 'Front', source: { kind: 'file', path: 'x' } }];
  file('config.json', JSON.stringify({ dataDir: '.', cameras, regions: ['US-CA'] }));
  file('paper.txt', `# paper\n${house.recoveryIdentity}\n`);
  file('passphrase', `${testPassphrase}\n`);
});
afterEach(() => house[Symbol.dispose]());

function file(name: string, text: string): string {
  const path = join(house.dataDir, name);
  writeFileSync(path, text);
  return path;
}
const at = (name: string): string => join(house.dataDir, name);
const latchkey = (...line: readonly string[]): Promise<CommandResult> =>
  runCommand([keys, recover, clips], [...line, '--config', at('config.json')]);

/** Only `latchkey clips sealed`, stock age and the paper. */
async function playFromPaper(paperPath: string): Promise<number> {
  const folder = at(`sealed-${readdirSync(house.dataDir).length}`);
  expect(await latchkey('clips', 'sealed', clipId, '--out-dir', folder)).toMatchObject({ status: 0 });
  const names = readdirSync(folder)
    .filter((name) => name.startsWith('segment'))
    .toSorted();
  const video = Buffer.concat(names.map((name) => execFileSync('age', ['-d', '-i', paperPath, join(folder, name)])));
  const args = ['-v', 'error', '-f', 'mp4', '-i', 'pipe:0', '-map', '0:v', '-c', 'copy', '-f', 'framecrc', '-'];
  const listed = execFileSync('ffmpeg', args, { input: video, encoding: 'utf8' });
  return listed.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
}

describe('latchkey keys rotate', () => {
  it('makes a new owner and a new paper, and says what that means', async () => {
    const pictures = await playFromPaper(at('paper.txt'));
    expect(pictures).toBeGreaterThan(100);
    const newPaper = at('new-paper.txt');
    const rotated = await latchkey(
      'keys',
      'rotate',
      '--passphrase-file',
      at('passphrase'),
      '--new-paper-out',
      newPaper,
    );
    expect([rotated.status, rotated.stderr]).toEqual([0, '']);
    expect(rotated.stdout).toContain('4 stored keys now open with the new ones; no footage was rewritten');
    expect(rotated.stdout).toContain('The old key opens nothing on this device any more. Copies made before');
    expect(rotated.stdout).toContain('destroy the old paper');
    expect(await playFromPaper(newPaper)).toBe(pictures);
    await expect(playFromPaper(at('paper.txt'))).rejects.toThrow('no identity matched');
  });

  it('needs the passphrase, a new file, and nothing running', async () => {
    const wrong = await latchkey('keys', 'rotate', '--passphrase-file', file('wrong', 'not this one'));
    expect([wrong.status, wrong.stderr]).toEqual([5, expect.stringContaining('(vault/wrong-passphrase)')]);
    const there = ['--passphrase-file', at('passphrase'), '--new-paper-out', at('paper.txt')];
    expect((await latchkey('keys', 'rotate', ...there)).stderr).toContain('(init/recovery-exists)');
    await withDataLock(house.dataDir, async () => {
      const running = await latchkey('keys', 'rotate', '--passphrase-file', at('passphrase'));
      expect([running.status, running.stderr]).toEqual([4, expect.stringContaining('(run/already-running)')]);
    });
  });
});

describe('latchkey recover', () => {
  it('enrols anew with the paper; the clip still opens with the paper and stock age alone', async () => {
    const pictures = await playFromPaper(at('paper.txt'));
    const out = at('new-passphrase');
    const done = await latchkey('recover', '--paper-key', at('paper.txt'), '--passphrase-out', out);
    expect([done.status, done.stderr]).toEqual([0, '']);
    expect(done.stdout).toContain('pin their root with "latchkey agencies add-root"');
    const passphrase = readFileSync(out, 'utf8').trim();
    expect(passphraseProblem(passphrase)).toBeUndefined();
    await readVaultFile(house.dataDir, passphrase);
    expect(await playFromPaper(at('paper.txt'))).toBe(pictures);
  });

  it('shows the new passphrase once where no file was named, and never as JSON', async () => {
    const done = await latchkey('recover', '--paper-key', at('paper.txt'), '--json');
    expect(done.status).toBe(0);
    const words = /NEW PASSPHRASE.*\n\n {4}([a-z ]+)\n/.exec(done.stderr)?.[1] ?? '';
    expect(passphraseProblem(words)).toBeUndefined();
    expect(done.stdout).not.toContain(words.split(' ')[0]);
    expect(JSON.parse(done.stdout)).toMatchObject({ rewrappedCount: 4, revokedPairingCount: 0 });
  });

  it('wants a paper key that is one, and no file that is there already', async () => {
    for (const path of [at('none'), file('empty', 'nothing')]) {
      const result = await latchkey('recover', '--paper-key', path);
      expect([result.status, result.stderr]).toEqual([2, expect.stringContaining('(recover/no-key)')]);
    }
    const there = await latchkey('recover', '--paper-key', at('paper.txt'), '--passphrase-out', at('passphrase'));
    expect([there.status, there.stderr]).toEqual([2, expect.stringContaining('(recover/passphrase-exists)')]);
    expect(existsSync(at('owner/vault.age'))).toBe(true);
  });

  it('changes nothing where the new passphrase cannot be written, and writes none where nothing was changed', async () => {
    const vault = readFileSync(at('owner/vault.age'));
    const nowhere = await latchkey('recover', '--paper-key', at('paper.txt'), '--passphrase-out', at('none/new'));
    expect([nowhere.status, nowhere.stderr]).toEqual([2, expect.stringContaining('(init/cannot-write)')]);
    const other = file('other-paper', `${generateIdentity().identity}\n`);
    const wrong = await latchkey('recover', '--paper-key', other, '--passphrase-out', at('never'));
    expect([wrong.status, wrong.stderr]).toEqual([5, expect.stringContaining('(vault/wrong-paper-key)')]);
    expect(existsSync(at('never'))).toBe(false);
    expect(readFileSync(at('owner/vault.age')).equals(vault)).toBe(true);
  });
});
