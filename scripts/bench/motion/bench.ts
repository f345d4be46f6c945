/** `npm run bench motion`: the motion core and the whole recorder beside their peers. */
import type { Bench } from '../bench.ts';
import { events } from './events.ts';
import { memory } from './memory.ts';
import { pixels } from './pixels.ts';
import { recorder } from './recorder.ts';
import { speed } from './speed.ts';

export const bench: Bench = {
  name: 'motion',
  about: 'the motion core and the whole recorder: speed, quality, processor time, memory',
  parts: [speed, pixels, events, recorder, memory],
};
