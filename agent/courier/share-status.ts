import { join } from 'node:path';
import { ensurePrivateDir, readFileLimited, removeDurable, writeFileDurable } from '../base/files.ts';

/** What the courier tells the owner program about a share, in `spool/status/<share_id>.json`. */
export type ShareState = 'uploading' | 'body-done' | 'done' | 'terminated' | 'failed';

export interface ShareStatus {
  readonly state: ShareState;
  readonly code?: string;
  readonly bodyUrl?: string;
  readonly headerUrl?: string;
  /** Confirmed by the server, of the part that is being sent (body, or header once there is a `headerUrl`). */
  readonly offsetBytes: number;
}

const states: readonly string[] = ['uploading', 'body-done', 'done', 'terminated', 'failed'] satisfies ShareState[];

export function statusDir(dataDir: string): string {
  return join(dataDir, 'spool', 'status');
}

/** A status that can't be read is none: the upload starts over with the same ciphertext, which is safe. */
export function readShareStatus(dataDir: string, shareId: string): ShareStatus | undefined {
  try {
    const bytes = readFileLimited(join(statusDir(dataDir), `${shareId}.json`), 16_384);
    if (bytes === undefined) return undefined;
    const value = JSON.parse(bytes.toString('utf8')) as Record<string, unknown> | null;
    if (value === null || typeof value !== 'object') return undefined;
    const { state, code, bodyUrl, headerUrl, offsetBytes } = value;
    if (typeof state !== 'string' || !states.includes(state)) return undefined;
    return {
      state: state as ShareState,
      ...(typeof code === 'string' ? { code } : {}),
      ...(typeof bodyUrl === 'string' ? { bodyUrl } : {}),
      ...(typeof headerUrl === 'string' ? { headerUrl } : {}),
      offsetBytes: Number.isSafeInteger(offsetBytes) ? (offsetBytes as number) : 0,
    };
  } catch {
    return undefined;
  }
}

export function writeShareStatus(dataDir: string, shareId: string, status: ShareStatus): void {
  ensurePrivateDir(statusDir(dataDir));
  writeFileDurable(join(statusDir(dataDir), `${shareId}.json`), JSON.stringify(status));
}

export function removeShareStatus(dataDir: string, shareId: string): void {
  removeDurable(join(statusDir(dataDir), `${shareId}.json`));
}
