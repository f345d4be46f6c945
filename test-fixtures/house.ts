/**
 * A house for tests: enrolled, with a root and an agency of its own, and real clips sealed into a real `clips.db`. What the
 * recorder, the root and the agency would do is done here by the same protocol functions.
 */
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../agent/base/clock.ts';
import { silentLog } from '../agent/base/log.ts';
import { generateIdentity, sealBytes } from '../agent/protocol/age-file.ts';
import { toHex } from '../agent/protocol/bytes.ts';
import { encodeClipMetadata } from '../agent/protocol/clip-metadata.ts';
import type { AgencyDocument, RequestDocument } from '../agent/protocol/documents.ts';
import { signEnvelope } from '../agent/protocol/envelope.ts';
import { generateSigningKey, keyIdOf, recipientKeyId, type SigningKey } from '../agent/protocol/keys.ts';
import { leafHash, rootOf } from '../agent/protocol/merkle.ts';
import { ClipsDb } from '../agent/store/clips-db.ts';
import { createKeys } from '../agent/vault/enrolment.ts';
import { VaultSession } from '../agent/vault/session.ts';

export const testPassphrase = 'correct horse battery staple of tests';
export const testPlace = { latE6: 37_774_900, lonE6: -122_419_400 };
const gopMs = 4000;

interface Fragmented {
  readonly init: Buffer;
  readonly fragments: readonly Buffer[];
}

let porch: Fragmented | undefined;

/** The porch stream as the recorder stores it: one fragment for each GOP of 4 s. */
export function porchFragments(): Fragmented {
  porch ??= cutPorch();
  return porch;
}

function cutPorch(): Fragmented {
  const source = join(import.meta.dirname, 'streams/porch-day.mp4');
  const flags = 'frag_keyframe+empty_moov+default_base_moof';
  const args = [
    '-v',
    'error',
    '-i',
    source,
    '-c',
    'copy',
    '-map_metadata',
    '-1',
    '-fflags',
    '+bitexact',
    '-movflags',
    flags,
    '-f',
    'mp4',
    'pipe:1',
  ];
  const bytes = execFileSync('ffmpeg', args, { maxBuffer: 1 << 26 });
  const boxes: { type: string; bytes: Buffer }[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = bytes.readUInt32BE(at);
    boxes.push({ type: bytes.toString('latin1', at + 4, at + 8), bytes: bytes.subarray(at, at + size) });
    at += size;
  }
  const init = Buffer.concat(boxes.filter((b) => b.type === 'ftyp' || b.type === 'moov').map((b) => b.bytes));
  const fragments: Buffer[] = [];
  boxes.forEach((box, i) => {
    const next = boxes[i + 1];
    if (box.type === 'moof' && next?.type === 'mdat') fragments.push(Buffer.concat([box.bytes, next.bytes]));
  });
  return { init, fragments };
}

export interface RequestOptions {
  readonly change?: (request: RequestDocument) => RequestDocument;
  readonly signers?: readonly SigningKey[];
}

export class TestHouse {
  readonly dataDir: string;
  readonly recoveryIdentity: string;
  readonly recipients: readonly string[];
  readonly roots = [generateSigningKey(), generateSigningKey(), generateSigningKey()] as const;
  readonly officer = generateSigningKey();
  readonly approver = generateSigningKey();
  readonly outcomeKey = generateSigningKey();
  readonly agencyIdentity = generateIdentity();
  /** One moment for every agency document, so that two of them are the same bytes. */
  readonly #madeS = Math.floor(Date.now() / 1000);
  #seq = 0;

  private constructor(dataDir: string, recoveryIdentity: string, recipients: readonly string[]) {
    this.dataDir = dataDir;
    this.recoveryIdentity = recoveryIdentity;
    this.recipients = recipients;
  }

  static async make(): Promise<TestHouse> {
    const dataDir = mkdtempSync(join(tmpdir(), 'lk-house-'));
    const keys = await createKeys({
      dataDir,
      passphrase: testPassphrase,
      clock: systemClock,
      place: testPlace,
      regions: ['US-CA'],
      log2Work: 8,
    });
    return new TestHouse(dataDir, keys.recoveryIdentity, [keys.ownerRecipient, keys.recoveryRecipient]);
  }

  get rootDescription() {
    return { name: 'Test root', threshold: 2, keysHex: this.roots.map((k) => toHex(k.publicKey)) };
  }

  async pinRoot(): Promise<void> {
    await new VaultSession({ dataDir: this.dataDir, clock: systemClock, log2Work: 8 }).addRoot(
      testPassphrase,
      this.rootDescription,
    );
  }

  agencyDocument(change: (agency: AgencyDocument) => AgencyDocument = (a) => a): AgencyDocument {
    const nowS = this.#madeS;
    const listed = (key: SigningKey, role: 'officer' | 'approver' | 'outcome') => ({
      kid: keyIdOf(key.publicKey),
      x: toHex(key.publicKey),
      role,
      from: nowS - 86_400,
      to: nowS + 300 * 86_400,
    });
    return change({
      agency: 'test-police',
      name: 'Test Police Department',
      kind: 'agency',
      regions: ['US-CA'],
      status: 'active',
      version: 1,
      expires_at: nowS + 300 * 86_400,
      keys: [listed(this.officer, 'officer'), listed(this.approver, 'approver'), listed(this.outcomeKey, 'outcome')],
      recipient: {
        kid: recipientKeyId(this.agencyIdentity.recipient),
        age: this.agencyIdentity.recipient,
        since: nowS - 10 * 86_400,
      },
      upload: { https: 'https://evidence.example.org/shares/' },
      attest: { key_storage: 'files', mfa: false, audit_url: '', policy_url: '' },
    });
  }

