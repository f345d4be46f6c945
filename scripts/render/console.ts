/** What the studio's commands have in common: output as words or JSON, progress on standard error, numbers from options. */
import { AgentError } from '../../agent/base/errors.ts';
import type { StreamPlan } from './plan.ts';

export interface Output {
  out(text: string): void;
  error(text: string): void;
  /** A person is watching standard error. */
  readonly live: boolean;
}

export function tell(output: Output, json: boolean | undefined, result: object, lines: readonly string[]): void {
  output.out(json === true ? `${JSON.stringify(result)}\n` : `${lines.join('\n')}\n`);
}

/** One line that is written over; nothing when nobody watches. */
export function progress(output: Output, text: string): void {
  if (output.live) output.error(`\r\u001b[K${text}`);
}

export function wholeNumber(value: string, option: string, low: number, high: number): number {
  const number = /^\d{1,10}$/.test(value) ? Number(value) : Number.NaN;
  if (number >= low && number <= high) return number;
  throw new AgentError(
    'usage',
    'render/bad-number',
    `Cannot use "${value}" for ${option}: a whole number from ${low} to ${high} is needed`,
  );
}

export function findPlan(catalog: readonly StreamPlan[], name: string): StreamPlan {
  const plan = catalog.find((one) => one.name === name);
  if (plan === undefined)
    throw new AgentError(
      'usage',
      'render/unknown-stream',
      `Cannot find the stream "${name}": see npm run render -- list`,
    );
  return plan;
}
