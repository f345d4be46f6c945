/** One store, written in a process of its own so that what it writes can be counted: `writer.ts METHOD FOLDER DEVICE BITS WARM_S RUN_S`. */
import { setImmediate as breathe } from 'node:timers/promises';
import { deviceBytes, processBytes } from './disk.ts';
import { oursName, type Written } from './keeper.ts';
import { ours } from './ours.ts';
import { peerKeepers } from './peers.ts';
import { fragmentAt, fragmentMs } from './stream.ts';

const [method = '', folder = '', device = '', bits, warmS, runS] = process.argv.slice(2);
if (folder !== '') {
  const [bitsPerSecond, warmMs, runMs] = [Number(bits), Number(warmS) * 1000, Number(runS) * 1000];
  /** Less than is written before anything is counted. A larger one is nearer to what is kept, and room is made in larger pieces. */
  const quotaBytes = Math.round(((warmMs / 1000) * bitsPerSecond) / 8 / 1.25);
  let [insertMs, purgeMs]: [number[], number[]] = [[], []];
  const stopwatch =
    (into: () => number[]) =>
    <T>(act: () => T): T => {
      const before = performance.now();
      const result = act();
      into().push(performance.now() - before);
      return result;
    };
  const options = { folder, quotaBytes, timed: stopwatch(() => insertMs), timedPurge: stopwatch(() => purgeMs) };
  const peer = peerKeepers[method];
  const keeper = method === oursName ? await ours(options) : peer?.(options);
  if (keeper === undefined) throw new Error(`no method ${method}`);
  const disk = device === '' ? undefined : device;
  let index = 0;
  const play = async (untilMs: number): Promise<number> => {
    let bytes = 0;
    for (; index * fragmentMs < untilMs; index += 1) {
      const fragment = fragmentAt(index, bitsPerSecond);
      keeper.push(fragment);
      bytes += fragment.bytes.length;
      // Closing a clip is work in the background.
      if (index % 10 === 0) await breathe();
    }
    await keeper.settle();
    return bytes;
  };
  await play(warmMs);
  [insertMs, purgeMs] = [[], []];
  const [deviceBefore, processBefore] = [deviceBytes(folder, disk), processBytes()];
  const keptBytes = await play(warmMs + runMs);
  const written: Written = {
    keptBytes,
    processBytes: processBytes() - processBefore,
    ...(disk === undefined ? {} : { deviceBytes: deviceBytes(folder, disk) - deviceBefore }),
    insertMs,
    purgeMs,
  };
  keeper.close();
  console.log(JSON.stringify(written));
}
