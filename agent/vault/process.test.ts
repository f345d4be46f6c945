import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../test-fixtures/eventually.ts';
import { TestHouse, testPassphrase } from '../../test-fixtures/house.ts';
import { VaultClient } from './client.ts';

let house: TestHouse;
beforeEach(async () => {
  house = await TestHouse.make();
});
afterEach(() => house[Symbol.dispose]());

describe('the vault process', () => {
  it('has given up the network before it answers, and every thread with it', async () => {
    await using vault = await VaultClient.start(house.dataDir);
    const threads = execFileSync('ls', [`/proc/${vault.pid}/task`])
      .toString()
      .trim()
      .split('\n');
    for (const thread of threads) {
      const status = readFileSync(`/proc/${vault.pid}/task/${thread}/status`, 'utf8');
      expect(status).toMatch(/Seccomp:\s+2/);
      expect(status).toMatch(/NoNewPrivs:\s+1/);
    }
    // It serves no TCP, UDP or netlink socket: what it has open are pipes, files and its parent's channel.
    const own = execFileSync('sh', [
      '-c',
      `ls -l /proc/${vault.pid}/fd | grep -o 'socket:\\[[0-9]*\\]' | tr -dc '0-9\\n'`,
    ])
      .toString()
      .trim()
      .split('\n');
    const internet = ['tcp', 'tcp6', 'udp', 'udp6', 'raw', 'netlink']
      .map((table) => readFileSync(`/proc/net/${table}`, 'utf8'))
      .join('\n');
    for (const inode of own) if (inode !== '') expect(internet).not.toMatch(new RegExp(`\\b${inode}\\b`));
  });

  it('takes turns, keeps codes across the channel, and is gone after a lock', async () => {
    const vault = await VaultClient.start(house.dataDir);
    await expect(vault.openDeciding('wrong')).rejects.toMatchObject({
      code: 'vault/wrong-passphrase',
      kind: 'refused',
    });
    await vault.openDeciding(testPassphrase);
    await expect(vault.clipMedia({ clipId: '0'.repeat(32), offset: 0, length: 10 })).rejects.toMatchObject({
      code: 'vault/no-such-clip',
    });
    await expect(vault.clipMedia({ clipId: 'x'.repeat(1000), offset: 0, length: 10 })).rejects.toMatchObject({
      code: 'vault/bad-message',
    });
    expect(await vault.listClips(0, Date.now())).toEqual([]);
    const pid = vault.pid ?? 0;
    await vault.stop();
    expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
    await expect(vault.listClips(0, 1)).rejects.toMatchObject({ code: 'vault/locked' });
  });

  it('is locked, and nothing worse, to who asks while it ends or after it was killed', async () => {
    const ending = await VaultClient.start(house.dataDir);
    const stopped = ending.stop();
    await expect(ending.listClips(0, 1)).rejects.toMatchObject({ code: 'vault/locked' });
    ending.cancelRedaction();
    await stopped;
    const killed = await VaultClient.start(house.dataDir);
    process.kill(killed.pid ?? 0, 'SIGKILL');
    // The news of its death is not in yet.
    const until = Date.now() + 100;
    while (Date.now() < until);
    const asked = Array.from({ length: 3 }, () => killed.listClips(0, 1));
    killed.cancelRedaction();
    for (const each of asked) await expect(each).rejects.toMatchObject({ code: 'vault/locked' });
    await killed.ended;
  });

  it('dies with its parent, even one killed without warning', async () => {
    const script = join(house.dataDir, 'parent.ts');
    const client = join(import.meta.dirname, 'client.ts');
    writeFileSync(
      script,
      `import { VaultClient } from ${JSON.stringify(client)};
       const v = await VaultClient.start(${JSON.stringify(house.dataDir)});
       console.log(v.pid); process.kill(process.pid, 'SIGKILL');`,
    );
    let output = '';
    try {
      execFileSync(process.execPath, [script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    } catch (thrown) {
      output = String((thrown as { stdout?: unknown }).stdout);
    }
    const pid = Number(output.trim());
    expect(pid).toBeGreaterThan(1);
    await eventually(() => expect(() => process.kill(pid, 0)).toThrow('ESRCH'));
  });
});
