// The addon's door: what it says when the addon is not there, and what a process can take away from itself.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createConnection, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { loadAddon, nativeAddon, peerUid } from './native.ts';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'latchkey-native-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a module in a child and returns what it printed as JSON. The module sees `native` and `report`. */
async function inChild(body: string, args: readonly string[] = []): Promise<unknown> {
  const source = `
    import * as native from ${JSON.stringify(join(import.meta.dirname, 'native.ts'))};
    const report = (value) => process.stdout.write(JSON.stringify(value));
    ${body}`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', source, '--', ...args], {
    timeout: 20_000,
  });
  return JSON.parse(stdout);
}

describe('loading', () => {
  it('loads once', () => {
    expect(nativeAddon()).toBe(nativeAddon());
  });

  it('says to run the set-up when the addon was not built', () => {
    expect(() => loadAddon([join(folder, 'latchkey.node')])).toThrow(
      expect.objectContaining({
        code: 'base/addon-missing',
        kind: 'unavailable',
        message: expect.stringContaining('npm run setup'),
      }),
    );
  });

  it('says to build it again when it does not load', () => {
    const path = join(folder, 'broken.node');
    writeFileSync(path, 'not a library');
    expect(() => loadAddon([path])).toThrow(
      expect.objectContaining({ code: 'base/addon-broken', kind: 'unavailable' }),
    );
  });
});

describe('denyNetwork', () => {
  it('takes the network from the process, its workers and its children, and Unix sockets, which lead to it', async () => {
    const tcp = await listen({ port: 0, host: '127.0.0.1' });
    const path = join(folder, 'local.sock');
    const unix = await listen({ path });
    try {
      const { port } = tcp.address() as AddressInfo;
      const tried = await inChild(
        `
        import { connect } from 'node:net';
        import { spawnSync } from 'node:child_process';
        import { Worker } from 'node:worker_threads';
        import { once } from 'node:events';
        const [port, path] = process.argv.slice(1);
        const attempt = (to) => new Promise((resolve) => {
          const socket = connect(to, () => { socket.destroy(); resolve('connected'); });
          socket.on('error', (error) => resolve(error.code));
        });
        const before = await attempt({ port, host: '127.0.0.1' });
        native.denyNetwork();
        const worker = new Worker(\`
          const { connect } = require('node:net'); const { parentPort } = require('node:worker_threads');
          connect(\${port}, '127.0.0.1').on('error', (e) => parentPort.postMessage(e.code))
            .on('connect', () => parentPort.postMessage('connected'));\`, { eval: true, execArgv: [] });
        const [inWorker] = await once(worker, 'message');
        await worker.terminate();
        const child = spawnSync(process.execPath, ['-e', \`require('node:net').connect(\${port}, '127.0.0.1')
          .on('error', (e) => process.stdout.write(e.code)).on('connect', () => process.exit())\`]);
        report({
          before,
          tcp: await attempt({ port, host: '127.0.0.1' }),
          unix: await attempt({ path }),
          inWorker,
          inChild: String(child.stdout),
        });`,
        [String(port), path],
      );
      expect(tried).toEqual({
        before: 'connected',
        tcp: 'EACCES',
        unix: 'EACCES',
        inWorker: 'EACCES',
        inChild: 'EACCES',
      });
    } finally {
      tcp.close();
      unix.close();
    }
  });
});

describe('the process protects itself', () => {
  it('ends with its parent, and notices a parent that is already gone', async () => {
    expect(
      await inChild(`
        native.setParentDeathSignal();
        try { native.setParentDeathSignal(4194304); } catch (error) { report(error.toReport()); }`),
    ).toMatchObject({ code: 'base/sandbox-failed', kind: 'unavailable', detail: { errno: 'ESRCH' } });
  });

  it('hides its memory from other programs of the user', async () => {
    const script = `
      import { statSync } from 'node:fs';
      const owner = () => statSync('/proc/self/mem').uid;
      native.setNotDumpable();
      report({ owner: owner() });`;
    // The kernel gives such a process's entries to root.
    expect(await inChild(script)).toEqual({ owner: 0 });
  });
});

describe('peerUid', () => {
  it('names the user at the other end of a Unix socket, from either end', async () => {
    const path = join(folder, 'peer.sock');
    const server = await listen({ path });
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const client = createConnection(path);
    try {
      const [there] = await accepted;
      expect(peerUid(there)).toBe(process.getuid?.());
      expect(peerUid(client)).toBe(process.getuid?.());
      there.destroy();
      expect(() => peerUid(there)).toThrow(expect.objectContaining({ code: 'base/peer-unknown', kind: 'refused' }));
    } finally {
      client.destroy();
      server.close();
    }
  });

  it('refuses what is no connected Unix socket', async () => {
    const server = await listen({ port: 0, host: '127.0.0.1' });
    const client = createConnection((server.address() as AddressInfo).port, '127.0.0.1');
    try {
      await once(client, 'connect');
      expect(() => peerUid(client)).toThrow(expect.objectContaining({ code: 'base/peer-unknown' }));
      expect(() => peerUid(-1)).toThrow(expect.objectContaining({ code: 'base/peer-unknown' }));
      expect(() => peerUid(9999)).toThrow(expect.objectContaining({ code: 'base/peer-unknown' }));
    } finally {
      client.destroy();
      server.close();
    }
  });
});

async function listen(where: { path: string } | { port: number; host: string }): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => socket.destroy()).resume());
  server.listen(where);
  await once(server, 'listening');
  return server;
}
