/** When a share may leave: after its cooling-off, in a slot drawn at random, so that the moment says nothing of the owner's day. */
const slotMs = 10 * 60 * 1000;
/** Time that an upload is given before the deadline, at the least. */
const marginMs = 30 * 60 * 1000;

/** Pure but for `draw`, which gives a whole number below its argument. Undefined where nothing could arrive in time. */
export function releaseSlotMs(options: {
  readonly earliestMs: number;
  readonly deadlineMs: number;
  readonly spreadMs: number;
  readonly draw: (below: number) => number;
}): number | undefined {
  const { earliestMs, deadlineMs, spreadMs, draw } = options;
  const latestMs = deadlineMs - marginMs;
  if (earliestMs > latestMs) return undefined;
  const slotCount = Math.floor(Math.min(spreadMs, latestMs - earliestMs) / slotMs) + 1;
  return Math.ceil(earliestMs + draw(slotCount) * slotMs);
}
