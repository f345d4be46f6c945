/** Redaction from the recorder to the agency: what is received is looked at pixel by pixel. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FilmedClip, film, readTruth, receive, scorePixels } from '../../test-fixtures/filmed.ts';
import { TestHouse, testPassphrase } from '../../test-fixtures/house.ts';
import { systemClock } from '../base/clock.ts';
import { verifyShare } from '../protocol/share-verify.ts';
import { wholeOf } from './media-content.ts';
import { type RedactionChoiceInput, redactionChoice } from './redact/choice.ts';
import { VaultSession } from './session.ts';

const streams = join(import.meta.dirname, '../../test-fixtures/streams');

let house: TestHouse;
let session: VaultSession;
let clip: FilmedClip;

beforeAll(async () => {
  house = await TestHouse.make();
  await house.pinRoot();
  session = new VaultSession({ dataDir: house.dataDir, clock: systemClock, log2Work: 8 });
  await session.openDeciding(testPassphrase);
  clip = await film(house, session, join(streams, 'day-front.mp4'));
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
});
