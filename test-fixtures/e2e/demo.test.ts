/** `npm run demo -- --yes --json`, unattended, as a newcomer runs it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');

it('the demo does the whole job by itself, says so in one object, and leaves nothing behind', {
  timeout: 180_000,
}, () => {
  const temporary = mkdtempSync(join(tmpdir(), 'lk-d-'));
  try {
    const run = spawnSync('npm', ['run', '--silent', 'demo', '--', '--yes', '--json'], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, TMPDIR: temporary },
    });
    expect([run.status, run.stderr.slice(-2000)]).toEqual([0, expect.any(String)]);
    const summary = JSON.parse(run.stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
    expect(Object.keys(summary)).toEqual([
      'personEvents',
      'clipSeconds',
      'requestState',
      'shareBytes',
      'verified',
      'seconds',
    ]);
    expect(summary).toMatchObject({ personEvents: 1, requestState: 'SHARED', verified: true });
    expect(summary['clipSeconds']).toBeGreaterThanOrEqual(14);
    expect(summary['shareBytes']).toBeGreaterThan(1 << 20);
    expect(readdirSync(temporary).filter((name) => name.startsWith('lkdemo-'))).toEqual([]);
    // Nothing of it runs on: every program had its folder in its command line.
    const running = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' });
    expect(running).not.toContain(temporary);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
});
