/** How a failure leaves over HTTP: always `{code, kind, message}`, never a stack, a path or a cause. */
import { z } from 'zod';
import { AgentError, asAgentError } from '../../base/errors.ts';
import type { ErrorBody } from './types.ts';

/** Failures of the door itself, whose HTTP status says more than their kind does. All others follow their kind. */
const doorStatus: Readonly<Record<string, number>> = {
  'login/wrong': 401,
  'login/throttled': 429,
  'api/not-logged-in': 401,
  'api/host-not-listed': 421,
  'api/not-json': 415,
  'api/too-large': 413,
  'api/no-such-route': 404,
  'api/bad-range': 416,
};

export function statusOf(error: AgentError): number {
  return doorStatus[error.code] ?? error.httpStatus;
}

export function bodyOf(error: AgentError): ErrorBody {
  if (error.kind === 'bug') {
    return { code: error.code, kind: error.kind, message: 'Something went wrong inside Latchkey; the log has more' };
  }
  const waitMs = error.detail['waitMs'];
  return {
    code: error.code,
    kind: error.kind,
    message: error.message,
    ...(typeof waitMs === 'number' ? { waitMs } : {}),
  };
}

/** Turns what Fastify and zod throw at the edge into our codes. */
export function asProblem(thrown: unknown): AgentError {
  if (thrown instanceof AgentError) return thrown;
  if (thrown instanceof z.ZodError) {
    const paths = thrown.issues.map((issue) => issue.path.join('.') || 'request').slice(0, 5);
    return new AgentError('usage', 'api/bad-input', `Cannot read the request: check ${paths.join(', ')}`);
  }
  const { code, statusCode } = thrown as { code?: unknown; statusCode?: unknown };
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return notJson();
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new AgentError('usage', 'api/too-large', 'Cannot read the request: it is too large');
  }
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return new AgentError('usage', 'api/bad-input', 'Cannot read the request: it is malformed');
  }
  return asAgentError(thrown, 'api/unexpected');
}

export function notJson(): AgentError {
  return new AgentError('usage', 'api/not-json', 'Cannot read the request: only JSON is understood here');
}
