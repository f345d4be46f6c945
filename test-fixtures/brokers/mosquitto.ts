import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { freePort, makeBroker, runBroker } from '../../scripts/portal/broker.ts';

/**
 * A real Mosquitto on a free loopback port, in a folder of the test's own. With `tls` it is what `portal broker` sets up:
 * a certificate of its own authority, `device` that may only read and `agency` that may write. Without, anybody may do
 * everything, and nothing is kept over a restart.
 */
export interface MosquittoFixture {
  readonly url: string;
  readonly port: number;
  readonly caFile: string | undefined;
  readonly passwordFile: (name: 'device' | 'agency') => string;
  readonly password: (name: 'device' | 'agency') => string;
  stop(): Promise<void>;
  /** Starts it again on the same port. */
  start(): Promise<void>;
}

export async function startMosquitto(options: { dir: string; tls?: boolean }): Promise<MosquittoFixture> {
  const { dir, tls = false } = options;
  const files = tls ? await makeBroker({ dir, port: 0 }) : await writePlain(dir);
  let running: { stop(): Promise<void> } | undefined;
  const passwordFile = (name: string): string => join(dir, `${name}.password`);
  const fixture: MosquittoFixture = {
    url: files.url,
    port: Number(new URL(files.url).port),
    caFile: tls ? join(dir, 'ca.pem') : undefined,
    passwordFile,
    password: (name) => readFileSync(passwordFile(name), 'utf8').trim(),
    async stop() {
      await running?.stop();
      running = undefined;
    },
    async start() {
      running = await runBroker(files);
    },
  };
  await fixture.start();
  return fixture;
}

async function writePlain(dir: string): Promise<{ configPath: string; url: string }> {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const port = await freePort();
  const configPath = join(dir, 'mosquitto.conf');
  const lines = [
    `listener ${port} 127.0.0.1`,
    'persistence false',
    'log_dest stderr',
    'set_tcp_nodelay true',
    'allow_anonymous true',
    `user ${userInfo().username}`,
  ];
  writeFileSync(configPath, `${lines.join('\n')}\n`);
  return { configPath, url: `mqtt://127.0.0.1:${port}` };
}
