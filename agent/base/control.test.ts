import { execFile } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ControlClient, ControlServer } from './control.ts';
import { AgentError } from './errors.ts';

let dir: string;
let path: string;
let server: ControlServer;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'lk-control-'));
  path = join(dir, 'run', 'x.sock');
  server = await ControlServer.listen(path, {
    double: (params) => ({ n: (params as { n: number }).n * 2 }),
    refuse: () => {
      throw new AgentError('refused', 'x/no', 'no', { detail: { why: 1 } });
    },
    crash: () => {
      throw new TypeError('boom');
    },
    later: async () => {
      await new Promise((resolve) => setTimeout(resolve, 30));
      return 'late';
    },
  });
});
afterEach(async () => {
  await server.close();
  rmSync(dir, { recursive: true, force: true });
});

it('closes a folder that was open to others, and refuses one of another user', async () => {
  const open = join(dir, 'open');
  mkdirSync(open);
  chmodSync(open, 0o777);
  const other = await ControlServer.listen(join(open, 'x.sock'), {});
  expect(statSync(open).mode & 0o777).toBe(0o700);
  await other.close();
  if (process.getuid?.() !== 0) return;
  chownSync(open, 65_534, 65_534);
  await expect(ControlServer.listen(join(open, 'x.sock'), {})).rejects.toMatchObject({ code: 'base/foreign-folder' });
});

it.skipIf(process.getuid?.() !== 0)(
  'does not talk to another user, whatever the file modes say (needs root)',
  async () => {
    chmodSync(dir, 0o755);
    chmodSync(join(dir, 'run'), 0o755);
    chmodSync(path, 0o777);
    const script = `const s = require('node:net').connect(process.argv[1], () => { process.stdout.write('up'); s.write('{"id":1,"method":"double","params":{"n":2}}\\n'); });
    s.on('data', (d) => { process.stdout.write(d); s.end(); }); s.on('error', () => {});`;
    const ask = (uid: number): Promise<string> =>
      new Promise((resolve) => {
        execFile(process.execPath, ['-e', script, path], { uid, timeout: 50_000 }, (_error, stdout) => resolve(stdout));
        setTimeout(() => resolve(''), 40_000).unref();
      });
    expect(await ask(65_534)).toBe('up');
    expect(await ask(0)).toContain('4');
    const mine = await ControlClient.connect(path);
    expect(await mine.call('double', { n: 2 })).toEqual({ n: 4 });
    mine.close();
  },
);

/** Sends raw text and returns the first line that comes back, or `closed`. */
function raw(text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = createConnection(path, () => socket.write(text));
    socket.setEncoding('utf8');
    socket.once('data', (data) => {
      socket.destroy();
      resolve(String(data));
    });
    socket.once('close', () => resolve('closed'));
    socket.on('error', () => resolve('closed'));
  });
}

describe('a control socket', () => {
  it('answers calls, also several at once and out of order, and is private', async () => {
    using client = await ControlClient.connect(path);
    const late = client.call('later');
    expect(await client.call('double', { n: 21 })).toEqual({ n: 42 });
    expect(await late).toBe('late');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(dir, 'run')).mode & 0o777).toBe(0o700);
  });

  it('carries errors by code, and hides what crashed', async () => {
    using client = await ControlClient.connect(path);
    await expect(client.call('refuse')).rejects.toMatchObject({ code: 'x/no', kind: 'refused', detail: { why: 1 } });
    await expect(client.call('crash')).rejects.toMatchObject({ code: 'base/unexpected', kind: 'bug' });
    for (const name of ['nothing', 'toString', '__proto__', 'constructor']) {
      await expect(client.call(name)).rejects.toMatchObject({ code: 'base/unknown-method' });
    }
  });

  it('survives garbage: not JSON, null, a line without end', async () => {
    expect(await raw('{oops\n')).toContain('base/bad-control-line');
    expect(await raw('null\n')).toContain('base/unknown-method');
    expect(await raw('x'.repeat(3 << 20))).toBe('closed');
    using client = await ControlClient.connect(path);
    expect(await client.call('double', { n: 1 })).toEqual({ n: 2 });
  });

  it('publishes events to whoever asked for them', async () => {
    using client = await ControlClient.connect(path);
    const seen: string[] = [];
    await client.subscribe(({ event, fields }) => seen.push(`${event} ${String(fields['a'])}`));
    server.publish('thing', { a: 1 });
    await client.call('double', { n: 1 });
    expect(seen).toEqual(['thing 1']);
  });

  it('is taken over from a killed program but not from a running one', async () => {
    await expect(ControlServer.listen(path, {})).rejects.toMatchObject({ code: 'base/already-running' });
    const stale = join(dir, 'run', 'stale.sock');
    writeFileSync(stale, '');
    await using second = await ControlServer.listen(stale, { ping: () => 'pong' });
    using client = await ControlClient.connect(stale);
    expect(await client.call('ping')).toBe('pong');
    void second;
  });

  it('says that a program is not running, before and during a call', async () => {
    await expect(ControlClient.connect(join(dir, 'none.sock'))).rejects.toMatchObject({
      code: 'base/program-not-running',
    });
    writeFileSync(join(dir, 'file'), '');
    await expect(ControlClient.connect(join(dir, 'file', 'none.sock'))).rejects.toMatchObject({
      code: 'base/control-failed',
    });
    await expect(ControlClient.connect(`/${'x'.repeat(120)}`)).rejects.toMatchObject({
      code: 'base/socket-path-too-long',
    });
    const client = await ControlClient.connect(path);
    const waiting = client.call('later');
    const ended = expect(waiting).rejects.toMatchObject({ code: 'base/program-not-running' });
    await server.close();
    await ended;
    await expect(client.call('double')).rejects.toMatchObject({ code: 'base/program-not-running' });
  });
});
