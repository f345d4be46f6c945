/** Building blocks of the schema: each value says its unit and range in the words that a wrong configuration is answered with. */
import { z } from 'zod';

export const dayMs = 86_400_000;
export const mebibyte = 1 << 20;

/** A whole number within a range; `unit` is read out loud: "milliseconds", "bytes", "pixels". */
export function whole(unit: string, min: number, max: number) {
  const error = `expected a whole number of ${unit} from ${min} to ${max}`;
  return z.number({ error }).refine((value) => Number.isSafeInteger(value) && value >= min && value <= max, { error });
}

/** Video with halved colour planes has no odd sizes. */
export function even(unit: string, min: number, max: number) {
  const error = `expected an even number of ${unit} from ${min} to ${max}`;
  return z
    .number({ error })
    .refine((value) => Number.isSafeInteger(value) && value % 2 === 0 && value >= min && value <= max, { error });
}

/** A number that need not be whole, within a range. */
export function decimal(unit: string, min: number, max: number) {
  const error = `expected a number from ${min} to ${max} (${unit})`;
  return z.number({ error }).refine((value) => Number.isFinite(value) && value >= min && value <= max, { error });
}

export const flag = z.boolean({ error: 'expected true or false' });

export function choice<const Values extends readonly [string, ...string[]]>(values: Values) {
  return z.enum(values, { error: `expected one of ${values.map((value) => `"${value}"`).join(', ')}` });
}

/** Text of limited length without control characters, and matching a pattern where one is given. */
export function text(what: string, maxChars: number, pattern?: RegExp) {
  const error = `expected ${what} (text of 1 to ${maxChars} characters)`;
  return z.string({ error }).refine(
    (value) =>
      value.length > 0 &&
      value.length <= maxChars &&
      // A control character in a name or path would reach terminals, logs and argument vectors.
      !/\p{Cc}/u.test(value) &&
      (pattern === undefined || pattern.test(value)),
    { error },
  );
}

export const filePath = text('the path of a file', 4096);
