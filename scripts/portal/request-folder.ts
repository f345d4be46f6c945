import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readFileLimited } from '../../agent/base/files.ts';
import { maxEnvelopeBytes, peekDocument } from '../../agent/protocol/envelope.ts';
import type { KnownRequest } from './intake.ts';

/**
 * The agency's own signed requests as files of one folder: shares for anything else are not taken. The folder is the
 * agency's, so who signed is not asked here; what devices accept is decided there.
 */
export function readKnownRequests(dir: string): KnownRequest[] {
  return readdirSync(dir)
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => {
      try {
        const bytes = readFileLimited(join(dir, name), maxEnvelopeBytes);
        if (bytes === undefined) return [];
        const { unverified } = peekDocument('request', bytes);
        return [{ requestId: unverified.request_id, expiresAt: unverified.expires_at }];
      } catch {
        // Drafts and other files may lie in the same folder.
        return [];
      }
    });
}
