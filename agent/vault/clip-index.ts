/**
 * What a list shows of the clips of past days, one sealed file a day, so that looking back doesn't open the metadata of every
 * clip again. A memory and no more: it is compared with the clips that exist, and made anew when it is damaged, missing or
 * not ours. Anybody can seal a file to the owner; only the owner's key makes the code in it.
 */
import { createHmac, createPublicKey, diffieHellman, hkdfSync, timingSafeEqual } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import {
  ensurePrivateDir,
  readFileLimited,
  removeDurable,
  removeTemporaries,
  writeFileDurable,
} from '../base/files.ts';
import { type OwnerIdentity, openFile, sealBytes, splitFile } from '../protocol/age-file.ts';
import { clipIndexPath } from './paths.ts';

const maxIndexBytes = 64 << 20;
const codeBytes = 32;

const entrySchema = z.strictObject({
  clip: z.string().regex(/^[0-9a-f]{32}$/),
  state: z.enum(['closed', 'cut']),
  start_ms: z.int(),
  end_ms: z.int(),
  labels: z.array(z.enum(['person', 'motion'])).max(2),
  /** Whether it has a picture. */
  still: z.boolean(),
});
const fileSchema = z.strictObject({ v: z.literal(1), day: z.iso.date(), clips: z.array(entrySchema).max(1_000_000) });

export interface ClipSummary {
  readonly clipId: string;
  readonly state: 'closed' | 'cut';
  readonly startMs: number;
  readonly endMs: number;
  readonly labels: readonly ('person' | 'motion')[];
  readonly hasStill: boolean;
}

type DaySummaries = ReadonlyMap<string, ClipSummary>;

export class ClipIndex {
  readonly #folder: string;
  readonly #identity: OwnerIdentity;
  readonly #codeKey: Uint8Array;
  readonly #days = new Map<string, DaySummaries>();

  constructor(dataDir: string, identity: OwnerIdentity) {
    this.#folder = clipIndexPath(dataDir);
    this.#identity = identity;
    // A secret that only the holder of the private key can compute: its agreement with itself.
    const shared = diffieHellman({
      privateKey: identity.privateKey,
      publicKey: createPublicKey(identity.privateKey),
    });
    this.#codeKey = new Uint8Array(hkdfSync('sha256', shared, identity.publicKey, 'latchkey/clip-index/v1', 32));
  }

  /** Empty for a day that has no index, or none that is worth anything. */
  day(day: string): DaySummaries {
    const known = this.#days.get(day);
    if (known !== undefined) return known;
    const read = this.#read(day) ?? new Map<string, ClipSummary>();
    this.#days.set(day, read);
    return read;
  }

  /** Replaces the index of a day, whole. */
  put(day: string, clips: readonly ClipSummary[]): void {
    const text = JSON.stringify({
      v: 1,
      day,
      clips: clips.map(({ clipId, state, startMs, endMs, labels, hasStill }) => ({
        clip: clipId,
        state,
        start_ms: startMs,
        end_ms: endMs,
        labels,
        still: hasStill,
      })),
    });
    const { header, body } = sealBytes(
      [this.#identity.recipient],
      Buffer.concat([this.#code(text), Buffer.from(text)]),
    );
    ensurePrivateDir(this.#folder);
    writeFileDurable(this.#path(day), Buffer.concat([header, body]));
    this.#days.set(day, new Map(clips.map((clip) => [clip.clipId, clip])));
  }

  /** Removes what belongs to no day that still has clips, and what a killed vault left. */
  keepOnly(days: ReadonlySet<string>): void {
    if (!existsSync(this.#folder)) return;
    removeTemporaries(this.#folder);
    for (const name of readdirSync(this.#folder)) {
      if (!name.endsWith('.age') || !days.has(name.slice(0, -4))) removeDurable(join(this.#folder, name));
    }
  }

  #path(day: string): string {
    return join(this.#folder, `${day}.age`);
  }

  #code(text: string): Buffer {
    return createHmac('sha256', this.#codeKey).update(text).digest();
  }

  #read(day: string): DaySummaries | undefined {
    try {
      const bytes = readFileLimited(this.#path(day), maxIndexBytes);
      if (bytes === undefined) return undefined;
      const opened = Buffer.from(openFile(splitFile(bytes), this.#identity));
      const text = opened.toString('utf8', codeBytes);
      if (!timingSafeEqual(this.#code(text), opened.subarray(0, codeBytes))) return undefined;
      const file = fileSchema.parse(JSON.parse(text));
      if (file.day !== day) return undefined;
      return new Map(
        file.clips.map(({ clip, state, start_ms: startMs, end_ms: endMs, labels, still }) => [
          clip,
          { clipId: clip, state, startMs, endMs, labels, hasStill: still },
        ]),
      );
    } catch {
      // Whatever is wrong with it, the clips say it all again.
      return undefined;
    }
  }
}
