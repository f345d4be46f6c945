/** Writes, closes, pins and deletes clips for a while, and says before and after each step what it does. Traced by a test. */
import { createHash } from 'node:crypto';
import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { silentLog } from '../../agent/base/log.ts';
import { generateIdentity, sealBytes } from '../../agent/protocol/age-file.ts';
import { ClipsDb } from '../../agent/store/clips-db.ts';
import { randomFrom } from './image.ts';

const folder = process.argv[2] ?? '';
const marks = openSync(join(folder, 'marks'), 'a');
const mark = (...words: readonly (string | number)[]): number => writeSync(marks, `${words.join(' ')}\n`);
const random = randomFrom(7);
const recipients = [generateIdentity().recipient, generateIdentity().recipient];
const db = ClipsDb.open({ path: join(folder, 'clips.db'), log: silentLog, wallMs: 0 });
const kept: string[] = [];

for (let n = 0; n < 30; n += 1) {
  const clipId = createHash('sha256').update(`clip ${n}`).digest('hex').slice(0, 32);
  const opening = sealBytes(recipients, Buffer.from(`opening ${n}`));
  const seq = db.openClip({ clipId, wallMs: n * 3_600_000, opening });
  const segmentCount = 1 + Math.floor(random() * 4);
  for (let position = 0; position < segmentCount; position += 1) {
    const sealed = sealBytes(recipients, Buffer.alloc(2000 + Math.floor(random() * 20_000), n));
    db.appendSegment(seq, { track: 1, position, sealed });
    const hash = createHash('sha256').update(sealed.header).update(sealed.body).digest('hex');
    // The end of a header is its own MAC: found nowhere else.
    mark('stored', clipId, position, hash, Buffer.from(sealed.header).subarray(-40).toString('hex'));
  }
  if (random() < 0.8) {
    db.closeClip(seq, sealBytes(recipients, Buffer.from(`closing ${n}`)));
    mark('closed', clipId);
  } else {
    db.markCut(seq);
  }
  kept.push(clipId);
  if (n % 5 === 0) {
    db.setPinned([clipId], true);
    mark('pinned', clipId);
  }
  const leaving = kept[0];
  if (kept.length <= 8 || leaving === undefined) continue;
  mark('deleting', leaving);
  db.deleteClips([leaving]);
  mark('deleted', leaving);
  kept.shift();
}
db.close();
