import { z } from 'zod';
import type { ControlMethods } from '../base/control.ts';
import { AgentError } from '../base/errors.ts';
import type { HeldClips } from '../store/clips-db.ts';
import { type PendingDeletion, undoMs } from './deletions.ts';

export interface Pinned {
  readonly changedCount: number;
  /** Of all pinned clips: what nothing may push out of the quota. */
  readonly pinnedBytes: number;
  readonly quotaBytes: number;
}

/** What other programs on this machine may ask of a recorder, checked at the door. */
export interface RecorderControl {
  status(): unknown;
  /** The newest picture, a JPEG in base64. */
  live(): Promise<{ readonly jpegBase64: string; readonly atMs: number }>;
  pin(clipIds: readonly string[], pinned: boolean): Pinned;
  hold(which: HeldClips, untilMs: number): { readonly heldCount: number; readonly leftCount: number };
  /** Hides them at once; off the disk after a while, in which they can be taken back. */
  delete(clipIds: readonly string[], afterMs: number): { readonly deletedCount: number; readonly goneAtMs: number };
  undelete(clipIds: readonly string[]): number;
  deleted(): readonly PendingDeletion[];
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
const deletion = z.strictObject({ clipIds, afterMs: z.int().min(0).max(undoMs).default(undoMs) });
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
    pin: (params) => control.pin(parse(some, params).clipIds, true),
    unpin: (params) => control.pin(parse(some, params).clipIds, false),
    hold: (params) => {
      const { untilMs, ...which } = parse(hold, params);
      return control.hold(which, untilMs);
    },
    delete: (params) => {
      const { clipIds: chosen, afterMs } = parse(deletion, params);
      return control.delete(chosen, afterMs);
    },
    undelete: (params) => ({ restoredCount: control.undelete(parse(some, params).clipIds) }),
    deleted: (params) => {
      parse(nothing, params);
      return { clips: control.deleted() };
    },
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
