/** Whether the system clock can be believed. A Pi has no clock battery: after a power cut it starts in the past. */
import { existsSync } from 'node:fs';
import { nativeAddon } from './native.ts';

export type ClockTrust = 'synchronised' | 'unsynchronised' | 'trusted';

/** systemd-timesyncd and chrony leave these once they have set the clock since boot. */
const marks = ['/run/systemd/timesync/synchronized', '/run/chrony/synchronized'];

function systemSynchronised(): boolean {
  return kernelSynchronised() || marks.some((path) => existsSync(path));
}

/** False where the addon is missing: then the marks alone count. */
function kernelSynchronised(): boolean {
  try {
    return nativeAddon().clockSynchronised();
  } catch {
    return false;
  }
}

/** `trust-system` is for machines whose clock is kept by other means, and for the demo. */
export function clockTrust(
  setting: 'auto' | 'trust-system',
  synchronised: () => boolean = systemSynchronised,
): ClockTrust {
  if (setting === 'trust-system') return 'trusted';
  return synchronised() ? 'synchronised' : 'unsynchronised';
}
