/** `npm run bench -- store`: what keeping a stream costs the disk, how fast it is sealed, and how soon it can be looked at. */
import type { Bench } from '../bench.ts';
import { sealing } from './sealing.ts';
import { unlocking } from './unlocking.ts';
import { writing } from './writing.ts';

export const bench: Bench = {
  name: 'store',
  about:
    'bytes written per byte kept and insert latency beside other stores, sealing beside age, unlocking of 10,000 clips',
  parts: [writing, sealing, unlocking],
};
