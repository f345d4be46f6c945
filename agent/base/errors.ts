/**
 * The one error type. `kind` alone decides exit status, HTTP status and whether a retry makes sense; `code` names the
 * failure (`room/what`), and `detail` holds only what may stand in a log: no keys, places, case numbers or credentials.
 */

const kinds = {
  usage: { exitStatus: 2, httpStatus: 400, retry: false },
  config: { exitStatus: 3, httpStatus: 500, retry: false },
  unavailable: { exitStatus: 4, httpStatus: 503, retry: true },
  refused: { exitStatus: 5, httpStatus: 403, retry: false },
  corrupt: { exitStatus: 6, httpStatus: 500, retry: false },
  full: { exitStatus: 7, httpStatus: 507, retry: true },
  bug: { exitStatus: 70, httpStatus: 500, retry: false },
} as const;

export type ErrorKind = keyof typeof kinds;
export type ErrorDetail = Readonly<Record<string, string | number | boolean | null>>;

export interface ErrorOptions {
  readonly detail?: ErrorDetail;
  readonly cause?: unknown;
}

/** What crosses a process or network boundary of an error: never its stack, never its cause. */
export interface ErrorReport {
  readonly code: string;
  readonly kind: ErrorKind;
  readonly message: string;
  readonly detail?: ErrorDetail;
}

export class AgentError extends Error {
  readonly code: string;
  readonly kind: ErrorKind;
  readonly detail: ErrorDetail;

  constructor(kind: ErrorKind, code: string, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AgentError';
    this.kind = kind;
    this.code = code;
    this.detail = options.detail ?? {};
  }

  get exitStatus(): number {
    return kinds[this.kind].exitStatus;
  }

  get httpStatus(): number {
    return kinds[this.kind].httpStatus;
  }

  get retryable(): boolean {
    return kinds[this.kind].retry;
  }

  toReport(): ErrorReport {
    return { code: this.code, kind: this.kind, message: this.message, detail: this.detail };
  }

  /** Turns a report received from another program back into an error; anything malformed is a bug of that program. */
  static fromReport(report: unknown): AgentError {
    const r = report as Partial<ErrorReport> | null;
    if (
      typeof r?.code === 'string' &&
      typeof r.message === 'string' &&
      typeof r.kind === 'string' &&
      Object.hasOwn(kinds, r.kind)
    ) {
      return new AgentError(r.kind, r.code, r.message, { detail: r.detail ?? {} });
    }
    return new AgentError(
      'bug',
      'base/bad-report',
      'Another program answered with something that is not an error report',
    );
  }
}

/** Wraps whatever was thrown: an `AgentError` stays itself, anything else becomes a bug with the original as cause. */
export function asAgentError(thrown: unknown, code = 'base/unexpected'): AgentError {
  if (thrown instanceof AgentError) return thrown;
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return new AgentError('bug', code, `Unexpected failure: ${text}`, { cause: thrown });
}

/** The `code` of a Node system error (`ENOENT`), or undefined. */
export function systemCode(thrown: unknown): string | undefined {
  const code = (thrown as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}