  agency(change?: (agency: AgencyDocument) => AgencyDocument): Uint8Array {
    return signEnvelope('agency', this.agencyDocument(change), this.roots.slice(0, 2));
  }

  /** A request for the last half hour around the house, signed by officer and approver unless told otherwise. */
  request(options: RequestOptions = {}): { envelope: Uint8Array; document: RequestDocument; topic: string } {
    const nowS = Math.floor(Date.now() / 1000);
    this.#seq += 1;
    const base: RequestDocument = {
      agency: 'test-police',
      area: { circle: { lat_e6: testPlace.latE6, lon_e6: testPlace.lonE6, radius_m: 300 } },
      case: {
        number: `26-${this.#seq}`,
        incident: 'burglary',
        opened_on: '2026-11-20',
        statement: 'A parcel was taken.',
      },
      contact: { name: 'Ana Ortiz', badge: '4411', phone: '+1 916 555 0134' },
      issued_at: nowS,
      expires_at: nowS + 7 * 86_400,
      legal: { basis: 'voluntary', authority: 'Detective bureau' },
      media: { audio: false },
      prev: null,
      seq: this.#seq,
      recipient_kid: recipientKeyId(this.agencyIdentity.recipient),
      region: 'US-CA',
      request_id: randomBytes(16).toString('hex'),
      terms: { biometric_id: false, delete_by_days: 90, outcome_due_days: 60, third_party: 'none' },
      window: { from: nowS - 1800, to: nowS },
    };
    const document = options.change?.(base) ?? base;
    const envelope = signEnvelope('request', document, options.signers ?? [this.officer, this.approver]);
    return { envelope, document, topic: `latchkey/1/${document.region}/rq/${document.agency}/${document.request_id}` };
  }

  /** Seals one clip of 20 s that begins at `startMs`. */
  addClip(options: { startMs: number; cameraId?: string; cut?: boolean }): string {
    const { startMs, cameraId = 'front', cut = false } = options;
    const { init, fragments } = porchFragments();
    mkdirSync(join(this.dataDir, 'cameras', cameraId), { recursive: true });
    const db = ClipsDb.open({
      path: join(this.dataDir, 'cameras', cameraId, 'clips.db'),
      log: silentLog,
      wallMs: startMs,
    });
    try {
      const clipId = randomBytes(16).toString('hex');
      const key = generateSigningKey();
      const seal = (bytes: Uint8Array) => sealBytes(this.recipients, bytes);
      const opening = encodeClipMetadata({
        v: 1,
        clip_id: clipId,
        camera_id: cameraId,
        trigger: 'person',
        run_id: 'testrun',
        start_ms: startMs,
        clock: 'synchronised',
        wall_at_zero_ms: startMs,
        codec: 'avc1.4d401e',
        width_px: 640,
        height_px: 360,
        key: toHex(key.publicKey),
      });
      const seq = db.openClip({ clipId, wallMs: startMs, opening: seal(opening) });
      let offset = 0;
      const entries = [init, ...fragments].map((bytes, index) => {
        const entry = {
          index,
          track: 1,
          offset,
          bytes: bytes.length,
          start_ms: startMs + Math.max(0, index - 1) * gopMs,
          duration_ms: index === 0 ? 0 : gopMs,
          keyframe: true,
          salt: randomBytes(16).toString('hex'),
          sha256: createHash('sha256').update(bytes).digest('hex'),
        };
        offset += bytes.length;
        return entry;
      });
      db.appendSegment(seq, { track: 1, position: 0, sealed: seal(Buffer.concat([init, ...fragments.slice(0, 3)])) });
      db.appendSegment(seq, { track: 1, position: 1, sealed: seal(Buffer.concat(fragments.slice(3))) });
      if (cut) {
        db.markCut(seq);
        return clipId;
      }
      const leaves = entries.map((e) => leafHash(Buffer.from(e.salt, 'hex'), 1, Buffer.from(e.sha256, 'hex')));
      const endMs = startMs + fragments.length * gopMs;
      const manifest = signEnvelope(
        'manifest',
        {
          clip_id: clipId,
          key: toHex(key.publicKey),
          root: toHex(rootOf(leaves)),
          size: leaves.length,
          tracks: [{ id: 1, kind: 'video', codec: 'avc1.4d401e', leaves: leaves.length }],
          t0: Math.floor(startMs / 1000),
          t1: Math.ceil(endMs / 1000),
          clock: 'synchronised',
        },
        [key],
      );
      const closing = encodeClipMetadata({
        v: 1,
        end_ms: endMs,
        labels: [
          {
            kind: 'person',
            from_ms: startMs + 3000,
            to_ms: startMs + 17_000,
            score: 0.9,
            box: { x: 1, y: 1, w: 9, h: 9 },
          },
        ],
        fragments: entries,
        manifest: Buffer.from(manifest).toString('base64'),
        thumbnail: '',
      });
      db.closeClip(seq, seal(closing));
      return clipId;
    } finally {
      db.close();
    }
  }

  /** Where a written file stands, for tests that read what reached the disk. */
  read(...path: string[]): Buffer {
    return readFileSync(join(this.dataDir, ...path));
  }

  [Symbol.dispose](): void {
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}
