import type { Log } from '../base/log.ts';
import type { PersonConfig } from '../config/schema.ts';
import type { PersonLook } from './pipeline.ts';

export interface OpenedPersonLook {
  readonly look: PersonLook | undefined;
  readonly state: 'on' | 'off' | 'unavailable';
  readonly code?: string;
}

export async function openPersonLook(_config: PersonConfig, _log: Log): Promise<OpenedPersonLook> {
  return Promise.resolve({ look: undefined, state: 'off' });
}
