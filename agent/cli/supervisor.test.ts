import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Child } from '../base/child.ts';
import { type Clock, systemClock } from '../base/clock.ts';
import { AgentError } from '../base/errors.ts';
import { createLog } from '../base/log.ts';
import { loadConfig } from '../config/loader.ts';
import { withDataLock } from './data-lock.ts';
import { makeInstallation } from './fixture/installation.ts';
import { programSpecs } from './run.ts';
import { type ProgramSpec, Supervisor } from './supervisor.ts';

const script = join(import.meta.dirname, 'fixture', 'program.sh');
const mainPath = join(import.meta.dirname, '..', 'main.ts');

let folder: string;
let notes: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lk-supervisor-'));
  notes = join(folder, 'notes');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function spec(name: string, behaviour: string, stopRank = 0): ProgramSpec {
  return { name, args: [script, name, behaviour, notes], stopRank };
}

function noted(): string[] {
  return existsSync(notes) ? readFileSync(notes, 'utf8').trim().split('\n') : [];
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 1800 && !condition(); i++) await wait(25);
  expect(condition()).toBe(true);
}

function supervise(programs: readonly ProgramSpec[], clock: Clock = systemClock) {
  const controller = new AbortController();
  const lines: string[] = [];
  const own: string[] = [];
  const supervisor = new Supervisor({
    programs,
    command: '/bin/sh',
    env: {},
    signal: controller.signal,
    clock,
    log: createLog('supervisor', { write: (line) => own.push(line) }),
    passLine: (line) => lines.push(line),
    firstWaitMs: 40,
    maxWaitMs: 200,
    graceMs: 300,
  });
  const logged = (): Record<string, unknown>[] => own.map((line) => JSON.parse(line) as Record<string, unknown>);
  return { supervisor, stop: () => controller.abort(), lines, logged, running: supervisor.run() };
}

describe('the supervisor', () => {
  it('stops programs rank by rank, each before the next', async () => {
    const { stop, running, lines } = supervise([
      spec('recorder-a', 'run', 2),
      spec('recorder-b', 'run', 2),
      spec('courier', 'run', 1),
      spec('owner', 'run', 0),
    ]);
    await until(() => lines.length === 4);
    stop();
    await running;
    const stops = noted().filter((line) => line.startsWith('stop'));
    expect(stops.slice(0, 2)).toEqual(['stop owner', 'stop courier']);
    expect(stops.slice(2).toSorted()).toEqual(['stop recorder-a', 'stop recorder-b']);
    expect(lines).toContain('{"program":"owner","event":"ready"}');
  });

  it('starts a crashed program again, after growing jittered waits, and lets the others be', async () => {
    const { stop, running, logged, lines } = supervise([spec('owner', 'run'), spec('courier', 'crash', 1)]);
    await until(() => noted().filter((line) => line === 'start courier').length >= 4 && lines.length === 1);
    stop();
    await running;
    expect(noted().filter((line) => line === 'start owner').length).toBe(1);
    const ended = logged().filter((line) => line['event'] === 'program-ended');
    expect(ended[0]).toMatchObject({ child: 'courier', exitStatus: 9 });
    const waits = ended.map((line) => Number(line['waitMs']));
    expect(waits[0]).toBeLessThanOrEqual(40);
    expect(waits[2]).toBeGreaterThanOrEqual(80);
    // What is no log line is put into one.
    expect(logged()).toContainEqual(
      expect.objectContaining({ event: 'output', child: 'courier', line: 'segmentation fault, as it were' }),
    );
  });

  it('counts an end without an error as a failure too', async () => {
    const { stop, running } = supervise([spec('courier', 'end')]);
    await until(() => noted().length >= 3);
    stop();
    await running;
  });

  it('gives up a program whose configuration is wrong, and ends when there is no other', async () => {
    const { running, logged } = supervise([spec('courier', 'config'), spec('owner', 'config')]);
    await expect(running).rejects.toThrow(expect.objectContaining({ code: 'run/nothing-runs', exitStatus: 3 }));
    expect(noted().toSorted()).toEqual(['start courier', 'start owner']);
    expect(logged().filter((line) => line['event'] === 'program-given-up').length).toBe(2);
  });

  it('kills what does not stop in its time', async () => {
    const { stop, running, logged } = supervise([spec('owner', 'stubborn')]);
    await until(() => noted().length === 1);
    stop();
    await running;
    expect(logged().some((line) => line['event'] === 'program-stopped')).toBe(true);
  });

  it('kills everything at once on demand', async () => {
    const { supervisor, stop, running } = supervise([spec('owner', 'stubborn'), spec('courier', 'run', 1)]);
    await until(() => noted().length === 2);
    stop();
    supervisor.killAll();
    await running;
    expect(noted()).not.toContain('stop courier');
  });

  it('says when a program cannot be started at all, and goes on trying', async () => {
    const controller = new AbortController();
    const own: string[] = [];
    const log = createLog('supervisor', { write: (line) => own.push(line) });
    const options = { programs: [spec('owner', 'run')], env: {}, signal: controller.signal, clock: systemClock, log };
    const running = new Supervisor({ ...options, command: '/nonexistent', passLine: () => {}, firstWaitMs: 10 }).run();
    await until(() => own.some((line) => line.includes('cannot be started (ENOENT)')));
    controller.abort();
    await running;
  });
});

describe('the programs that run starts', () => {
  it('are every camera, courier and owner, stopped owner first and recorders last', async () => {
    await using place = makeInstallation();
    const specs = programSpecs(loadConfig(place.configPath), place.configPath, mainPath);
    expect(specs.toSorted((a, b) => a.stopRank - b.stopRank).map(({ name }) => name)).toEqual([
      'owner',
      'courier',
      'recorder-front',
    ]);
    for (const { args } of specs) expect(args).toContain('--supervised');
  });

  it('stop by themselves when their supervisor is gone', async () => {
    await using place = makeInstallation();
    const args = [mainPath, 'program', 'courier', '--config', place.configPath, '--supervised'];
    await using courier = new Child({ command: process.execPath, args, stdio: ['pipe', 'ignore', 'pipe'] });
    await wait(1500);
    expect(courier.running).toBe(true);
    courier.process.stdin?.end();
    expect((await courier.exited).status).toBe(0);
  });
});

describe('the data-directory lock', () => {
  const code = (thrown: unknown): string => (thrown instanceof AgentError ? thrown.code : String(thrown));

  it('is held by one, freed at the end, and not by an error', async () => {
    await withDataLock(folder, async () => {
      expect(await withDataLock(folder, async () => 'second').catch(code)).toBe('run/already-running');
    });
    await expect(withDataLock(folder, () => Promise.reject(new Error('inside')))).rejects.toThrow('inside');
    expect(await withDataLock(folder, async () => 'again')).toBe('again');
  });

  it('refuses a folder that cannot be used', async () => {
    writeFileSync(join(folder, 'file'), '');
    expect(await withDataLock(join(folder, 'file'), async () => '').catch(code)).toBe('run/no-data-dir');
  });
});
