/** Many devices on one broker: starts both, has documents published, and says when each device had them. */
import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import mqtt from 'mqtt';
import { Child } from '../../../agent/base/child.ts';
import { freePort, makeBroker } from '../../portal/broker.ts';
import type { DeviceOrder, DeviceReport } from './orders.ts';

const devicesPerProcess = 2500;
const filter = 'latchkey/1/US-CA/#';
/** A fleet that takes longer than this to connect, or a document to arrive, is given up. */
const patienceMs = 120_000;

export interface Message {
  readonly topic: string;
  readonly payload: Uint8Array;
}

export interface Delivery {
  /** From just before the first PUBLISH to the last message at each device. */
  readonly msByDevice: readonly number[];
  readonly missingCount: number;
  readonly brokerCpuMs: number;
}

/** How many devices the limits on open files allow; the broker holds a descriptor for each. */
export function mostDevices(): number {
  const hard = Number(spawnSync('sh', ['-c', 'ulimit -Hn']).stdout.toString().trim());
  return Number.isFinite(hard) ? Math.max(0, hard - 200) : Number.POSITIVE_INFINITY;
}

export class Fleet implements AsyncDisposable {
  readonly deviceCount: number;
  readonly connectMs: number;
  readonly failedCount: number;
  readonly #broker: Child;
  readonly #processes: readonly ChildProcess[];
  readonly #publisher: mqtt.MqttClient;

  private constructor(parts: {
    deviceCount: number;
    connectMs: number;
    failedCount: number;
    broker: Child;
    processes: readonly ChildProcess[];
    publisher: mqtt.MqttClient;
  }) {
    this.deviceCount = parts.deviceCount;
    this.connectMs = parts.connectMs;
    this.failedCount = parts.failedCount;
    this.#broker = parts.broker;
    this.#processes = parts.processes;
    this.#publisher = parts.publisher;
  }

