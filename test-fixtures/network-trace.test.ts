import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { networkTraceArgs, readNetworkTrace } from './network-trace.ts';

test('a trace names whoever reached for the network: by TCP, by UDP, by IPv6, from a child and from a thread', () => {
  const dir = mkdtempSync(join(tmpdir(), 'trace-'));
  try {
    const [path, script] = [join(dir, 'trace'), join(dir, 'reach.mjs')];
    // Nothing listens on these ports: the attempt is what counts.
    const source = `
      import { spawnSync } from 'node:child_process';
      import { createSocket } from 'node:dgram';
      import { connect } from 'node:net';
      import { Worker } from 'node:worker_threads';
      connect(11, '127.0.0.1').on('error', () => undefined);
      connect(12, '::1').on('error', () => undefined);
      const udp = createSocket('udp4');
      udp.send('x', 13, '127.0.0.1', () => udp.close());
      new Worker("require('node:net').connect(14, '127.0.0.1').on('error', () => undefined)", { eval: true });
      spawnSync('/bin/bash', ['-c', 'exec 3<>/dev/tcp/127.0.0.1/15']);`;
    const args = [...networkTraceArgs, '-o', path, process.execPath, script];
    writeFileSync(script, source);
    expect(spawnSync('strace', args).status).toBe(0);
    const { calls, programs } = readNetworkTrace(path);
    const seen = calls
      .filter(({ call }) => call !== 'bind')
      .map((one) => `${one.program} ${one.call} ${one.address} ${one.port}`);
    expect(seen.toSorted()).toEqual([
      'bash connect 127.0.0.1 15',
      'node connect 127.0.0.1 11',
      'node connect 127.0.0.1 14',
      'node connect ::1 12',
      'node send 127.0.0.1 13',
    ]);
    expect([...programs].toSorted()).toEqual(['bash', 'node']);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
