import { AgentError, type ErrorDetail } from '../base/errors.ts';

/** The error for material from outside that breaks a rule of the protocol. `code` alone names the rule. */
export function refusal(code: string, message: string, detail?: ErrorDetail): AgentError {
  return new AgentError('refused', code, message, detail === undefined ? {} : { detail });
}

/** The error for a document that this program itself was about to write wrongly. */
export function defect(code: string, message: string): AgentError {
  return new AgentError('bug', code, message);
}
