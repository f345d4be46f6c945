/** The commands of the portal's README for trying it out, run by a shell as they stand there, but for the ports. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { freePort } from './broker.ts';

it('an empty folder becomes an agency with two desks, a broker and an intake', async () => {
  const readme = readFileSync(join(import.meta.dirname, 'README.md'), 'utf8');
  let commands = /## Trying it out[^`]*(?:`[^`\n]+`[^`]*)*?```sh\n([\s\S]+?)```/.exec(readme)?.[1] ?? '';
  expect(commands.match(/^portal /gm)).toHaveLength(12);
  for (const port of ['8883', '8884', '8885', '8886']) commands = commands.replaceAll(port, String(await freePort()));
  // Whoever types has waited for the broker.
  commands = commands.replace(
    '--run &\n',
    '--run &\nuntil [ -e broker/agency.password ]; do sleep 0.2; done; sleep 2\n',
  );
  const folder = mkdtempSync(join(tmpdir(), 'portal-trial-'));
  const script = join(folder, 'try.sh');
  const portal = `portal() { ${process.execPath} ${join(import.meta.dirname, 'main.ts')} "$@"; }`;
  writeFileSync(script, `set -e\n${portal}\n${commands}\nwait\n`);
  // A group of its own, so that all that it started ends with it.
  const shell = spawn('bash', [script], { cwd: folder, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [shell.stdout, shell.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  try {
    const consoles = (): string[] => [...said.matchAll(/console is at (\S+);/g)].map(([, url = '']) => url);
    await vi.waitFor(() => expect(consoles()).toHaveLength(2), {
      timeout: 120_000,
      interval: 200,
    });
    expect(said).toContain('latchkey/1/US-CA/ag/west-city-pd');
    expect(said).not.toMatch(/Cannot|error:/);
    const status = await new Promise((resolve, reject) => {
      get(`${consoles()[0]}login`, (response) => resolve(response.resume().statusCode)).on('error', reject);
    });
    expect(status).toBe(200);
  } finally {
    if (shell.pid !== undefined) process.kill(-shell.pid, 'SIGTERM');
    await new Promise((resolve) => shell.once('close', resolve));
    rmSync(folder, { recursive: true, force: true });
  }
});
