/** What is delivered: documents as agencies and roots sign them, of their real sizes. */
import { randomBytes } from 'node:crypto';
import { generateIdentity } from '../../../agent/protocol/age-file.ts';
import { toHex } from '../../../agent/protocol/bytes.ts';
import { generateSigningKey, keyIdOf, recipientKeyId } from '../../../agent/protocol/keys.ts';
import { makeAgency } from '../../portal/agency.ts';
import { makeDirectory } from '../../portal/directory.ts';
import { cosignRequest, signRequest, writeRequest } from '../../portal/request.ts';
import type { Message } from './fleet.ts';

/** As many as a directory must carry. */
const agencyCount = 1500;
const region = 'US-CA';

export interface FleetDocuments {
  readonly request: () => Message;
  readonly agency: () => Message;
  /** A whole directory of a new version: every page. */
  readonly directory: () => readonly Message[];
}

export function makeDocuments(nowMs: number): FleetDocuments {
  const [officer, approver] = [generateSigningKey(), generateSigningKey()];
  const rootKeys = [generateSigningKey(), generateSigningKey()];
  const root = {
    latchkey_root: 1,
    name: 'Bench',
    threshold: 2,
    keys: rootKeys.map((key) => toHex(key.publicKey)),
  } as const;
  const { recipient } = generateIdentity();
  const listed = (key: typeof officer, role: 'officer' | 'approver') => {
    return { role, x: toHex(key.publicKey), kid: keyIdOf(key.publicKey) };
  };
  let version = 0;
  const agency = () => {
    version += 1;
    const draft = {
      id: 'bench-police',
      name: 'Bench Police Department',
      regions: [region],
      version,
      officers: [listed(officer, 'officer')],
      approvers: [listed(approver, 'approver')],
      recipient: { role: 'recipient', age: recipient, kid: recipientKeyId(recipient) },
      endpoint: 'https://evidence.example.org/files',
    } as const;
    return makeAgency({ draft, rootKeys, root, nowMs });
  };
  const { agency: document } = agency();
  const nowS = Math.floor(nowMs / 1000);
  return {
    agency: () => ({ topic: `latchkey/1/${region}/ag/bench-police`, payload: agency().envelope }),
    request: () => {
      const draft = writeRequest({
        agency: document,
        region,
        area: { circle: { lat_e6: 37_774_900, lon_e6: -122_419_400, radius_m: 300 } },
        case: {
          number: 'BENCH-26-0042',
          incident: 'package theft',
          opened_on: '2026-01-20',
          statement: 'A parcel was taken from a porch on this street. Footage of the door during this time would help.',
        },
        contact: { name: 'Ana Ortiz', badge: '4411', phone: '+1 555 0134' },
        window: { from: nowS - 7200, to: nowS - 3600 },
        authority: 'Detective bureau, supervisor approved',
        nowMs,
      });
      const payload = cosignRequest(signRequest(draft, officer), approver);
      return { topic: `latchkey/1/${region}/rq/bench-police/${draft.request_id}`, payload };
    },
    directory: () => {
      version += 1;
      const entries = Array.from({ length: agencyCount }, (_, i) => {
        return { agency: `police-department-${String(i).padStart(4, '0')}`, doc_hash: randomBytes(32).toString('hex') };
      });
      const pages = makeDirectory({ draft: { region, version, days: 30, entries }, root, rootKeys, nowMs });
      return pages.map((payload, i) => ({ topic: `latchkey/1/${region}/dir/${i + 1}`, payload }));
    },
  };
}

export function bytesOf(messages: readonly Message[]): number {
  return messages.reduce((sum, { topic, payload }) => sum + topic.length + payload.length, 0);
}

/** Kept beside the figures, so that the sums can be done again. */
export function sizes(documents: FleetDocuments): { request: number; agency: number; directory: number } {
  return {
    request: bytesOf([documents.request()]),
    agency: bytesOf([documents.agency()]),
    directory: bytesOf(documents.directory()),
  };
}
