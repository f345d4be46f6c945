import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ControlClient, ControlServer } from '../base/control.ts';
import { MemoryService, passphrase } from '../owner/api/fixture/memory-service.ts';
import { ownerMethods } from '../owner/door.ts';
import type { ClipSummary } from '../owner/service.ts';
import { findId, listClips, wholeIds } from './clip-ids.ts';
import { OwnerClient } from './owner-client.ts';

const ids = ['5f0e8a'.padEnd(32, '1'), '5f0e8b'.padEnd(32, '2'), 'ab'.padEnd(32, '3')];
const known = () => Promise.resolve(ids.map((clipId) => ({ clipId })));
const code = (wanted: string) => expect.objectContaining({ code: wanted });

it('takes the first digits of an id, where only one clip begins so', async () => {
  expect(findId('ab', ids)).toBe(ids[2]);
  expect(await wholeIds(['5f0e8b', 'ab'], known)).toEqual([ids[1], ids[2]]);
  expect(() => findId('5f0e8', ids)).toThrow(code('clips/ambiguous'));
});

it('chooses nothing for what is no beginning of an id', async () => {
  for (const given of ['', 'cc', '5F0E8A', '5f0e8a%', '../5f0e8a'])
    await expect(wholeIds([given], known)).rejects.toThrow(code('clips/none-there'));
});

it('asks for no list where whole ids are given, so that what is gone is told by whoever knows', async () => {
  const gone = 'f'.repeat(32);
  expect(await wholeIds([gone], () => Promise.reject(new Error('not asked')))).toEqual([gone]);
});

/** A month of clips a minute from four cameras is far more than one line of the socket. */
class BusyHouse extends MemoryService {
  static readonly clips = Array.from({ length: 40_000 }, (_, i): ClipSummary => {
    const startMs = Math.floor(i / 4) * 60_000;
    const camera = { cameraId: `camera-${i % 4}`, cameraName: `Camera ${i % 4}` };
    const clip = { clipId: i.toString(16).padStart(32, '0'), startMs, endMs: startMs + 60_000, labels: ['person'] };
    return { ...clip, ...camera, bytes: 1, pinned: false, cut: false };
  });

  override async listClips({ fromMs, toMs }: { fromMs: number; toMs: number }): Promise<readonly ClipSummary[]> {
    return BusyHouse.clips.filter(({ startMs, endMs }) => endMs > fromMs && startMs < toMs);
  }
}

it('lists however many clips there are, each once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lk-ids-'));
  const service = new BusyHouse(Buffer.alloc(1), 60_000, Buffer.alloc(1));
  await service.unlockDeciding({ passphrase });
  const path = join(folder, 'x.sock');
  const server = await ControlServer.listen(
    path,
    ownerMethods(service, { checkLogin: async ({ name }) => ({ name }) }),
  );
  const control = await ControlClient.connect(path);
  try {
    await expect(control.call('listClips', { fromMs: 0, toMs: 86_400_000 })).rejects.toThrow(code('owner/long-list'));
    const found = await listClips(new OwnerClient(control), 0, 40 * 86_400_000);
    expect(found.map(({ clipId }) => clipId).toSorted()).toEqual(BusyHouse.clips.map(({ clipId }) => clipId));
  } finally {
    control.close();
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
