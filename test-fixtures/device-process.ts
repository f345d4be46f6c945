/**
 * One program of a device in a process of its own, with a keepalive short enough to be measured: `courier`, `owner`, or
 * `twin`, which is what a careless device would be: it subscribes at QoS 1 and acknowledges a request once it is done with it.
 * Arguments: role, data directory, broker, and for the owner how far its clock is ahead; a
 * clock that is days ahead also runs, as steady time, an hour a second, so that what happens by the hour does. Ends on SIGTERM.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import mqtt from 'mqtt';
import { systemClock } from '../agent/base/clock.ts';
import { writeFileDurable } from '../agent/base/files.ts';
import { silentLog } from '../agent/base/log.ts';
import { parseConfig } from '../agent/config/loader.ts';
import { runCourier } from '../agent/courier/program.ts';
import { runOwner } from '../agent/owner/program.ts';
import { peekDocument } from '../agent/protocol/envelope.ts';
import { areaContains } from '../agent/protocol/geometry.ts';
import { checkRequest } from '../agent/protocol/request-check.ts';

const [role = '', dataDir = '', url = '', ahead = '0'] = process.argv.slice(2);
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());
const common = { signal: stop.signal, clock: systemClock, log: silentLog };

async function actAsTwin(): Promise<void> {
  const read = (name: string): unknown => JSON.parse(readFileSync(join(dataDir, name), 'utf8'));
  const { latE6, lonE6 } = read('owner/place.json') as { latE6: number; lonE6: number };
  const { keys, threshold } = read('twin-root.json') as { keys: string[]; threshold: number };
  const roots = [{ keys: keys.map((hex) => Buffer.from(hex, 'hex')), threshold }];
  const agencies = new Map<string, Buffer>();
  const twin = await mqtt.connectAsync(url, { protocolVersion: 5, keepalive: 60, reconnectPeriod: 0 });
  let count = 0;
  const take = (topic: string, payload: Buffer): void => {
    if (topic.includes('/ag/')) agencies.set(topic.split('/').at(-1) ?? '', payload);
    if (!topic.includes('/rq/')) return;
    const agency = agencies.get(peekDocument('request', payload).unverified.agency);
    const { request } = checkRequest({ request: payload, agency, roots, nowMs: Date.now(), topic });
    if (!areaContains(request.area, { lat_e6: latE6, lon_e6: lonE6 })) return;
    count += 1;
    writeFileDurable(join(dataDir, `twin-${count}`), payload);
  };
  // The acknowledgement is sent when this calls back.
  twin.handleMessage = (packet, done) => {
    try {
      take(packet.topic, Buffer.from(packet.payload));
    } catch {
      // Refused, and acknowledged all the same.
    }
    done();
  };
  await twin.subscribeAsync('latchkey/1/US-CA/#', { qos: 1 });
  await new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve()));
  await twin.endAsync(true);
}

if (role === 'twin') await actAsTwin();
else if (role === 'courier') {
  await runCourier({
    dataDir,
    regions: ['US-CA'],
    broker: { url },
    uploads: { allowPrivateAddresses: true },
    keepaliveS: 1,
    ...common,
  });
} else {
  const config = parseConfig(
    {
      dataDir,
      cameras: [{ id: 'front', name: 'Front door', source: { kind: 'file', path: 'none.mp4' } }],
      regions: ['US-CA'],
      ...(url === '' ? {} : { broker: { url } }),
      web: { port: 0 },
      clock: 'trust-system',
    },
    dataDir,
  );
  const aheadMs = Number(ahead);
  const clock = {
    wallMs: () => Date.now() + aheadMs,
    monotonicMs: () => performance.now() * (aheadMs > 10 * 86_400_000 ? 3600 : 1),
    sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms, signal),
  };
  await runOwner({ config, ...common, clock });
}
process.exit(0);
