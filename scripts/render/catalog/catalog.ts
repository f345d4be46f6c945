/** All committed streams, by name. */
import type { StreamPlan } from '../plan.ts';
import { blind } from './blind.ts';
import { quiet } from './quiet.ts';
import { visits } from './visits.ts';
import { moreVisits } from './visits-more.ts';

export const catalog: readonly StreamPlan[] = [...visits, ...moreVisits, ...quiet, ...blind];
