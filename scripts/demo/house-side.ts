/** The demo's house: set up by `latchkey init`, run by `latchkey run`, exactly as an owner would, on a recorded stream. */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Child } from '../../agent/base/child.ts';
import { ControlClient, type ControlEvent } from '../../agent/base/control.ts';
import { AgentError } from '../../agent/base/errors.ts';
import { ensurePrivateDir } from '../../agent/base/files.ts';
import { OwnerClient } from '../../agent/cli/owner-client.ts';
import type { BrokerFiles } from '../portal/broker.ts';
import type { Place } from './agency-side.ts';

const projectRoot = join(import.meta.dirname, '../..');
const entry = join(projectRoot, 'agent/main.ts');
const run = promisify(execFile);

export interface HouseSide extends AsyncDisposable {
  readonly configPath: string;
  readonly webUrl: string;
  readonly passphrase: string;
  readonly webPassword: string;
  readonly owner: OwnerClient;
  onRecorderEvent(listener: (event: ControlEvent) => void): Promise<void>;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

export async function startHouse(options: {
  readonly dir: string;
  readonly stream: string;
  readonly region: string;
  readonly place: Place;
  readonly broker: BrokerFiles;
}): Promise<HouseSide> {
  const { dir, place } = options;
  const at = (name: string): string => join(dir, name);
  const configPath = at('config.json');
  ensurePrivateDir(dir);
  const flags = {
    '--data-dir': at('data'),
    '--config': configPath,
    '--camera-id': 'front',
    '--camera-name': 'Front door',
    '--camera-source': `file:${options.stream}`,
    '--region': options.region,
    '--lat': String(place.latE6 / 1e6),
    '--lon': String(place.lonE6 / 1e6),
    '--passphrase-file': at('passphrase'),
    '--password-file': at('password'),
    '--recovery-out': at('paper-recovery-key.txt'),
  };
  await run(process.execPath, [entry, 'init', '--yes', ...Object.entries(flags).flat()]);
  const port = await freePort();
  const config = JSON.parse(readFileSync(configPath, 'utf8')) as Record<string, unknown>;
  // What a demo may and a house may not: a loopback agency, no waiting, and a system clock that is simply believed.
  Object.assign(config, {
    broker: options.broker.device,
    uploads: { allowPrivateAddresses: true },
    web: { host: '127.0.0.1', port },
    clock: 'trust-system',
    coolingOffMs: 0,
    releaseSpreadMs: 0,
  });
  const [camera] = config['cameras'] as Record<string, unknown>[];
  Object.assign(camera ?? {}, { source: { kind: 'file', path: options.stream, pace: 'realtime', loop: false } });
  writeFileSync(configPath, JSON.stringify(config));

  const supervisor = new Child({
    command: process.execPath,
    args: [entry, 'run', '--config', configPath],
    stdio: ['ignore', 'ignore', 'pipe'],
    graceMs: 15_000,
  });
  const stack = new AsyncDisposableStack();
  stack.defer(async () => void (await supervisor.stop()));
  try {
    const connect = (socket: string): Promise<ControlClient> =>
      connectWhenUp(join(at('data'), 'run', socket), supervisor);
    const owner = new OwnerClient(await connect('owner.sock'));
    stack.defer(() => owner.close());
    const recorder = await connect('recorder-front.sock');
    stack.defer(() => recorder.close());
    return {
      configPath,
      webUrl: `https://127.0.0.1:${port}/`,
      passphrase: readFileSync(at('passphrase'), 'utf8').trim(),
      webPassword: readFileSync(at('password'), 'utf8').trim(),
      owner,
      onRecorderEvent: (listener) => recorder.subscribe(listener),
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  } catch (thrown) {
    await stack.disposeAsync();
    throw thrown;
  }
}

async function connectWhenUp(path: string, supervisor: Child): Promise<ControlClient> {
  for (let tries = 0; tries < 600 && supervisor.running; tries += 1) {
    try {
      return await ControlClient.connect(path);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  const said = supervisor.lastLines.slice(-5).join('\n');
  throw new AgentError(
    'unavailable',
    'demo/not-started',
    `Cannot start the house: its programs did not come up\n${said}`,
  );
}
