/** Everything that the owner program logs from a request's arrival to its shared key, searched for what must not be there. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { TestHouse, testPassphrase, testPlace } from '../../test-fixtures/house.ts';
import { Running, until } from '../../test-fixtures/owner-program.ts';
import { createLog } from '../base/log.ts';

it('no log line names a place, case, agency, person, clip, share or secret', async () => {
  using house = await TestHouse.make();
  const clipId = house.addClip({ startMs: Math.floor(Date.now() / 1000) * 1000 - 600_000 });
  const lines: string[] = [];
  const owner = new Running(house, {}, createLog('owner', { write: (line) => lines.push(line) }));
  await owner.start();
  try {
    await owner.enable();
    const request = house.request({ change: (r) => ({ ...r, case: { ...r.case, number: 'CASE-4711' } }) });
    const { request_id: requestId } = request.document;
    expect(await owner.verdictOn(request.topic, request.envelope)).toBe('accepted');
    await owner.verdictOn('latchkey/1/US-CA/rq/bad', Buffer.from('{"case":"CASE-4712"}'));
    const { viewingKey } = await owner.call<{ viewingKey: string }>('pair', {
      passphrase: testPassphrase,
      name: 'phone of Ada',
    });
    await expect(owner.call('unlockDeciding', { passphrase: 'another passphrase' })).rejects.toThrow();
    const { shareId } = await owner.approve(requestId, clipId);
    await until('body', () => existsSync(join(house.dataDir, 'spool/outbox', shareId, 'body.age')));
    owner.courierSays(shareId, 'body-done');
    await until('key', () => existsSync(join(house.dataDir, 'spool/outbox', shareId, 'header.age')));
    owner.courierSays(shareId, 'done');
    await until('shared', async () => (await owner.state(requestId)) === 'SHARED');
    await owner.call('lock');
    const text = lines.join('');
    expect(text).toContain('"SHARED"');
    const never = [
      'CASE-47', 'test-police', 'Test Police', 'burglary', 'Ortiz', 'phone of Ada', 'another passphrase', 'age1', 'AGE-SECRET',
      testPassphrase, viewingKey, requestId, shareId, clipId, String(testPlace.latE6), String(testPlace.lonE6), house.dataDir,
    ]; // biome-ignore format: a list
    expect(never.filter((word) => text.includes(word))).toEqual([]);
  } finally {
    await owner.stop();
  }
});
