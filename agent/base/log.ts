import { pino } from 'pino';
import { AgentError } from './errors.ts';

/**
 * Logs are JSON lines on standard error. Only these fields may stand in one: anything else is dropped, so that a careless
 * call can't leak a frame, key, place, case number or credential. What is missing here is added with a reason, not by habit.
 */
const allowedFields = [
  'camera', 'state', 'code', 'kind', 'durationMs', 'waitMs', 'bytes', 'count', 'attempt', 'runId', 'clipId', 'pid',
  'exitStatus', 'signal', 'port', 'program', 'widthPx', 'heightPx', 'fps', 'codec', 'trigger', 'share', 'offset', 'status',
  'version', 'reason', 'line', 'child',
] as const; // biome-ignore format: a list
export type LogField = (typeof allowedFields)[number];
export type LogFields = Partial<Record<LogField, string | number | boolean | null | undefined>>;

export interface Log {
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  /** Logs an error by code and kind only; a bug also gets its message, because it is ours. */
  error(event: string, thrown: unknown, fields?: LogFields): void;
}

export interface LogDestination {
  write(line: string): void;
}

const allowed = new Set<string>(allowedFields);

function keepAllowed(fields: LogFields): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => allowed.has(name)));
}

export function createLog(program: string, destination: LogDestination = process.stderr): Log {
  const logger = pino(
    { base: { program }, timestamp: pino.stdTimeFunctions.isoTime, messageKey: 'event' },
    destination,
  );
  return {
    info: (event, fields = {}) => logger.info(keepAllowed(fields), event),
    warn: (event, fields = {}) => logger.warn(keepAllowed(fields), event),
    error: (event, thrown, fields = {}) => {
      const known = thrown instanceof AgentError;
      const reason =
        known && thrown.kind !== 'bug' ? {} : { reason: thrown instanceof Error ? thrown.message : String(thrown) };
      const named = known ? { code: thrown.code, kind: thrown.kind } : { code: 'base/unexpected', kind: 'bug' };
      logger.error({ ...keepAllowed(fields), ...named, ...reason }, event);
    },
  };
}

export const silentLog: Log = { info: () => {}, warn: () => {}, error: () => {} };
