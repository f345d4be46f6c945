/** `npm run bench -- share`: what making a share costs. */
import type { Bench } from '../bench.ts';
import { redaction } from './redaction.ts';

export const bench: Bench = {
  name: 'share',
  about: 'filling people beside ffmpeg’s own decoding and encoding of the same range',
  parts: [redaction],
};
