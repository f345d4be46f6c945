/** Whether the system clock can be believed. A Pi has no clock battery: after a power cut it starts in the past. */
import { existsSync } from 'node:fs';

export type ClockTrust = 'synchronised' | 'unsynchronised' | 'trusted';

/** systemd-timesyncd and chrony leave these once they have set the clock since boot. */
const marks = ['/run/systemd/timesync/synchronized', '/run/chrony/synchronized'];

/** `trust-system` is for machines whose clock is kept by other means, and for the demo. */
export function clockTrust(
  setting: 'auto' | 'trust-system',
  exists: (path: string) => boolean = existsSync,
): ClockTrust {
  if (setting === 'trust-system') return 'trusted';
  return marks.some(exists) ? 'synchronised' : 'unsynchronised';
}
