import { type CheckedAgency, signerRule } from './agency-check.ts';
import { type Opened, openEnvelope } from './envelope.ts';
import { areaProblem } from './geometry.ts';
import { defaultLimits } from './limits.ts';
import { refusal } from './refuse.ts';
import { isTopicIn } from './topics.ts';

/** A public alert by an officer of an agency or group. It asks for nothing and there is no way to answer it. */
export function checkNotice(params: {
  readonly notice: Uint8Array;
  readonly agency: CheckedAgency;
  readonly nowMs: number;
  readonly revokedKeyIds?: readonly string[];
  /** Where it was received; its parts must equal the payload's. */
  readonly topic?: string;
}): Opened<'notice'> {
  const { agency } = params.agency;
  const opened = openEnvelope('notice', params.notice, [
    signerRule(agency, 'officer', params.nowMs, params.revokedKeyIds),
  ]);
  const { document: notice } = opened;
  const nowS = params.nowMs / 1000;
  if (notice.agency !== agency.agency) throw refused('agency-mismatch', 'it names another agency than its signer');
  const { agency: by, region, seq } = notice;
  if (
    params.topic !== undefined &&
    !isTopicIn(params.topic, [region], () => ({ type: 'nt', region, agency: by, seq }))
  ) {
    throw refused('topic-mismatch', 'it was published under a topic that is not its own');
  }
  if (!agency.regions.includes(notice.region)) throw refused('region', 'the agency has no say in that region');
  if (notice.issued_at > nowS + defaultLimits.maxAheadS)
    throw refused('issued-in-future', 'it was issued in the future');
  if (notice.expires_at <= nowS || notice.expires_at <= notice.issued_at) throw refused('expired', 'it has expired');
  if (notice.expires_at - notice.issued_at > defaultLimits.maxLifetimeS) {
    throw refused('lifetime-too-long', 'it stays up too long');
  }
  // Any size will do, as an alert may concern a whole region; but what can't be drawn is refused.
  const problem = notice.area === undefined ? undefined : areaProblem(notice.area);
  if (problem !== undefined) throw refused(`area-${problem}`, `its area is unusable (${problem})`);
  return opened;
}

function refused(what: string, why: string): Error {
  return refusal(`notice/${what}`, `Cannot show the notice: ${why}`);
}
