/** The demo's agency: a root, an officer and an approver with keys of their own, a broker, and an intake for shares. */
import { join } from 'node:path';
import { fromHex } from '../../agent/protocol/bytes.ts';
import type { AgencyDocument } from '../../agent/protocol/documents.ts';
import { fingerprint } from '../../agent/protocol/words.ts';
import { makeAgency } from '../portal/agency.ts';
import { type BrokerFiles, makeBroker, runBroker } from '../portal/broker.ts';
import { type KnownRequest, type ReceivedShare, startIntake } from '../portal/intake.ts';
import { makeRecipient, makeSigningKey, readIdentity, readSigningKey } from '../portal/key-files.ts';
import { openShare } from '../portal/open-share.ts';
import { publishAgency, publishRequest } from '../portal/publish.ts';
import { cosignRequest, signRequest, writeRequest } from '../portal/request.ts';
import { type MadeRoot, makeRoot } from '../portal/root.ts';

export interface AgencySide extends AsyncDisposable {
  readonly broker: BrokerFiles;
  readonly root: MadeRoot;
  readonly rootFingerprint: string;
  readonly agencyId: string;
  readonly agencyName: string;
  /** Writes, signs twice and publishes a request for this window (Unix seconds) around a place. */
  ask(params: { readonly place: Place; readonly window: { from: number; to: number } }): Promise<{ requestId: string }>;
  /** Resolves with the next share that arrived whole. */
  readonly share: Promise<ReceivedShare>;
  open(share: ReceivedShare, outDir: string): ReturnType<typeof openShare>;
}

export interface Place {
  readonly latE6: number;
  readonly lonE6: number;
}

export async function startAgencySide(dir: string, region: string): Promise<AgencySide> {
  const stack = new AsyncDisposableStack();
  try {
    const at = (name: string): string => join(dir, name);
    const root = makeRoot({ name: 'Demo root', dir: at('root') });
    // Two desks: neither folder holds both keys, and the portal refuses one that does.
    const officer = makeSigningKey('officer', at('officer'));
    const approver = makeSigningKey('approver', at('approver'));
    const recipient = makeRecipient(at('evidence'));
    const broker = await makeBroker({ dir: at('broker'), port: 0 });
    const running = await runBroker(broker);
    stack.defer(() => running.stop());
    const known: KnownRequest[] = [];
    let arrived: (share: ReceivedShare) => void = () => {};
    const share = new Promise<ReceivedShare>((resolve) => {
      arrived = resolve;
    });
    const intake = await startIntake({ dir: at('intake'), port: 0, knownRequests: () => known, onShare: arrived });
    stack.defer(() => intake.close());
    const { envelope, agency } = makeAgency({
      draft: {
        id: 'demo-police',
        name: 'Demo Police Department',
        regions: [region],
        officers: [officer],
        approvers: [approver],
        recipient,
        endpoint: intake.url,
        keyStorage: 'files (a demo)',
      },
      rootKeys: root.keyDirs.slice(0, 2).map((keyDir) => readSigningKey('root', keyDir)),
      root: root.file,
      nowMs: Date.now(),
    });
    await publishAgency({ broker: broker.agency, agency: envelope, root: root.file, nowMs: Date.now() });
    return {
      broker,
      root,
      rootFingerprint: fingerprint(root.file.keys.map(fromHex)),
      agencyId: agency.agency,
      agencyName: agency.name,
      share,
      ask: async ({ place, window }) => {
        const draft = draftRequest(agency, region, place, window);
        const signed = signRequest(draft, readSigningKey('officer', at('officer')));
        const request = cosignRequest(signed, readSigningKey('approver', at('approver')));
        known.push({ requestId: draft.request_id, expiresAt: draft.expires_at });
        await publishRequest({ broker: broker.agency, agency: envelope, root: root.file, request, nowMs: Date.now() });
        return { requestId: draft.request_id };
      },
      open: (received, outDir) =>
        openShare({
          shareDir: received.dir,
          identity: readIdentity(at('evidence/recipient.identity')),
          outDir,
          signers: { agency: envelope, root: root.file },
        }),
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  } catch (thrown) {
    await stack.disposeAsync();
    throw thrown;
  }
}

function draftRequest(agency: AgencyDocument, region: string, place: Place, window: { from: number; to: number }) {
  return writeRequest({
    agency,
    region,
    area: { circle: { lat_e6: place.latE6, lon_e6: place.lonE6, radius_m: 300 } },
    case: {
      number: 'DEMO-26-0042',
      incident: 'package theft',
      opened_on: new Date().toISOString().slice(0, 10),
      statement: 'A parcel was taken from a porch on this street. Footage of the door during this time would help.',
    },
    contact: { name: 'Ana Ortiz', badge: '4411', phone: '+1 555 0134' },
    window,
    authority: 'Detective bureau, supervisor approved',
    nowMs: Date.now(),
  });
}
