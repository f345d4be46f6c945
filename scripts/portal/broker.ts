import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { issueLeaf, makeAuthority } from '../../agent/base/certificates.ts';
import { Child } from '../../agent/base/child.ts';
import { AgentError } from '../../agent/base/errors.ts';
import { ensurePrivateDir, writeFileDurable } from '../../agent/base/files.ts';
import { parseFile } from './key-files.ts';
import type { PublishTarget } from './publish.ts';

/**
 * A Mosquitto configuration for a region: TLS 1.3 with its own authority, one credential that all devices share and that
 * can only read, one that agencies write with, and no log of who connects.
 */
export interface BrokerFiles {
  readonly configPath: string;
  readonly url: string;
  readonly caFile: string;
  /** For `broker` in a device's configuration. */
  readonly device: PublishTarget;
  /** For `publishRequest` and its like. */
  readonly agency: PublishTarget;
}

export interface BrokerOptions {
  readonly dir: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Address to listen on; 127.0.0.1 unless given. */
  readonly bind?: string;
  /** Names and addresses under which devices reach it; the first one stands in the printed URL. */
  readonly names?: readonly string[];
}

export async function makeBroker(options: BrokerOptions): Promise<BrokerFiles> {
  const dir = resolve(options.dir);
  const configPath = join(dir, 'mosquitto.conf');
  if (existsSync(configPath)) {
    throw new AgentError('usage', 'portal/exists', `Cannot write ${configPath}: there is already a broker`);
  }
  ensurePrivateDir(dir);
  ensurePrivateDir(join(dir, 'retained'));
  const bind = options.bind ?? '127.0.0.1';
  const port = options.port === 0 ? await freePort() : options.port;
  const names = options.names ?? ['127.0.0.1', 'localhost'];
  const write = (name: string, text: string): string => {
    writeFileDurable(join(dir, name), text);
    return join(dir, name);
  };
  const { caFile, lines: tlsLines } = await writeCertificates(names, write);
  const credentials = ['device', 'agency'].map((username) => {
    const password = randomBytes(18).toString('base64url');
    return { username, password, passwordFile: write(`${username}.password`, `${password}\n`) };
  });
  const lines = [
    `listener ${port} ${bind}`,
    ...tlsLines,
    'allow_anonymous false',
    `password_file ${write('passwords', credentials.map(passwordLine).join(''))}`,
    `acl_file ${write('access', 'user device\ntopic read latchkey/1/#\n\nuser agency\ntopic write latchkey/1/#\n')}`,
    'persistence true',
    `persistence_location ${join(dir, 'retained')}/`,
    'max_packet_size 51200',
    'set_tcp_nodelay true',
    'connection_messages false',
    'log_dest stderr',
    'log_type error',
    'log_type warning',
    `user ${userInfo().username}`,
  ];
  write('mosquitto.conf', `${lines.join('\n')}\n`);
  const url = `mqtts://${names[0]?.includes(':') ? `[${names[0]}]` : names[0]}:${port}`;
  const target = (username: string): PublishTarget => {
    return { url, caFile, username, passwordFile: join(dir, `${username}.password`) };
  };
  const files = { configPath, url, caFile, device: target('device'), agency: target('agency') };
  write('broker.json', `${JSON.stringify(files)}\n`);
  return files;
}

const targetSchema = z.strictObject({
  url: z.string(),
  caFile: z.string(),
  username: z.string(),
  passwordFile: z.string(),
});
const filesSchema = z.strictObject({
  configPath: z.string(),
  url: z.string(),
  caFile: z.string(),
  device: targetSchema,
  agency: targetSchema,
});

/** What `makeBroker` left in the folder, or undefined. */
export function readBroker(dir: string): BrokerFiles | undefined {
  const path = join(resolve(dir), 'broker.json');
  return existsSync(path) ? parseFile(path, filesSchema) : undefined;
}

async function writeCertificates(
  all: readonly string[],
  write: (name: string, text: string) => string,
): Promise<{ caFile: string; lines: string[] }> {
  const addresses = all.filter((name) => /^[\d.]+$|:/.test(name));
  const names = all.filter((name) => !addresses.includes(name));
  const authority = await makeAuthority({
    name: 'Latchkey broker authority',
    permittedDnsNames: names,
    permittedIpRanges: addresses.map((address) => `${address}/${address.includes(':') ? 128 : 32}`),
    validDays: 3650,
  });
  const leaf = await issueLeaf({ authority, names, addresses, validDays: 825 });
  const caFile = write('ca.pem', authority.certificatePem);
  write('ca.key', authority.keyPem);
  const certificate = write('leaf.pem', leaf.certificatePem);
  return {
    caFile,
    lines: [`certfile ${certificate}`, `keyfile ${write('leaf.key', leaf.keyPem)}`, 'tls_version tlsv1.3'],
  };
}

/** A line of Mosquitto's password file: PBKDF2-SHA-512. The passwords are random, so that few rounds are enough. */
function passwordLine({ username, password }: { username: string; password: string }): string {
  const salt = randomBytes(12);
  const rounds = 101;
  const hash = pbkdf2Sync(password, salt, rounds, 64, 'sha512');
  return `${username}:$7$${rounds}$${salt.toString('base64')}$${hash.toString('base64')}\n`;
}

/** Runs Mosquitto with a made configuration. Resolves once it listens; `stop` ends it. */
export async function runBroker(options: {
  readonly configPath: string;
  readonly url: string;
}): Promise<{ readonly exited: Promise<unknown>; stop(): Promise<void> }> {
  const installed = '/usr/sbin/mosquitto';
  const command = existsSync(installed) ? installed : 'mosquitto';
  const child = new Child({ command, args: ['-c', options.configPath], stdio: ['ignore', 'ignore', 'pipe'] });
  const { hostname, port } = new URL(options.url);
  for (let tries = 0; tries < 200 && child.running; tries++) {
    if (await listens(hostname.replace(/^\[|\]$/g, ''), Number(port))) {
      return { exited: child.exited, stop: async () => void (await child.stop()) };
    }
    await delay(25);
  }
  const { startError } = child.running ? { startError: undefined } : await child.exited;
  await child.stop();
  const why =
    startError === undefined ? child.lastLines.slice(-3).join(' | ') : 'install it with "apt install mosquitto"';
  throw new AgentError('unavailable', 'portal/broker-not-started', `Cannot start Mosquitto: ${why}`);
}

function listens(host: string, port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect({ host, port });
    socket.once('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', () => done(false));
  });
}

/** A port that was free a moment ago: Mosquitto can't say which one it took for 0. */
export function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
