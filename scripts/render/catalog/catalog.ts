/** All streams by name, and which of them are in the repository. */
import type { StreamPlan } from '../plan.ts';
import { blind } from './blind.ts';
import { quiet } from './quiet.ts';
import { visits } from './visits.ts';
import { moreVisits } from './visits-more.ts';

export const catalog: readonly StreamPlan[] = [...visits, ...moreVisits, ...quiet, ...blind];

/** Rendered on demand only: what they show is told well enough by others. */
const onDemand: ReadonlySet<string> = new Set([
  'dusk-side',
  'snow-ir',
  'small-child-ir',
  'crouching-ir',
  'looks-round',
  'fox-ir',
  'snow-ir-empty',
  'headlights-farm',
]);

export const committed: readonly StreamPlan[] = catalog.filter(({ name }) => !onDemand.has(name));
