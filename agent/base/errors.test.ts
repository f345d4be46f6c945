import { describe, expect, it } from 'vitest';
import { AgentError, asAgentError, systemCode } from './errors.ts';

describe('errors', () => {
  it('let kind alone decide exit status, HTTP status and retry', () => {
    const full = new AgentError('full', 'store/full', 'Cannot write: the disk is full');
    expect([full.exitStatus, full.httpStatus, full.retryable]).toEqual([7, 507, true]);
    const usage = new AgentError('usage', 'cli/x', 'Cannot do x');
    expect([usage.exitStatus, usage.httpStatus, usage.retryable]).toEqual([2, 400, false]);
  });

  it('cross a boundary without stack or cause, and come back', () => {
    const error = new AgentError('refused', 'a/b', 'no', { detail: { n: 1 }, cause: new Error('secret') });
    const report: unknown = JSON.parse(JSON.stringify(error.toReport()));
    expect(JSON.stringify(report)).not.toContain('secret');
    expect(AgentError.fromReport(report)).toMatchObject({
      code: 'a/b',
      kind: 'refused',
      message: 'no',
      detail: { n: 1 },
    });
  });

  it('name what is not an error report, and wrap what is not an AgentError', () => {
    for (const bad of [null, 1, {}, { code: 'x', message: 'y', kind: 'constructor' }]) {
      expect(AgentError.fromReport(bad).code).toBe('base/bad-report');
    }
    expect(asAgentError(new TypeError('x'))).toMatchObject({ kind: 'bug', code: 'base/unexpected' });
    expect(asAgentError('text').message).toContain('text');
    expect(systemCode(Object.assign(new Error('e'), { code: 'ENOENT' }))).toBe('ENOENT');
    expect(systemCode(null)).toBeUndefined();
  });
});
