/** Redaction as the owner asks for it: through the running owner program and its vault, to the sealed share. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestHouse, testPassphrase } from '../../test-fixtures/house.ts';
import { Running } from '../../test-fixtures/owner-program.ts';
import { openFile, parseIdentity, splitFile } from '../protocol/age-file.ts';
import { readArchive } from '../protocol/share-archive.ts';
import { verifyShare } from '../protocol/share-verify.ts';
import type { ClipPeople, Preview, Redaction, ShareSummary } from './service.ts';

const clipStartMs = Math.floor(Date.now() / 1000) * 1000 - 600_000;
const mask = [
  [0, 0],
  [0.2, 0],
  [0.2, 0.2],
];
let house: TestHouse;
let owner: Running;
let clipId: string;
/** Of a camera without privacy masks. */
let bareClipId: string;
let requestId: string;

beforeAll(async () => {
  house = await TestHouse.make();
  clipId = house.addClip({ startMs: clipStartMs });
  bareClipId = house.addClip({ startMs: clipStartMs, cameraId: 'side' });
  const source = { kind: 'file', path: 'none.mp4' };
  owner = new Running(house, { cameras: [{ id: 'front', name: 'Front door', source, privacyMasks: [mask] }, { id: 'side', name: 'Side', source }] }); // biome-ignore format: two cameras
  await owner.start();
  await owner.enable();
  requestId = (await owner.send()).requestId;
  await owner.call('unlockDeciding', { passphrase: testPassphrase });
  await owner.call('review', { requestId });
}, 60_000);
afterAll(async () => {
  await owner.stop();
  house[Symbol.dispose]();
});

const preview = (redact?: Redaction, of = clipId): Promise<Preview> => {
  const selection = [{ clipId: of, fromMs: clipStartMs, toMs: clipStartMs + 20_000, redact }];
  return owner.call('preview', { requestId, selection });
};

it('says who is in a clip, fills what the owner chose, and shares exactly that', async () => {
  const found = await owner.call<ClipPeople>('findPeople', { clipId });
  expect(found).toMatchObject({ clipId, widthPx: 640, heightPx: 360 });
  expect(found.people.length).toBeGreaterThan(0);
  const asRecorded = await preview();
  expect(asRecorded.media).toMatchObject([{ kind: 'original' }]);
  const masked = await preview({ fill: 'none', masks: true });
  expect(masked.media).toMatchObject([{ kind: 'derived' }]);
  // Where the camera has none, nothing would be filled.
  await expect(preview({ fill: 'none', masks: true }, bareClipId)).rejects.toMatchObject({ code: 'redact/no-masks' });
  expect(masked.previewId).not.toBe(asRecorded.previewId);
  const region = { x: 0.5, y: 0.5, w: 0.2, h: 0.2, fromMs: clipStartMs, toMs: clipStartMs + 3000 };
  const { previewId, media } = await preview({ fill: 'people', keep: [], regions: [region], masks: true });
  const share = await owner.call<ShareSummary>('approve', { requestId, previewId, passphrase: testPassphrase });
  const folder = join('owner', 'held', share.shareId);
  const file = Buffer.concat([house.read(folder, 'header.age'), house.read(folder, 'body.age')]);
  const files = readArchive(openFile(splitFile(file), parseIdentity(house.agencyIdentity.identity)));
  const verdict = verifyShare({ files });
  expect(verdict.problems).toEqual([]);
  expect(verdict.media).toMatchObject([{ unaltered: 'derived', sha256Ok: true }]);
  const grant = JSON.parse(Buffer.from(files.find(({ name }) => name === '20-grant.json')?.bytes ?? []).toString());
  const said = JSON.parse(Buffer.from((grant as { payload: string }).payload, 'base64').toString()) as {
    redactions: unknown;
    media: readonly { sha256: string }[];
  };
  const name = '40-video.mp4';
  expect(said.redactions).toEqual([
    { name, kind: 'trim' },
    { name, kind: 'person_fill' },
    { name, kind: 'mask' },
  ]);
  expect(said.media[0]?.sha256).toBe(media[0]?.sha256);
}, 120_000);

it('refuses malformed wishes, and cancels without a search under way', async () => {
  await expect(preview({ fill: 'blur' } as unknown as Redaction)).rejects.toMatchObject({
    code: 'owner/bad-arguments',
  });
  await expect(preview({ fill: 'none', regions: [{ x: 2, y: 0, w: 1, h: 1 }] })).rejects.toMatchObject({
    code: 'owner/bad-arguments',
  });
  // Filled at no time: that must not look as if it had been filled.
  const never = { x: 0, y: 0, w: 1, h: 1, fromMs: clipStartMs + 1000, toMs: clipStartMs };
  await expect(preview({ fill: 'none', regions: [never] })).rejects.toMatchObject({ kind: 'usage' });
  expect(await owner.call('cancelRedaction')).toEqual({});
});