  static async start(options: { dir: string; deviceCount: number; tls: boolean }): Promise<Fleet> {
    const { dir, deviceCount, tls } = options;
    const { configPath, port, url, secure } = await configure(dir, tls);
    const mosquitto = existsSync('/usr/sbin/mosquitto') ? '/usr/sbin/mosquitto' : 'mosquitto';
    const raised = 'ulimit -n "$(ulimit -Hn)"; exec "$1" -c "$2"';
    const broker = new Child({
      command: 'sh',
      args: ['-c', raised, 'sh', mosquitto, configPath],
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const processes: ChildProcess[] = [];
    try {
      const publisher = await publishTo(url, secure);
      const startMs = performance.now();
      const count = Math.ceil(deviceCount / devicesPerProcess);
      const connecting = Array.from({ length: count }, (_, i) => {
        const child = fork(join(import.meta.dirname, 'devices.ts'));
        processes.push(child);
        const own = Math.floor((deviceCount * (i + 1)) / count) - Math.floor((deviceCount * i) / count);
        const login =
          secure === undefined ? {} : { ca: secure.ca, login: { name: 'device', password: secure.password } };
        return ask(child, { kind: 'connect', count: own, port, filter, ...login }, 'connected');
      });
      const connected = await Promise.all(connecting);
      const failedCount = connected.reduce((sum, report) => sum + report.failedCount, 0);
      const connectMs = performance.now() - startMs;
      return new Fleet({ deviceCount, connectMs, failedCount, broker, processes, publisher });
    } catch (thrown) {
      for (const child of processes) child.kill('SIGKILL');
      await broker.stop();
      throw thrown;
    }
  }

  /** Resident memory of the broker, bytes. */
  brokerMemoryBytes(): number {
    const status = readFileSync(`/proc/${this.#broker.process.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
  }

  /** The same at its highest so far. */
  brokerPeakBytes(): number {
    const status = readFileSync(`/proc/${this.#broker.process.pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
  }

  async deliver(messages: readonly Message[]): Promise<Delivery> {
    await Promise.all(
      this.#processes.map((child) => ask(child, { kind: 'expect', messageCount: messages.length }, 'ready')),
    );
    const arriving = Promise.all(this.#processes.map((child) => reply(child, 'arrived').catch(() => undefined)));
    const cpuBefore = this.#brokerCpuMs();
    const startNs = Number(process.hrtime.bigint());
    const properties = { messageExpiryInterval: 3600 };
    await Promise.all(
      messages.map(({ topic, payload }) =>
        this.#publisher.publishAsync(topic, Buffer.from(payload), { qos: 1, retain: true, properties }),
      ),
    );
    const arrived = await arriving;
    const msByDevice = arrived.flatMap((report) => (report?.atNs ?? []).map((atNs) => (atNs - startNs) / 1e6));
    return {
      msByDevice,
      missingCount: this.deviceCount - this.failedCount - msByDevice.length,
      brokerCpuMs: this.#brokerCpuMs() - cpuBefore,
    };
  }

  /** Bytes that devices sent after their SUBSCRIBE other than pings, and connections lost. */
  async count(): Promise<{ readonly answerBytes: number; readonly lostCount: number }> {
    const counted = await Promise.all(this.#processes.map((child) => ask(child, { kind: 'count' }, 'counted')));
    return {
      answerBytes: counted.reduce((sum, report) => sum + report.answerBytes, 0),
      lostCount: counted.reduce((sum, report) => sum + report.lostCount, 0),
    };
  }

  /** proc_pid_stat(5), fields 14 and 15, in ticks of 10 ms. */
  #brokerCpuMs(): number {
    const fields =
      readFileSync(`/proc/${this.#broker.process.pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#publisher.endAsync(true);
    for (const child of this.#processes) child.send({ kind: 'close' } satisfies DeviceOrder);
    await Promise.all(
      this.#processes.map(
        (child) => new Promise((resolve) => (child.exitCode === null ? child.once('exit', resolve) : resolve(0))),
      ),
    );
    await this.#broker.stop();
  }
}

interface Secure {
  readonly ca: string;
  readonly password: string;
  readonly agencyPassword: string;
}

async function configure(
  dir: string,
  tls: boolean,
): Promise<{ configPath: string; port: number; url: string; secure: Secure | undefined }> {
  if (tls) {
    const made = await makeBroker({ dir, port: 0 });
    const read = (path: string): string => readFileSync(path, 'utf8').trim();
    const secure = {
      ca: read(made.caFile),
      password: read(made.device.passwordFile ?? ''),
      agencyPassword: read(made.agency.passwordFile ?? ''),
    };
    return { configPath: made.configPath, port: Number(new URL(made.url).port), url: made.url, secure };
  }
  mkdirSync(dir, { recursive: true });
  const port = await freePort();
  const configPath = join(dir, 'mosquitto.conf');
  const lines = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'persistence false',
    'set_tcp_nodelay true',
    'connection_messages false',
    'log_dest none',
    `user ${userInfo().username}`,
  ];
  writeFileSync(configPath, `${lines.join('\n')}\n`);
  return { configPath, port, url: `mqtt://127.0.0.1:${port}`, secure: undefined };
}

async function publishTo(url: string, secure: Secure | undefined): Promise<mqtt.MqttClient> {
  const login = secure === undefined ? {} : { ca: secure.ca, username: 'agency', password: secure.agencyPassword };
  for (let tries = 0; ; tries += 1) {
    try {
      return await mqtt.connectAsync(url, { protocolVersion: 5, reconnectPeriod: 0, ...login }, false);
    } catch (thrown) {
      if (tries >= 100) throw thrown;
      await delay(50);
    }
  }
}

function ask<K extends DeviceReport['kind']>(
  child: ChildProcess,
  order: DeviceOrder,
  kind: K,
): Promise<DeviceReport & { readonly kind: K }> {
  const answer = reply(child, kind);
  child.send(order);
  return answer;
}

function reply<K extends DeviceReport['kind']>(
  child: ChildProcess,
  kind: K,
): Promise<DeviceReport & { readonly kind: K }> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => settle(new Error(`devices do not answer: ${kind}`)), patienceMs);
    const onMessage = (report: DeviceReport): void => {
      if (report.kind === kind) settle(report as DeviceReport & { readonly kind: K });
    };
    const onExit = (): void => settle(new Error('a process with devices ended'));
    const settle = (result: Error | (DeviceReport & { readonly kind: K })): void => {
      clearTimeout(timer);
      child.off('message', onMessage);
      child.off('exit', onExit);
      if (result instanceof Error) reject(result);
      else resolve(result);
    };
    child.on('message', onMessage);
    child.once('exit', onExit);
  });
}
