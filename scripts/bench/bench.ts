/** What a bench is: one folder below `scripts/bench` whose `bench.ts` exports `bench`. */

/** A table as it is printed, written and plotted; cells are already rounded. */
export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly notes?: readonly string[];
}

/** A target beside its figure. `met` is undefined where this run could not measure it; `why` then says why. */
export interface TargetRow {
  readonly what: string;
  readonly figure: string;
  readonly target: string;
  readonly met: boolean | undefined;
  readonly why?: string;
}

/** A drawing, or a picture of a miss; written as NAME.svg and NAME.png, or NAME.png alone. */
export type Drawing =
  | { readonly name: string; readonly svg: string }
  | { readonly name: string; readonly png: Uint8Array };

/** What one part of a bench found. `values` is plain JSON: every single run, not only its medians. */
export interface PartReport {
  readonly part: string;
  readonly tables: readonly Table[];
  readonly targets: readonly TargetRow[];
  readonly leftOut: readonly string[];
  readonly drawings: readonly Drawing[];
  readonly values: unknown;
}

export interface BenchContext {
  /** Few, short streams: shows that everything runs, measures little. */
  readonly quick: boolean;
  /** Repetitions of whatever is timed; medians of these are printed. */
  readonly runCount: number;
  /** `LATCHKEY_DATA`; absent, what needs it is left out and named. */
  readonly dataDir: string | undefined;
  /** One more person model to measure. */
  readonly modelPath: string | undefined;
  /** Whether somebody wants drawings. */
  readonly draws: boolean;
  /** An empty folder that is removed at the end. */
  readonly workDir: string;
  readonly signal: AbortSignal;
  /** Progress for whoever waits. */
  readonly note: (line: string) => void;
}

export interface Part {
  readonly name: string;
  readonly about: string;
  run(context: BenchContext): Promise<PartReport>;
}

export interface Bench {
  readonly name: string;
  readonly about: string;
  readonly parts: readonly Part[];
}

/** A part that could not measure anything, and why. */
export function emptyReport(part: string, leftOut: readonly string[]): PartReport {
  return { part, tables: [], targets: [], leftOut, drawings: [], values: null };
}
