/** `npm run bench -- share-original`: a share of what was recorded, nothing filled: open, prove, seal. */
import type { Bench } from '../bench.ts';
import { speed } from './speed.ts';

export const bench: Bench = {
  name: 'share-original',
  about: 'preview and approval of a minute of 1080p as it was recorded',
  parts: [speed],
};
