/**
 * An agency for tests: root, keys, a real broker with TLS, an office and its intake, and devices that send it shares and
 * demands over real tus. One person holds all keys, so the office is a trial.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type SealedFile, sealBytes } from '../../agent/protocol/age-file.ts';
import { peekDocument, signEnvelope } from '../../agent/protocol/envelope.ts';
import { makeAgency } from '../../scripts/portal/agency.ts';
import type { Desks } from '../../scripts/portal/desks.ts';
import { type Intake, startIntake } from '../../scripts/portal/intake.ts';
import { makeRecipient, makeSigningKey, readIdentity, readSigningKey } from '../../scripts/portal/key-files.ts';
import { makeOffice, type Office } from '../../scripts/portal/office.ts';
import { draftRequest, publish, signAsApprover, signAsOfficer } from '../../scripts/portal/office-requests.ts';
import { readKnownRequests } from '../../scripts/portal/request-folder.ts';
import { makeRoot } from '../../scripts/portal/root.ts';
import { type MosquittoFixture, startMosquitto } from '../brokers/mosquitto.ts';
import { type HandMadeShare, makeShare } from './hand-made-share.ts';

export class AgencyOffice implements AsyncDisposable {
  readonly dir: string;
  readonly office: Office;
  readonly intake: Intake;
  readonly broker: MosquittoFixture;
  /** The intake's clock and the office's; a test may set it ahead. */
  aheadMs = 0;

  private constructor(dir: string, made: { office: Office; intake: Intake; broker: MosquittoFixture }) {
    this.dir = dir;
    this.office = made.office;
    this.intake = made.intake;
    this.broker = made.broker;
  }

  static async make(options: { desks?: Desks } = {}): Promise<AgencyOffice> {
    const dir = mkdtempSync(join(tmpdir(), 'office-'));
    const at = (name: string): string => join(dir, name);
    const root = makeRoot({ name: 'State registry', dir: at('root') });
    const broker = await startMosquitto({ dir: at('broker'), tls: true });
    const self: { office?: AgencyOffice } = {};
    const intakeDir = join(dir, 'office', 'intake');
    const keys = {
      officers: [makeSigningKey('officer', at('officer'))],
      approvers: [makeSigningKey('approver', at('approver'))],
      outcomes: [makeSigningKey('outcome', at('outcome'))],
      recipient: makeRecipient(at('evidence')),
    };
    const signed = join(dir, 'office', 'signed');
    mkdirSync(signed, { recursive: true, mode: 0o700 });
    const intake = await startIntake({
      dir: intakeDir,
      port: 0,
      knownRequests: () => readKnownRequests(signed),
      nowMs: () => Date.now() + (self.office?.aheadMs ?? 0),
    }).catch(async (thrown: unknown) => {
      await broker.stop();
      throw thrown;
    });
    const { envelope } = makeAgency({
      draft: { id: 'west-city-pd', name: 'West City Police', regions: ['US-CA'], endpoint: intake.url, ...keys },
      rootKeys: root.keyDirs.slice(0, 2).map((keyDir) => readSigningKey('root', keyDir)),
      root: root.file,
      nowMs: Date.now(),
    });
    const office = makeOffice({
      dir: at('office'),
      agency: envelope,
      root: root.file,
      desks: options.desks,
      broker: {
        url: broker.url,
        caFile: broker.caFile,
        username: 'agency',
        passwordFile: broker.passwordFile('agency'),
      },
      nowMs: Date.now(),
    });
    self.office = new AgencyOffice(dir, { office, intake, broker });
    return self.office;
  }

  at(name: string): string {
    return join(this.dir, name);
  }

  get identity(): string {
    return readIdentity(this.at('evidence/recipient.identity'));
  }

  /** A request that both signed and that is on the broker. */
  async publishedRequest(change: { caseNumber?: string; statement?: string } = {}): Promise<string> {
    const { requestId, hash } = this.draft(change);
    const seen = { requestId, hash };
    signAsOfficer(this.office, seen, readSigningKey('officer', this.at('officer')), Date.now());
    signAsApprover(this.office, seen, readSigningKey('approver', this.at('approver')), Date.now());
    await publish(this.office, requestId, Date.now());
    return requestId;
  }

  draft(change: { caseNumber?: string; statement?: string; hours?: number } = {}): ReturnType<typeof draftRequest> {
    const nowS = Math.floor(Date.now() / 1000);
    const { caseNumber = '26-1042', statement = 'A door was forced.', hours = 1 } = change;
    const fields = {
      region: 'US-CA',
      area: { circle: { lat_e6: 37_774_900, lon_e6: -122_419_400, radius_m: 300 } },
      case: { number: caseNumber, incident: 'burglary', opened_on: '2026-01-20', statement },
      contact: { name: 'J. Doe', badge: '77', phone: '+1 555 0100' },
      window: { from: nowS - (hours + 1) * 3600, to: nowS - 3600 },
      authority: 'Penal Code 459',
    };
    return draftRequest(this.office, fields, Date.now());
  }

  /** What an owner's device would send, body first. */
  async sendShare(requestId: string, alter?: (video: Buffer) => void): Promise<HandMadeShare> {
    const request = readFileSync(join(this.office.signedDir, `${requestId}.json`));
    const share = makeShare({ request, agency: this.office.agency, ...(alter === undefined ? {} : { alter }) });
    await this.upload({ share_id: share.shareId, part: 'body', request_id: requestId }, share.body);
    await this.upload({ share_id: share.shareId, part: 'header', request_id: requestId }, share.header);
    return share;
  }

  /** The owner's demand about a share, sealed to the agency; `key` other than the owner's is a forgery. */
  async sendDemand(requestId: string, share: HandMadeShare, key = share.ownerKey): Promise<void> {
    const grantHash = peekDocument('grant', share.grant).hash;
    const document = { grant_hash: grantHash, share_id: share.shareId, ground: 'owner_request' } as const;
    const sealed = sealBytes([this.office.agency.recipient.age], signEnvelope('demand', document, [key]));
    await this.sendSmall(requestId, sealed);
  }

  /** Something of the size of a demand, under an id of its own. */
  async sendSmall(requestId: string, sealed: SealedFile): Promise<void> {
    const shareId = foreignId();
    await this.upload({ share_id: shareId, part: 'body', request_id: requestId }, sealed.body);
    await this.upload({ share_id: shareId, part: 'header', request_id: requestId }, sealed.header);
  }

  async upload(metadata: Readonly<Record<string, string>>, bytes: Uint8Array): Promise<string> {
    const pairs = Object.entries(metadata).map(([name, value]) => `${name} ${Buffer.from(value).toString('base64')}`);
    const tus = { 'Tus-Resumable': '1.0.0' };
    const created = await fetch(this.intake.url, {
      method: 'POST',
      headers: { ...tus, 'Upload-Length': String(bytes.length), 'Upload-Metadata': pairs.join(',') },
    });
    if (created.status !== 201) throw new Error(`not created: ${created.status}`);
    const url = new URL(created.headers.get('location') ?? '', this.intake.url).href;
    const patched = await fetch(url, {
      method: 'PATCH',
      headers: { ...tus, 'Upload-Offset': '0', 'Content-Type': 'application/offset+octet-stream' },
      body: new Uint8Array(bytes),
    });
    if (patched.status !== 204) throw new Error(`not sent: ${patched.status}`);
    return url;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.intake.close();
    await this.broker.stop();
    // The file store makes its folder in the background, and must find the place where it stands.
    await delay(50);
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
}

/** An id that nobody has. */
export function foreignId(): string {
  return randomBytes(16).toString('hex');
}
