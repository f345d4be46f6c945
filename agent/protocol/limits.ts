import { AgentError } from '../base/errors.ts';

/** What a request may ask for at most (or must at least). The owner may tighten every limit and loosen none. */
export interface Limits {
  /** How far `issued_at` may lie ahead of this clock. */
  readonly maxAheadS: number;
  readonly maxLifetimeS: number;
  readonly minWindowS: number;
  readonly maxWindowS: number;
  /** How far back of `issued_at` the window may begin. */
  readonly maxReachBackS: number;
  readonly minAreaKm2: number;
  readonly maxAreaKm2: number;
  readonly minCompactness: number;
  readonly maxDeleteByDays: number;
  readonly maxOutcomeDueDays: number;
}

const hourS = 3600;
const dayS = 24 * hourS;

export const defaultLimits: Limits = {
  maxAheadS: 300,
  maxLifetimeS: 14 * dayS,
  minWindowS: hourS / 4,
  maxWindowS: 4 * hourS,
  maxReachBackS: 30 * dayS,
  minAreaKm2: 0.065,
  maxAreaKm2: 0.5,
  minCompactness: 0.2,
  maxDeleteByDays: 365,
  maxOutcomeDueDays: 180,
};

/** A recipient that replaced another is used only after this time, so that a stolen root can be noticed first. */
export const recipientDelayS = 72 * hourS;
/** For how long a replaced recipient is pointed out to the owner. */
export const recipientNewsS = 30 * dayS;

/** The defaults with the owner's own limits; one that is laxer, or not a number, throws `policy/limit-too-lax`. */
export function tightenLimits(own: Partial<Limits>): Limits {
  const limits: Record<string, number> = { ...defaultLimits };
  for (const [name, value] of Object.entries(own)) {
    const bound = Object.hasOwn(defaultLimits, name) ? limits[name] : undefined;
    if (bound === undefined) throw tooLax(name, 'there is no such limit');
    if (!Number.isFinite(value) || value < 0) throw tooLax(name, 'it is not a number of at least 0');
    if (name.startsWith('min') ? value < bound : value > bound) {
      throw tooLax(name, `${value} is laxer than ${bound}, and limits can only be tightened`);
    }
    limits[name] = value;
  }
  return limits as unknown as Limits;
}

function tooLax(name: string, why: string): AgentError {
  return new AgentError('config', 'policy/limit-too-lax', `Cannot use the limit ${name.slice(0, 40)}: ${why}`);
}
