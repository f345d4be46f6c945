import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { clockTrust } from './clock-trust.ts';
import { nativeAddon } from './native.ts';

it('believes the clock when something keeps it right, or when told to', () => {
  expect(clockTrust('auto', () => false)).toBe('unsynchronised');
  expect(clockTrust('auto', () => true)).toBe('synchronised');
  expect(clockTrust('trust-system', () => false)).toBe('trusted');
});

it('asks the kernel, which says the same to others', () => {
  const ask = [
    'import ctypes',
    'state = ctypes.create_string_buffer(512)',
    'answer = ctypes.CDLL(None).adjtimex(state)',
    // struct timex on 64-bit: modes, padding, four longs, then the status word; 0x40 is STA_UNSYNC, 5 is TIME_ERROR.
    'status = int.from_bytes(state.raw[40:44], "little")',
    'print(answer >= 0 and answer != 5 and not status & 0x40)',
  ].join('\n');
  const kernel = spawnSync('/usr/bin/python3', ['-c', ask], { encoding: 'utf8' }).stdout.trim() === 'True';
  expect(nativeAddon().clockSynchronised()).toBe(kernel);
  const marked = ['/run/systemd/timesync/synchronized', '/run/chrony/synchronized'].some((path) => existsSync(path));
  expect(clockTrust('auto')).toBe(kernel || marked ? 'synchronised' : 'unsynchronised');
});
