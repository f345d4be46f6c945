/**
 * What leaves an approval behind: the sealed share, its dispatch, and the demand for the day on which it should be deleted.
 * The dispatch is written last, so that a folder without one is no share.
 */
import { join } from 'node:path';
import { writeFileDurable } from '../base/files.ts';
import { sha256Hex } from '../protocol/bytes.ts';
import { canonicalBytes } from '../protocol/canonical.ts';
import { signEnvelope } from '../protocol/envelope.ts';
import type { SigningKey } from '../protocol/keys.ts';
import type { CheckedRequest } from '../protocol/request-check.ts';
import { archiveParts } from '../protocol/share-archive.ts';
import { demandLifeS, writeDemand } from './demand.ts';
import type { BuiltPreview } from './preview.ts';
import type { ApprovalReport } from './reports.ts';
import { writeSealedShare } from './share.ts';
import { shareFiles } from './share-files.ts';

const dayS = 24 * 3600;

export function writeApproved(options: {
  readonly folder: string;
  readonly built: BuiltPreview;
  readonly checked: CheckedRequest;
  readonly ownerRoot: SigningKey;
  readonly notBeforeMs: number;
  readonly deadlineMs: number;
}): ApprovalReport {
  const { folder, built, checked, ownerRoot, notBeforeMs, deadlineMs } = options;
  const { share_id: shareId, terms } = built.grant;
  const { request_id: requestId } = checked.request;
  const { agency } = checked;
  const notBeforeS = Math.ceil(notBeforeMs / 1000);
  const deadlineS = Math.floor(deadlineMs / 1000);
  const grantHash = sha256Hex(canonicalBytes(built.grant));
  const grantEnvelope = signEnvelope('grant', built.grant, [built.requestKey]);
  const sealed = writeSealedShare(folder, agency.recipient.age, archiveParts(shareFiles(built, grantEnvelope)));
  const dispatch = {
    grant_hash: grantHash,
    share_id: shareId,
    request_id: requestId,
    body: sealed.body,
    header: sealed.header,
    endpoint: agency.upload.https,
    release_not_before: notBeforeS,
    deadline: deadlineS,
  };
  const demand = writeDemand({
    folder: () => join(folder, 'demand'),
    demand: { grant_hash: grantHash, share_id: shareId, ground: 'retention_due' },
    requestKey: built.requestKey,
    requestId,
    agency,
    ownerRoot,
    notBeforeS: notBeforeS + terms.delete_by_days * dayS,
    deadlineS: deadlineS + terms.delete_by_days * dayS + demandLifeS,
  });
  writeFileDurable(join(folder, 'dispatch.json'), signEnvelope('dispatch', dispatch, [ownerRoot]));
  return {
    shareId,
    requestHash: checked.requestHash,
    grantHash,
    bodyBytes: sealed.body.bytes,
    releaseNotBeforeMs: notBeforeMs,
    deadlineMs,
    demand,
  };
}
