import { z } from 'zod';
import type { ControlMethods } from '../base/control.ts';
import { AgentError } from '../base/errors.ts';
import type { HeldClips } from '../store/clips-db.ts';

/** What other programs on this machine may ask of a recorder, checked at the door. */
export interface RecorderControl {
  status(): unknown;
  /** The newest picture, a JPEG in base64. */
  live(): Promise<{ readonly jpegBase64: string; readonly atMs: number }>;
  pin(clipIds: readonly string[], pinned: boolean): number;
  hold(which: HeldClips, untilMs: number): { readonly heldCount: number; readonly leftCount: number };
  delete(clipIds: readonly string[]): number;
  record(on: boolean): void;
  button(): void;
}

const clipIds = z.array(z.string().regex(/^[0-9a-f]{32}$/)).max(1000);
const some = z.strictObject({ clipIds });
const hold = z.strictObject({
  days: z.array(z.iso.date()).max(400).optional(),
  clipIds: clipIds.optional(),
  untilMs: z.int().nonnegative(),
});
const record = z.strictObject({ on: z.boolean() });
const nothing = z.strictObject({});

function parse<T>(shape: z.ZodType<T>, params: unknown): T {
  const parsed = shape.safeParse(params);
  if (!parsed.success) {
    throw new AgentError('usage', 'recorder/bad-params', 'Cannot do that: the parameters are malformed');
  }
  return parsed.data;
}

export function controlMethods(control: RecorderControl): ControlMethods {
  return {
    status: (params) => {
      parse(nothing, params);
      return control.status();
    },
    live: (params) => {
      parse(nothing, params);
      return control.live();
    },
    pin: (params) => ({ changedCount: control.pin(parse(some, params).clipIds, true) }),
    unpin: (params) => ({ changedCount: control.pin(parse(some, params).clipIds, false) }),
    hold: (params) => {
      const { untilMs, ...which } = parse(hold, params);
      return control.hold(which, untilMs);
    },
    delete: (params) => ({ deletedCount: control.delete(parse(some, params).clipIds) }),
    record: (params) => {
      const { on } = parse(record, params);
      control.record(on);
      return { on };
    },
    button: (params) => {
      parse(nothing, params);
      control.button();
    },
  };
}
