/** Long tests measure things that nobody should have to ask for twice: one line each on the console. */
export function reportFigure(line: string): void {
  process.stdout.write(`figure: ${line}\n`);
}
