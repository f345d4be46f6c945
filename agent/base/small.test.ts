import { describe, expect, it } from 'vitest';
import { eventually } from '../../test-fixtures/eventually.ts';
import { Child, scrubCredentials } from './child.ts';
import { ManualClock, systemClock } from './clock.ts';
import { AgentError } from './errors.ts';
import { createLog } from './log.ts';
import { Backoff } from './retry.ts';

describe('backoff', () => {
  it('doubles up to its bound, with jitter in the upper half, and starts anew', () => {
    const low = new Backoff({ firstMs: 100, maxMs: 1000, random: () => 0 });
    expect([1, 2, 3, 4, 5, 6].map(() => low.nextMs())).toEqual([50, 100, 200, 400, 500, 500]);
    low.reset();
    expect(low.nextMs()).toBe(50);
    const real = new Backoff({ firstMs: 100, maxMs: 1000 });
    for (let i = 0; i < 100; i += 1) expect(real.nextMs()).toBeLessThanOrEqual(1000);
  });
});

describe('clocks', () => {
  it('sleep, and stop sleeping when told to', async () => {
    const manual = new ManualClock(1000);
    let woke = false;
    const sleeping = manual.sleep(50).then(() => {
      woke = true;
    });
    await manual.advance(49);
    expect(woke).toBe(false);
    await manual.advance(1);
    await sleeping;
    manual.stepWall(-500);
    expect([manual.wallMs(), manual.monotonicMs()]).toEqual([550, 50]);
    for (const clock of [manual, systemClock]) {
      const abort = new AbortController();
      const waiting = clock.sleep(60_000, abort.signal);
      abort.abort(new Error('enough'));
      await expect(waiting).rejects.toThrow('enough');
      await expect(clock.sleep(1, abort.signal)).rejects.toThrow('enough');
    }
  });
});

describe('logs', () => {
  it('hold only allowed fields, and of an error only its code unless it is a bug', () => {
    const lines: string[] = [];
    const log = createLog('recorder', { write: (line) => lines.push(line) });
    log.info('started', { camera: 'front', ...({ passphrase: 'six words', url: 'rtsp://a:b@c' } as object) });
    log.error('failed', new AgentError('refused', 'x/y', 'place 37.7,-122.4'), { attempt: 2 });
    log.error('failed', new TypeError('undefined is not a function'));
    const text = lines.join('');
    for (const secret of ['six words', 'rtsp', '37.7']) expect(text).not.toContain(secret);
    const [first, second, third] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(first).toMatchObject({ event: 'started', program: 'recorder', camera: 'front' });
    expect(second).toMatchObject({ code: 'x/y', kind: 'refused', attempt: 2 });
    expect(third).toMatchObject({ code: 'base/unexpected', reason: 'undefined is not a function' });
  });
});

describe('a child process', () => {
  const shell = (script: string, graceMs = 300): Child =>
    new Child({
      command: 'sh',
      args: ['-c', script],
      stdio: ['ignore', 'ignore', 'pipe'],
      graceMs,
      secrets: ['hunter2'],
    });

  it('keeps its last lines with credentials masked, and an environment without ours', async () => {
    process.env['LATCHKEY_TEST_SECRET'] = 'visible';
    const child = shell(
      'echo "rtsp://user:pw@cam/x hunter2 [$LATCHKEY_TEST_SECRET]" >&2; for i in $(seq 200); do echo $i >&2; done; exit 3',
    );
    expect(await child.exited).toMatchObject({ status: 3, signal: null });
    delete process.env['LATCHKEY_TEST_SECRET'];
    expect(child.lastLines).toHaveLength(100);
    expect(child.lastLines.at(-1)).toBe('200');
    expect(scrubCredentials('rtsp://user:pw@cam/x hunter2', ['hunter2'])).toBe('rtsp://***@cam/x ***');
    const talk = shell('echo "rtsp://user:pw@cam/x hunter2 [$LATCHKEY_TEST_SECRET]" >&2');
    await talk.exited;
    expect(talk.lastLines).toEqual(['rtsp://***@cam/x *** []']);
  });

  it('is stopped with everything that it started, even if it will not listen', async () => {
    const stubborn = shell('trap "" TERM; echo deaf >&2; sleep 60 & wait; sleep 60');
    await eventually(() => expect(stubborn.lastLines).toEqual(['deaf']));
    expect(await stubborn.stop()).toMatchObject({ signal: 'SIGKILL' });
    expect(stubborn.running).toBe(false);
    expect(await stubborn.stop()).toMatchObject({ signal: 'SIGKILL' });
  });

  it('that does not exist says so instead of throwing', async () => {
    const child = new Child({ command: '/nonexistent', args: [], stdio: 'ignore' });
    expect((await child.exited).startError?.code).toBe('ENOENT');
  });
});
