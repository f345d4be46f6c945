/** `npm run bench fleet`: many simulated devices on one standard broker. */
import type { Bench } from '../bench.ts';
import { delivery } from './delivery.ts';

export const bench: Bench = {
  name: 'fleet',
  about: 'thousands of devices on one broker: delivery, memory, processor time, and silence upstream',
  parts: [delivery],
};
