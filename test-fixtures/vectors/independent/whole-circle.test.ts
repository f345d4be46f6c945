import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../../agent/base/clock.ts';
import { toHex } from '../../../agent/protocol/bytes.ts';
import { peekDocument } from '../../../agent/protocol/envelope.ts';
import { VaultSession } from '../../../agent/vault/session.ts';
import { TestHouse, testPassphrase, testPlace } from '../../house.ts';
import { python } from './python.ts';

/** An agency that has only the Python implementation asks a real house, and reads what the house's vault shares with it. */
let house: TestHouse;
let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lk-circle-'));
  house = await TestHouse.make();
  await house.pinRoot();
});
afterEach(() => {
  house[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

function put(name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

it('a request written in Python is answered by the vault, and its share is opened and verified in Python', async () => {
  const nowS = Math.floor(Date.now() / 1000);
  const startMs = (nowS - 600) * 1000;
  const clipId = house.addClip({ startMs });
  const agency = put('agency.json', house.agency());
  const fields = {
    area: { circle: { lat_e6: testPlace.latE6, lon_e6: testPlace.lonE6, radius_m: 250 } },
    window: { from: nowS - 1800, to: nowS },
  };
  const asked = [
    ['--officer', put('officer.seed', toHex(house.officer.seed))],
    ['--approver', put('approver.seed', toHex(house.approver.seed))],
    ['--agency', agency],
    ['--fields', put('fields.json', JSON.stringify(fields))],
    ['--at', String(nowS)],
  ];
  const request = python('make-request', ...asked.flat()).stdout;

  const session = new VaultSession({ dataDir: house.dataDir, clock: systemClock, log2Work: 8 });
  await session.openDeciding(testPassphrase);
  const selection = [{ clipId, fromMs: startMs, toMs: startMs + 20_000 }];
  const { previewId } = session.preview({ request, agency: house.agency(), floorS: 0, selection });
  const { shareId } = await session.approve({
    previewId,
    passphrase: testPassphrase,
    agency: house.agency(),
    floorS: 0,
    releaseNotBeforeMs: Date.now() + 1000,
  });

  const { threshold, keysHex: keys } = house.rootDescription;
  const held = (name: string): string => put(name, house.read('owner', 'held', shareId, name));
  const opened = (copy: Uint8Array): unknown => {
    const files = [
      ['--header', held('header.age')],
      ['--body', held('body.age')],
      ['--identity', put('identity', house.agencyIdentity.identity)],
      ['--agency', agency],
      ['--root', put('root.json', JSON.stringify({ threshold, keys }))],
      ['--request', put('request.json', copy)],
      ['--at', String(nowS)],
    ];
    return JSON.parse(python('open-share', ...files.flat()).stdout.toString());
  };
  const media = { '40-video.mp4': 'unaltered' };
  expect(opened(request)).toEqual({ expect: 'holds', problems: [], media, lineage: 'not-disclosed' });
  const other = house.request().envelope;
  expect(peekDocument('request', other).hash).not.toBe(peekDocument('request', request).hash);
  expect(opened(other)).toEqual({ expect: 'fails', problems: ['request-differs'], media, lineage: 'not-disclosed' });
});
