/** A house that is started again on what was left of it, in this process, with the agency's server as it was left too. */
import { join } from 'node:path';
import { systemClock } from '../../agent/base/clock.ts';
import type { Log } from '../../agent/base/log.ts';
import { parseConfig } from '../../agent/config/loader.ts';
import { runCourier } from '../../agent/courier/program.ts';
import { runOwner } from '../../agent/owner/program.ts';
import { startTusServer } from '../brokers/tus-server.ts';

export function houseConfig(dataDir: string, brokerUrl: string): object {
  return {
    dataDir,
    cameras: [{ id: 'front', name: 'Front door', source: { kind: 'file', path: 'none.mp4' } }],
    regions: ['US-CA'],
    broker: { url: brokerUrl },
    uploads: { allowPrivateAddresses: true },
    web: { port: 0 },
    clock: 'trust-system',
    coolingOffMs: 200,
    releaseSpreadMs: 0,
  };
}

export interface Restarted {
  readonly intake: string;
  /** What a program called an error. */
  readonly errors: readonly string[];
  stop(): Promise<void>;
}

export async function restart(options: { dataDir: string; intake: string; brokerUrl: string }): Promise<Restarted> {
  const { dataDir, intake, brokerUrl } = options;
  // The address in the signed dispatch is that of the server of the traced run; many restarted houses at once each have
  // their own behind it, as if it were a proxy.
  const server = await startTusServer(intake);
  const errors: string[] = [];
  const log: Log = {
    info: () => {},
    warn: () => {},
    error: (event, thrown) => errors.push(`${event}: ${thrown instanceof Error ? thrown.message : String(thrown)}`),
  };
  const stopOwner = new AbortController();
  const stopCourier = new AbortController();
  const common = { clock: systemClock, log };
  const courier = runCourier({
    dataDir,
    regions: ['US-CA'],
    broker: { url: brokerUrl },
    uploads: { allowPrivateAddresses: true, proxy: `http://127.0.0.1:${server.port}` },
    signal: stopCourier.signal,
    ...common,
  });
  const config = parseConfig(houseConfig(dataDir, brokerUrl), join(dataDir, '..'));
  const owner = runOwner({ config, signal: stopOwner.signal, ...common });
  const failed = (program: string) => (thrown: unknown) => {
    errors.push(`${program} ended: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  };
  const done = [courier.catch(failed('courier')), owner.catch(failed('owner'))];
  return {
    intake,
    errors,
    async stop() {
      stopOwner.abort();
      await done[1];
      stopCourier.abort();
      await done[0];
      await server.close();
    },
  };
}
