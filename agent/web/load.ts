/** Loads something and loads it again when a dependency changes, keeping the old value on screen meanwhile. */
import { type Inputs, useEffect, useState } from 'preact/hooks';

export interface Loaded<T> {
  readonly value: T | undefined;
  readonly problem: string | undefined;
}

export function useLoaded<T>(load: () => Promise<T>, inputs: Inputs): Loaded<T> {
  const [loaded, setLoaded] = useState<Loaded<T>>({ value: undefined, problem: undefined });
  useEffect(() => {
    let current = true;
    load().then(
      (value) => current && setLoaded({ value, problem: undefined }),
      (thrown: unknown) => current && setLoaded({ value: undefined, problem: (thrown as Error).message }),
    );
    return () => {
      current = false;
    };
  }, inputs);
  return loaded;
}
