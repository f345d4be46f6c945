import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { issueLeaf, makeAuthority } from '../../agent/base/certificates.ts';
import { Child } from '../../agent/base/child.ts';

/**
 * A real Mosquitto on a free loopback port, in a folder of the test's own. With `tls` it has a certificate of a house
 * authority, a shared read-only credential for devices and a writer for agencies, as `portal broker` sets it up.
 */
export interface MosquittoFixture {
  readonly url: string;
  readonly port: number;
  readonly caFile: string | undefined;
  /** For TLS brokers: `device` may only read, `agency` may write; passwords stand in `<name>.password`. */
  readonly passwordFile: (name: 'device' | 'agency') => string;
  stop(): Promise<void>;
  /** Starts it again on the same port, with nothing retained. */
  start(): Promise<void>;
}

export async function startMosquitto(options: { dir: string; tls?: boolean }): Promise<MosquittoFixture> {
  const { dir, tls = false } = options;
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const port = await freePort();
  const lines = [
    `listener ${port} 127.0.0.1`,
    'persistence false',
    'log_dest stderr',
    'set_tcp_nodelay true',
    `user ${userInfo().username}`,
  ];
  if (tls) lines.push(...(await writeTls(dir)), ...writeAccess(dir));
  else lines.push('allow_anonymous true');
  const configPath = join(dir, 'mosquitto.conf');
  writeFileSync(configPath, `${lines.join('\n')}\n`);
  let child: Child | undefined;
  const fixture: MosquittoFixture = {
    url: `${tls ? 'mqtts' : 'mqtt'}://127.0.0.1:${port}`,
    port,
    caFile: tls ? join(dir, 'ca.pem') : undefined,
    passwordFile: (name) => join(dir, `${name}.password`),
    async stop() {
      await child?.stop();
      child = undefined;
    },
    async start() {
      child = new Child({
        command: '/usr/sbin/mosquitto',
        args: ['-c', configPath],
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      for (let tries = 0; tries < 200 && child.running; tries++) {
        if (await answers(port)) return;
        await delay(25);
      }
      throw new Error(`mosquitto did not start: ${child.lastLines.join(' | ')}`);
    },
  };
  await fixture.start();
  return fixture;
}

async function writeTls(dir: string): Promise<string[]> {
  const authority = await makeAuthority({
    name: 'Test broker authority',
    permittedDnsNames: ['localhost'],
    permittedIpRanges: ['127.0.0.0/8'],
    validDays: 2,
  });
  const leaf = await issueLeaf({ authority, names: ['localhost'], addresses: ['127.0.0.1'], validDays: 1 });
  const files = { 'ca.pem': authority.certificatePem, 'leaf.pem': leaf.certificatePem, 'leaf.key': leaf.keyPem };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text, { mode: 0o600 });
  return [`certfile ${join(dir, 'leaf.pem')}`, `keyfile ${join(dir, 'leaf.key')}`, 'tls_version tlsv1.3'];
}

function writeAccess(dir: string): string[] {
  const passwords = join(dir, 'passwords');
  for (const name of ['device', 'agency']) {
    writeFileSync(join(dir, `${name}.password`), `${name}-secret\n`, { mode: 0o600 });
  }
  writeFileSync(passwords, 'device:device-secret\nagency:agency-secret\n');
  chmodSync(passwords, 0o600);
  const hashed = spawnSync('mosquitto_passwd', ['-U', passwords]);
  if (hashed.status !== 0) throw new Error(`mosquitto_passwd failed: ${hashed.stderr?.toString()}`);
  const access = join(dir, 'access');
  writeFileSync(access, 'user device\ntopic read latchkey/1/#\n\nuser agency\ntopic readwrite latchkey/1/#\n', {
    mode: 0o600,
  });
  return ['allow_anonymous false', `password_file ${passwords}`, `acl_file ${access}`];
}

/** A port that was free a moment ago. Mosquitto can't say which one it took for 0. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
