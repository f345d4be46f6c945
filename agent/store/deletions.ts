/**
 * Clips that their owner deleted and may still want back: in `deleting.json` beside `clips.db`, written by the camera's
 * recorder alone. Whoever shows clips leaves them out; when their time comes the recorder takes them out of the database.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { AgentError, systemCode } from '../base/errors.ts';
import { readFileLimited, writeFileDurable } from '../base/files.ts';

export type Deletions = ReadonlyMap<string, number>;

const maxBytes = 1 << 20;
export const maxDeletions = 10_000;
const shape = z.strictObject({
  v: z.literal(1),
  clips: z
    .array(z.strictObject({ clipId: z.string().regex(/^[0-9a-f]{32}$/), goneAtMs: z.int().nonnegative() }))
    .max(maxDeletions),
});

/** By clip id, the wall time at which it goes. A file that says nothing sensible hides nothing. */
export function readDeletions(cameraFolder: string): Deletions {
  try {
    const bytes = readFileLimited(join(cameraFolder, 'deleting.json'), maxBytes);
    if (bytes === undefined) return new Map();
    const { clips } = shape.parse(JSON.parse(bytes.toString('utf8')));
    return new Map(clips.map(({ clipId, goneAtMs }) => [clipId, goneAtMs]));
  } catch (thrown) {
    // A disk that fails says nothing about the file.
    if (!(thrown instanceof AgentError) && systemCode(thrown) !== undefined) throw thrown;
    return new Map();
  }
}

export function writeDeletions(cameraFolder: string, deletions: Deletions): void {
  const clips = [...deletions].map(([clipId, goneAtMs]) => ({ clipId, goneAtMs }));
  writeFileDurable(join(cameraFolder, 'deleting.json'), `${JSON.stringify({ v: 1, clips })}\n`);
}
