import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { Inbox, maxMessageBytes } from './inbox.ts';

let dataDir: string;
const clock = new ManualClock(1_790_000_000_000);
const topic = 'latchkey/1/US-CA/rq/agency/0123';

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'inbox-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const makeInbox = (maxSpoolBytes?: number): Inbox =>
  new Inbox({
    dataDir,
    topicPrefixes: ['latchkey/1/US-CA/'],
    clock,
    log: silentLog,
    ...(maxSpoolBytes === undefined ? {} : { maxSpoolBytes }),
  });
const files = (): string[] => readdirSync(join(dataDir, 'spool', 'inbox'));

test('a message is spooled as it came, under its arrival time', () => {
  const bytes = Buffer.from([0, 255, 10, 34]);
  expect(makeInbox().accept(topic, bytes)).toBe(true);
  const [name = ''] = files();
  expect(name).toMatch(/^1790000000000-[0-9a-f]{16}\.json$/);
  expect(JSON.parse(readFileSync(join(dataDir, 'spool', 'inbox', name), 'utf8'))).toEqual({
    topic,
    receivedAtMs: 1_790_000_000_000,
    envelope: bytes.toString('base64'),
  });
});

test('a retained repeat is not spooled again, not even after a restart or once the owner has consumed the first', () => {
  const inbox = makeInbox();
  inbox.accept(topic, Buffer.from('one'));
  expect(inbox.accept(topic, Buffer.from('one'))).toBe(false);
  expect(inbox.accept(`${topic}4`, Buffer.from('one'))).toBe(true);
  inbox.flush();
  for (const name of files()) rmSync(join(dataDir, 'spool', 'inbox', name));
  const again = makeInbox();
  expect(again.accept(topic, Buffer.from('one'))).toBe(false);
  expect(files()).toEqual([]);
  expect([again.spooledCount, again.droppedCount]).toEqual([0, 0]);
  again.forgetSeen();
  expect(again.accept(topic, Buffer.from('one'))).toBe(true);
});

test('a damaged set of seen messages is an empty one', () => {
  makeInbox().accept(topic, Buffer.from('one'));
  writeFileSync(join(dataDir, 'spool', 'seen.json'), '[[1,2],"x"');
  expect(makeInbox().accept(topic, Buffer.from('one'))).toBe(true);
});

test('an entry is forgotten when the broker has not sent the message for two days', async () => {
  const inbox = makeInbox();
  inbox.accept(topic, Buffer.from('one'));
  await clock.advance(3 * 24 * 3600_000);
  inbox.accept(topic, Buffer.from('two'));
  inbox.flush();
  expect(makeInbox().accept(topic, Buffer.from('one'))).toBe(true);
  expect(makeInbox().accept(topic, Buffer.from('two'))).toBe(false);
});

test('what is too large or under a foreign topic is dropped and counted; an empty message is nothing', () => {
  const inbox = makeInbox();
  expect(inbox.accept(topic, Buffer.alloc(maxMessageBytes + 1))).toBe(false);
  expect(inbox.accept(topic, Buffer.alloc(0))).toBe(false);
  expect(inbox.accept('latchkey/1/US-NV/rq/agency/1', Buffer.from('x'))).toBe(false);
  expect(inbox.droppedCount).toBe(2);
  expect(inbox.accept(topic, Buffer.alloc(maxMessageBytes))).toBe(true);
});

test('a full spool drops the newest, and takes messages again once the owner has made room', async () => {
  const inbox = makeInbox(3 * 4096);
  const taken = ['a', 'b', 'c', 'd'].map((text) => inbox.accept(topic, Buffer.from(text)));
  expect(taken).toEqual([true, true, true, false]);
  expect(inbox.droppedCount).toBe(1);
  for (const name of files()) rmSync(join(dataDir, 'spool', 'inbox', name));
  await clock.advance(1000);
  expect(inbox.accept(topic, Buffer.from('d'))).toBe(true);
  expect(makeInbox(4096).accept(topic, Buffer.from('e'))).toBe(false);
});
