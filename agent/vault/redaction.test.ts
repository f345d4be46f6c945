/** Redaction from the recorder to the agency: what is received is looked at pixel by pixel. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FilmedClip, filmHouse, readTruth, receive, scorePixels } from '../../test-fixtures/filmed.ts';
import { type TestHouse, testPassphrase } from '../../test-fixtures/house.ts';
import { verifyShare } from '../protocol/share-verify.ts';
import { wholeOf } from './media-content.ts';
import { type RedactionChoiceInput, redactionChoice } from './redact/choice.ts';
import type { VaultSession } from './session.ts';

const streams = join(import.meta.dirname, '../../test-fixtures/streams');

let house: TestHouse;
let session: VaultSession;
let clip: FilmedClip;

beforeAll(async () => {
  ({ house, session, clip } = await filmHouse(join(streams, 'day-front.mp4')));
}, 60_000);
afterAll(() => house[Symbol.dispose]());

async function redact(input: RedactionChoiceInput, of = clip) {
  const span = { fromMs: of.startMs, toMs: of.endMs };
  return session.redactClip({ clipId: of.clipId, span, choice: redactionChoice.parse(input) });
}

function preview(redactionId?: string, of = clip) {
  const selection = [{ clipId: of.clipId, fromMs: of.startMs, toMs: of.endMs, redactionId }];
  return session.preview({ request: house.request().envelope, agency: house.agency(), floorS: 0, selection });
}

describe('a redacted share', () => {
  it('fills every pixel of everybody in what the agency opens, and says whose word that is', async () => {
    const made = await redact({ fill: 'people' });
    const shown = preview(made.redactionId);
    const bytes = wholeOf(session.previewMedia(shown.previewId, '40-video.mp4'));
    const files = await receive(house, session, shown.previewId);
    const video = files.find(({ name }) => name === '40-video.mp4')?.bytes ?? new Uint8Array();
    expect(createHash('sha256').update(video).digest('hex')).toBe(createHash('sha256').update(bytes).digest('hex'));
    const score = scorePixels(video, readTruth(join(streams, 'day-front.json')));
    expect(score.shown).toEqual([]);
    expect(score).toMatchObject({ pictureCount: 95, boxCount: 77, filledBoxCount: 77 });
    expect(score.blackRatio).toBeLessThan(0.5);
    const verdict = verifyShare({ files });
    expect(verdict.problems).toEqual([]);
    expect(verdict.media).toMatchObject([{ kind: 'derived', unaltered: 'derived' }]);
    expect(verdict.plainWords.join(' ')).toContain('edited by the owner');
    expect(shown.media).toMatchObject([{ kind: 'derived' }]);
  }, 60_000);

  it('is opened with the stock tools, padded and without a trace of who encoded it', async () => {
    const made = await redact({ fill: 'none', regions: [{ x: 0, y: 0, w: 1, h: 1 }] });
    expect(made).toMatchObject({ untouchedCount: 0, filledE6: 1_000_000 });
    const { previewId } = preview(made.redactionId);
    const { shareId, bodyBytes } = await session.approve({
      previewId,
      passphrase: testPassphrase,
      agency: house.agency(),
      floorS: 0,
      releaseNotBeforeMs: Date.now() + 1000,
    });
    const folder = join(house.dataDir, 'owner', 'held', shareId);
    const key = join(house.dataDir, 'agency.key');
    writeFileSync(key, `${house.agencyIdentity.identity}\n`);
    const shell = (command: string): Buffer =>
      execFileSync('bash', ['-c', command, 'bash', key], { cwd: folder, maxBuffer: 1 << 28 });
    const opened = 'cat header.age body.age | age -d -i "$1"';
    const listed = shell(`${opened} | tar tv --numeric-owner --full-time --utc`).toString().trim().split('\n');
    for (const line of listed)
      expect(line).toMatch(/^-rw-r--r-- 0\/0 +\d+ 1970-01-01 00:00:00 \d\d-[A-Za-z-]+\.(?:txt|json|mp4)$/);
    expect(shell(`${opened} | wc -c`).toString().trim()).toBe(String(1 << 20));
    expect(bodyBytes).toBeGreaterThan(1 << 20);
    const video = shell(`${opened} | tar xO 40-video.mp4`);
    for (const name of ['x264', 'Lavc', 'Lavf']) expect([name, video.includes(name)]).toEqual([name, false]);
    const whole = { widthPx: 640, heightPx: 360 };
    const frames = Array.from({ length: 95 }, (_, i) => ({ i, people: [{ id: 1, box: [0, 0, 640, 360] as const }] }));
    expect(scorePixels(video, { ...whole, frames }).shown).toEqual([]);
  }, 60_000);

  it('keeps whom the owner keeps, and finds the same people every time', async () => {
    const found = await session.analyseClip(clip.clipId);
    expect(found.people.length).toBeGreaterThan(0);
    expect(found).toMatchObject({ widthPx: 640, heightPx: 360, pictureCount: 95 });
    expect(await session.analyseClip(clip.clipId)).toEqual(found);
    const everybody = found.people.map(({ id }) => id);
    const kept = await redact({ fill: 'people', keep: everybody });
    expect(kept).toMatchObject({ filledE6: 0 });
    expect(preview(kept.redactionId).media).toMatchObject([{ kind: 'original' }]);
    const hidden = await redact({ fill: 'people', keep: everybody.slice(1) });
    expect(hidden.filledE6).toBeGreaterThan(0);
    expect(session.previewMedia(preview(hidden.redactionId).previewId, '40-video.mp4').length).toBeGreaterThan(0);
  }, 60_000);
});
