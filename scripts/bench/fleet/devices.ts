/**
 * A process with many devices in it: each a socket that connects, subscribes to its region, and then only reads. Told what
 * to do by the bench over Node's channel, it answers with moments on the machine's steady clock, in nanoseconds.
 */
import { randomBytes } from 'node:crypto';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';
import type { DeviceOrder, DeviceReport } from './orders.ts';
import { connectPacket, PacketEnds, packetTypes, pingPacket, subscribePacket } from './packets.ts';

const keepaliveS = 120;
const atOnce = 50;

class Device {
  readonly #ends = new PacketEnds();
  #socket: Socket | undefined;
  /** What was meant to be sent up to now; anything more would be an answer to a message. */
  #ownBytes = 0;
  #awaited = 0;
  #publishCount = 0;
  failed = false;

  connect(order: DeviceOrder & { readonly kind: 'connect' }, onDone: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const { port, ca, login } = order;
      const socket = ca === undefined ? connectTcp({ host: '127.0.0.1', port, noDelay: true }) : secure(port, ca);
      this.#socket = socket;
      const send = (packet: Buffer): void => {
        this.#ownBytes += packet.length;
        socket.write(packet);
      };
      socket.once(ca === undefined ? 'connect' : 'secureConnect', () =>
        send(connectPacket(randomBytes(12).toString('hex'), keepaliveS, login)),
      );
      const ping = setInterval(() => send(pingPacket), keepaliveS * 1000);
      socket.on('data', (chunk: Buffer) => {
        this.#ends.read(chunk, (type) => {
          if (type === packetTypes.connack) send(subscribePacket(order.filter));
          else if (type === packetTypes.suback) resolve();
          else if (type === packetTypes.publish) this.#received(onDone);
        });
      });
      socket.on('error', () => undefined);
      socket.once('close', () => {
        clearInterval(ping);
        this.failed = true;
        reject(new Error('the broker closed the connection'));
      });
    });
  }

  expect(count: number): void {
    this.#awaited = count;
    this.#publishCount = 0;
  }

  #received(onDone: () => void): void {
    this.#publishCount += 1;
    if (this.#publishCount === this.#awaited) onDone();
  }

  /** Bytes handed to the socket beyond CONNECT, SUBSCRIBE and pings. For TLS only what this program wrote is known. */
  get answerBytes(): number {
    const written = this.#socket?.bytesWritten ?? 0;
    return this.#socket !== undefined && 'encrypted' in this.#socket ? 0 : written - this.#ownBytes;
  }

  close(): void {
    this.#socket?.destroy();
  }
}

let context: SecureContext | undefined;

/** One context for all: a process with thousands of them would measure itself. Sessions are never resumed. */
function secure(port: number, ca: string): Socket {
  context ??= createSecureContext({ ca: [ca], minVersion: 'TLSv1.3' });
  return connectTls({ host: '127.0.0.1', port, secureContext: context });
}

const devices: Device[] = [];
let moments: number[] = [];
let awaitedDevices = 0;

function report(message: DeviceReport): void {
  process.send?.(message);
}

async function connectAll(order: DeviceOrder & { readonly kind: 'connect' }): Promise<void> {
  const onDone = (): void => {
    moments.push(Number(process.hrtime.bigint()));
    if (moments.length === awaitedDevices) report({ kind: 'arrived', atNs: moments });
  };
  let next = 0;
  let failedCount = 0;
  const lane = async (): Promise<void> => {
    while (next < order.count) {
      next += 1;
      const device = new Device();
      devices.push(device);
      await device.connect(order, onDone).catch(() => {
        failedCount += 1;
      });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  report({ kind: 'connected', failedCount });
}

process.on('message', (order: DeviceOrder) => {
  if (order.kind === 'connect') void connectAll(order);
  else if (order.kind === 'expect') {
    moments = [];
    const listening = devices.filter((device) => !device.failed);
    awaitedDevices = listening.length;
    for (const device of listening) device.expect(order.messageCount);
    report({ kind: 'ready' });
  } else if (order.kind === 'count') {
    report({
      kind: 'counted',
      arrivedCount: moments.length,
      answerBytes: devices.reduce((sum, device) => sum + device.answerBytes, 0),
      lostCount: devices.filter((device) => device.failed).length,
    });
  } else {
    for (const device of devices) device.close();
    process.disconnect();
  }
});
