import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Child } from '../base/child.ts';
import { ControlClient } from '../base/control.ts';
import { runCommand } from './fixture/command.ts';
import { register as init } from './init.ts';
import { register as status } from './status.ts';

const launcher = join(import.meta.dirname, '..', '..', 'scripts', 'latchkey');

let home: string;
let configPath: string;
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'lk-run-'));
  configPath = join(home, 'config.json');
  const where = ['--config', configPath, '--data-dir', join(home, 'data'), '--web-port', '0'];
  const camera = ['--camera-source', `file:${join(home, 'missing.mp4')}`];
  const place = ['--region', 'US-IA', '--lat', '42.5', '--lon', '-92.4'];
  const made = await runCommand([init], ['init', '--yes', ...where, ...camera, ...place], { env: { HOME: home } });
  expect(made.status).toBe(0);
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function start(): { child: Child; lines: string[] } {
  const child = new Child({
    command: launcher,
    args: ['run', '--config', configPath],
    stdio: ['ignore', 'ignore', 'pipe'],
    graceMs: 30_000,
  });
  const lines: string[] = [];
  let rest = '';
  child.process.stderr?.on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
  });
  return { child, lines };
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 450; i++) {
    if (await condition()) return;
    await wait(100);
  }
  throw new Error('it never happened');
}

async function ownerAnswers(): Promise<boolean> {
  try {
    using client = await ControlClient.connect(join(home, 'data', 'run', 'owner.sock'));
    return (await client.call('health')) !== undefined;
  } catch {
    return false;
  }
}

describe('latchkey run', () => {
  it('starts every program, keeps a second one out, and stops them in order on SIGTERM', async () => {
    const { child: started, lines } = start();
    await using child = started;
    await until(ownerAnswers);
    const shown = await runCommand([status], ['status', '--config', configPath]);
    expect(shown.stdout).toContain('broker            not configured');

    const second = start();
    expect((await second.child.exited).status).toBe(4);
    expect(second.lines.join('\n')).toContain('(run/already-running)');

    // Only the supervisor gets the signal, as from systemd or a terminal's Ctrl-C to its group of one.
    process.kill(child.process.pid ?? 0, 'SIGTERM');
    expect((await child.exited).status).toBe(0);
    const stopped = lines.filter((line) => line.includes('"program-stopped"'));
    expect(stopped.map((line) => (JSON.parse(line) as { child: string }).child)).toEqual([
      'owner',
      'courier',
      'recorder-front',
    ]);
  });

  it('leaves no program behind and no lock when it is killed', async () => {
    const { child: first, lines } = start();
    await using child = first;
    await until(ownerAnswers);
    const started = lines.filter((line) => line.includes('"program-started"'));
    const pids = started.map((line) => (JSON.parse(line) as { pid: number }).pid);
    child.process.kill('SIGKILL');
    await child.exited;
    await until(() => pids.every((pid) => !alive(pid)));

    await using again = start().child;
    await until(ownerAnswers);
    expect(again.running).toBe(true);
  });
});

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
