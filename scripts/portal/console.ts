import type { Command } from 'commander';

/** What every command has in common: an example in its help, and its result as words or as one JSON line. */
export interface Output {
  out(text: string): void;
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
