import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readFileLimited } from '../../agent/base/files.ts';

/** What the tus store has on the disk: for each upload its bytes and a JSON file about it. */
export interface Upload {
  readonly id: string;
  readonly shareId: string;
  readonly requestId: string;
  readonly part: 'body' | 'header';
  readonly bytes: number;
  readonly complete: boolean;
  readonly changedAtMs: number;
}

export const idPattern = /^[0-9a-f]{32}$/;

export function isId(text: string | null | undefined): text is string {
  return typeof text === 'string' && idPattern.test(text);
}

export function readUploads(dir: string): Upload[] {
  return readdirSync(dir).flatMap((id) => readUpload(dir, id) ?? []);
}

/** Undefined also for one that is being written or deleted at this moment. */
export function readUpload(dir: string, id: string): Upload | undefined {
  try {
    const about = idPattern.test(id) ? readFileLimited(join(dir, `${id}.json`), 16_384) : undefined;
    if (about === undefined) return undefined;
    const { size, metadata } = JSON.parse(about.toString('utf8')) as {
      size?: unknown;
      metadata?: Record<string, string | null>;
    };
    const { share_id: shareId, request_id: requestId, part } = metadata ?? {};
    if (!isId(shareId) || !isId(requestId) || (part !== 'body' && part !== 'header')) return undefined;
    const { size: bytes, mtimeMs } = statSync(join(dir, id));
    return { id, shareId, requestId, part, bytes, complete: bytes === size, changedAtMs: mtimeMs };
  } catch {
    return undefined;
  }
}

/** The shape in which the tus server takes a refusal. */
export class IntakeRefusal extends Error {
  readonly status_code: number;
  readonly body: string;

  constructor(status: number, why: string) {
    super(why);
    this.status_code = status;
    this.body = `${why}\n`;
  }
}
