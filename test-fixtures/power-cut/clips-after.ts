/** Opens the clips of a disk after a power cut and holds them against what the writer had been told is safe. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { silentLog } from '../../agent/base/log.ts';
import { checkClips } from '../../agent/store/clips-check.ts';
import { ClipsDb } from '../../agent/store/clips-db.ts';
import { ClipsReader } from '../../agent/store/clips-reader.ts';
import type { DiskOperation } from './trace.ts';

interface Promised {
  /** By clip, position and hash. */
  readonly segments: ReadonlyMap<string, ReadonlyMap<number, string>>;
  readonly closed: ReadonlySet<string>;
  readonly pinned: ReadonlySet<string>;
  readonly deleted: ReadonlySet<string>;
  /** Ends of the headers of deleted segments. */
  readonly erased: readonly Buffer[];
}

export function promisedBefore(operations: readonly DiskOperation[], cut: number): Promised {
  const segments = new Map<string, Map<number, string>>();
  const [closed, pinned, deleted] = [new Set<string>(), new Set<string>(), new Set<string>()];
  const headers = new Map<string, Buffer[]>();
  for (const operation of operations.slice(0, cut)) {
    if (operation.kind !== 'mark') continue;
    const [word = '', clipId = '', position = '', hash = '', headerEnd = ''] = operation.text.split(' ');
    if (word === 'stored') {
      const known = segments.get(clipId) ?? new Map<number, string>();
      segments.set(clipId, known.set(Number(position), hash));
      headers.set(clipId, [...(headers.get(clipId) ?? []), Buffer.from(headerEnd, 'hex')]);
    }
    if (word === 'closed') closed.add(clipId);
    if (word === 'pinned') pinned.add(clipId);
    // From the moment that the deletion begins nothing is promised, and from its end that it is gone.
    if (word === 'deleting') for (const each of [segments, closed, pinned]) each.delete(clipId);
    if (word === 'deleted') deleted.add(clipId);
  }
  const erased = [...deleted].flatMap((clipId) => headers.get(clipId) ?? []);
  return { segments, closed, pinned, deleted, erased };
}

/** What is not as promised, in words; empty when all is. */
export function brokenPromises(folder: string, promised: Promised): string[] {
  const path = join(folder, 'clips.db');
  // Before anything was promised there may be no file that SQLite knows.
  if (!existsSync(path) && promised.segments.size === 0) return [];
  ClipsDb.open({ path, log: silentLog, wallMs: 0 }).close();
  const broken: string[] = readdirSync(folder).filter((name) => name.includes('.damaged-'));
  using reader = ClipsReader.open(path);
  for (const [clipId, segments] of promised.segments) {
    const clip = reader.clip(clipId);
    const rows = clip === undefined ? [] : reader.listSegments(clip.seq);
    for (const [position, hash] of segments) {
      const row = rows.find((each) => each.position === position);
      const sealed = row === undefined ? undefined : reader.segment(row);
      const found = sealed && createHash('sha256').update(sealed.header).update(sealed.body).digest('hex');
      if (found !== hash) broken.push(`segment ${position} of ${clipId} is ${found === undefined ? 'lost' : 'other'}`);
    }
    if (promised.closed.has(clipId) && clip?.state !== 'closed') broken.push(`${clipId} is ${clip?.state}`);
    if (promised.pinned.has(clipId) && clip?.pinned !== true) broken.push(`${clipId} is no longer pinned`);
  }
  for (const clipId of promised.deleted) if (reader.clip(clipId) !== undefined) broken.push(`${clipId} is back`);
  for (const { clip, faults } of checkClips(reader)) {
    for (const { fault } of faults) broken.push(`${clip.clipId}: ${fault}`);
  }
  const disk = Buffer.concat(readdirSync(folder).map((name) => readFileSync(join(folder, name))));
  for (const headerEnd of promised.erased)
    if (disk.includes(headerEnd)) broken.push('a deleted key is still on the disk');
  return broken;
}
