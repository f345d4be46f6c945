/**
 * A demand that a share be deleted: signed with the key of that one request, sealed to its agency, and sent like a share, with
 * a dispatch of its own, so that the courier needs no second way out.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { writeFileDurable } from '../base/files.ts';
import type { AgencyDocument, DemandDocument } from '../protocol/documents.ts';
import { signEnvelope } from '../protocol/envelope.ts';
import type { SigningKey } from '../protocol/keys.ts';
import { writeSealedShare } from './share.ts';

const dayS = 24 * 3600;
/** For so long after it is due a demand may still be delivered. */
export const demandLifeS = 30 * dayS;

export interface SignedDemand {
  /** 32 hex digits: its name on the way out. */
  readonly demandId: string;
  readonly deadlineS: number;
}

/** Writes `body.age`, `header.age` and, last, `dispatch.json` into a new folder, synced. */
export function writeDemand(options: {
  readonly folder: (demandId: string) => string;
  readonly demand: DemandDocument;
  readonly requestKey: SigningKey;
  readonly requestId: string;
  readonly agency: AgencyDocument;
  readonly ownerRoot: SigningKey;
  readonly notBeforeS: number;
  readonly deadlineS: number;
}): SignedDemand {
  const { demand, agency, deadlineS } = options;
  const demandId = randomBytes(16).toString('hex');
  const folder = options.folder(demandId);
  const envelope = signEnvelope('demand', demand, [options.requestKey]);
  const sealed = writeSealedShare(folder, agency.recipient.age, [envelope]);
  const dispatch = signEnvelope(
    'dispatch',
    {
      grant_hash: demand.grant_hash,
      share_id: demandId,
      request_id: options.requestId,
      body: sealed.body,
      header: sealed.header,
      endpoint: agency.upload.https,
      release_not_before: options.notBeforeS,
      deadline: deadlineS,
    },
    [options.ownerRoot],
  );
  writeFileDurable(join(folder, 'dispatch.json'), dispatch);
  return { demandId, deadlineS };
}
