import { createServer } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../../agent/base/clock.ts';
import { silentLog } from '../../../agent/base/log.ts';
import { readBrokerAddress } from '../../../agent/courier/broker-address.ts';
import { subscribeForever } from '../../../agent/courier/subscriber.ts';
import { connectPacket, PacketEnds, subscribePacket } from './packets.ts';

const stop = new AbortController();
afterEach(() => stop.abort());

test('a simulated device says what the courier says, byte for byte but for the client id', async () => {
  const [connack, suback] = [Buffer.from([0x20, 3, 0, 0, 0]), Buffer.from([0x90, 4, 0, 1, 0, 0])];
  const sent: Buffer[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      sent.push(chunk);
      socket.write(sent.length === 1 ? connack : suback);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await new Promise<void>((resolve) => {
    void subscribeForever({
      address: readBrokerAddress({ url: `mqtt://127.0.0.1:${port}` }),
      filters: ['latchkey/1/US-CA/#'],
      keepaliveS: 120,
      refreshMs: 3600_000,
      onMessage: () => undefined,
      onState: (state) => state === 'connected' && resolve(),
      signal: stop.signal,
      clock: systemClock,
      log: silentLog,
    });
  });
  const [connect = Buffer.alloc(0), subscribe = Buffer.alloc(0)] = sent;
  const id = /[0-9a-f]{24}/.exec(connect.toString('latin1'))?.[0] ?? '';
  expect(connectPacket(id, 120).toString('hex')).toBe(connect.toString('hex'));
  expect(subscribePacket('latchkey/1/US-CA/#').toString('hex')).toBe(subscribe.toString('hex'));
  stop.abort();
  server.close();
});

test('packets are told apart wherever the stream is cut', () => {
  const packets = [
    Buffer.from([0x20, 3, 0, 0, 0]),
    Buffer.from([0xd0, 0]),
    Buffer.from([0x30, 0x80, 2, ...Array<number>(256).fill(7)]),
  ];
  const stream = Buffer.concat(packets);
  for (let cut = 0; cut <= stream.length; cut += 1) {
    const types: number[] = [];
    const ends = new PacketEnds();
    for (const part of [stream.subarray(0, cut), stream.subarray(cut)]) ends.read(part, (type) => types.push(type));
    expect(types).toEqual([2, 13, 3]);
  }
});
