import { expect, test } from 'vitest';
import { MemoryService, passphrase } from './api/fixture/memory-service.ts';
import { ownerMethods } from './door.ts';

/** The door of the command line, at its limits. What stands behind it is the service that the page is tested with. */
const requestId = 'a'.repeat(32);
const selection = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ clipId: i.toString(16).padStart(32, '0'), fromMs: 0, toMs: 60_000 }));

async function open() {
  const service = new MemoryService(Buffer.from('video'), 60_000, Buffer.alloc(200_000, 7));
  await service.unlockDeciding({ passphrase });
  return { service, door: ownerMethods(service, { checkLogin: async ({ name }) => ({ name }) }) };
}

test('256 clips go through it, and no more', async () => {
  const { service, door } = await open();
  const redact = { fill: 'people', regions: [{ x: 0, y: 0, w: 0.25, h: 0.123456789 }] };
  const all = selection(256).map((clip) => ({ ...clip, redact }));
  // With something drawn in each it is still one line of the socket.
  expect(JSON.stringify(all).length).toBeLessThan(1 << 18);
  expect(await door['preview']?.({ requestId, selection: all })).toMatchObject({ media: { length: 256 } });
  expect(service.lastSelection).toEqual(all);
  for (const method of ['preview', 'ownPreview']) {
    const params = method === 'preview' ? { requestId } : { sound: false };
    const malformed = expect.objectContaining({ code: 'owner/bad-arguments' });
    expect(() => door[method]?.({ ...params, selection: selection(257) })).toThrow(malformed);
  }
});

test('the pictures of many clips do not fill its lines', async () => {
  const { service, door } = await open();
  const range = { fromMs: 0, toMs: 8e15 };
  const shown = [...(await service.listClips(range)), ...(await service.review({ requestId })).clips];
  expect(shown.some(({ thumbnailJpegBase64 }) => (thumbnailJpegBase64?.length ?? 0) > 200_000)).toBe(true);
  for (const [method, params] of [
    ['listClips', range],
    ['review', { requestId }],
  ] as const) {
    const text = JSON.stringify(await door[method]?.(params));
    expect(text).toContain('clipId');
    expect(text).not.toContain('thumbnail');
  }
});
