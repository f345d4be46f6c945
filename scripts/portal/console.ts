import type { Command } from 'commander';
import { AgentError } from '../../agent/base/errors.ts';

/** What every command has in common: an example in its help, and its result as words or as one line of JSON. */
export interface Output {
  out(text: string): void;
  error(text: string): void;
}

export function addExample(command: Command, example: string): Command {
  return command.addHelpText('after', `\nExample:\n  ${example}\n`);
}

/** With `--json`, one line of JSON; otherwise the lines. */
export function tell(output: Output, json: boolean | undefined, result: object, lines: readonly string[]): void {
  output.out(json === true ? `${JSON.stringify(result)}\n` : `${lines.join('\n')}\n`);
}

/** For options that may be given several times. */
export function collect(value: string, earlier: readonly string[] | undefined): readonly string[] {
  return [...(earlier ?? []), value];
}

/** A number from an option's text. */
export function wholeNumber(value: string, option: string, max: number): number {
  const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
  if (!(number <= max)) {
    throw new AgentError(
      'usage',
      'portal/bad-number',
      `Cannot use "${value}" for ${option}: a number up to ${max} is needed`,
    );
  }
  return number;
}
