/** `npm run bench people`: the embedded person model beside references, and visits from end to end. */
import type { Bench } from '../bench.ts';
import { accuracy } from './accuracy.ts';
import { rendered } from './rendered.ts';
import { time } from './time.ts';
import { visits } from './visits.ts';

export const bench: Bench = {
  name: 'people',
  about: 'person models: accuracy, time; visits from end to end',
  parts: [accuracy, rendered, time, visits],
};
