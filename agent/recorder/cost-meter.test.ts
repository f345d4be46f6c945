// The meter counts what children spend once they have ended, and their memory while they run.
import { describe, expect, it } from 'vitest';
import { Child } from '../base/child.ts';
import { CostMeter } from './cost-meter.ts';

describe('CostMeter', () => {
  it('adds a child that works and fills memory', async () => {
    const program =
      'const b = Buffer.alloc(100e6, 1); const end = Date.now() + 400; while (Date.now() < end); console.log(b.length)';
    const child = new Child({ command: process.execPath, args: ['-e', program], stdio: ['ignore', 'pipe', 'pipe'] });
    using meter = new CostMeter(() => [undefined, child.process.pid]);
    child.process.stdout?.resume();
    const before = meter.read();
    await child.exited;
    const { cpuSeconds, peakMemoryBytes } = meter.read();
    expect(cpuSeconds - before.cpuSeconds).toBeGreaterThan(0.05);
    expect(peakMemoryBytes).toBeGreaterThan(process.resourceUsage().maxRSS * 1024 + 100e6);
  });
});
