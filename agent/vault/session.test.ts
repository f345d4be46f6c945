import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestHouse, testPassphrase, testPlace } from '../../test-fixtures/house.ts';
import { systemClock } from '../base/clock.ts';
import { generateIdentity, openFile, parseIdentity, sealWithPassphrase, splitFile } from '../protocol/age-file.ts';
import { fromHex, toHex } from '../protocol/bytes.ts';
import { checkDispatch } from '../protocol/dispatch.ts';
import { peekDocument } from '../protocol/envelope.ts';
import { checkDemand } from '../protocol/follow-up-check.ts';
import { generateSigningKey, keyIdOf, recipientKeyId } from '../protocol/keys.ts';
import { readArchive } from '../protocol/share-archive.ts';
import { verifyShare } from '../protocol/share-verify.ts';
import { createKeys } from './enrolment.ts';
import { wholeOf } from './media-content.ts';
import { normalisePassphrase } from './passphrase.ts';
import { VaultSession } from './session.ts';
import { readVaultFile, writeVaultFile } from './vault-file.ts';

const code = (wanted: string) => expect.objectContaining({ code: wanted });

let house: TestHouse;
let session: VaultSession;
let clipId: string;
const clipStartMs = Math.floor(Date.now() / 1000) * 1000 - 600_000;

beforeEach(async () => {
  house = await TestHouse.make();
  await house.pinRoot();
  clipId = house.addClip({ startMs: clipStartMs });
  session = new VaultSession({ dataDir: house.dataDir, clock: systemClock, log2Work: 8 });
  await session.openDeciding(testPassphrase);
});
afterEach(() => house[Symbol.dispose]());

/** Around the house, but not on it: a request must not be taken for a leak of the place. */
const nearby = {
  circle: { lat_e6: testPlace.latE6 + 600, lon_e6: testPlace.lonE6 + 600, radius_m: 300 },
};

const whole = () => [{ clipId, fromMs: clipStartMs, toMs: clipStartMs + 20_000 }];

function preview(request = house.request().envelope, selection = whole(), agency = house.agency()) {
  return session.preview({ request, agency, floorS: 0, selection });
}

function approve(previewId: string, overrides: Partial<Parameters<VaultSession['approve']>[0]> = {}) {
  return session.approve({
    previewId,
    passphrase: testPassphrase,
    agency: house.agency(),
    floorS: 0,
    releaseNotBeforeMs: Date.now() + 1000,
    ...overrides,
  });
}

function openHeld(shareId: string) {
  const folder = join('owner', 'held', shareId);
  const file = Buffer.concat([house.read(folder, 'header.age'), house.read(folder, 'body.age')]);
  return readArchive(openFile(splitFile(file), parseIdentity(house.agencyIdentity.identity)));
}

describe('the vault', () => {
  it('tells a wrong passphrase from a missing and from a damaged vault', async () => {
    const other = new VaultSession({ dataDir: house.dataDir, clock: systemClock });
    await expect(other.openDeciding('wrong')).rejects.toThrow(code('vault/wrong-passphrase'));
    expect(other.mode).toBe('locked');
    expect(() => other.listClips(0, 1)).toThrow(code('vault/locked'));
    const bytes = house.read('owner', 'vault.age');
    const at = bytes.length - 5;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(join(house.dataDir, 'owner/vault.age'), bytes);
    await expect(other.openDeciding(testPassphrase)).rejects.toThrow(code('age/damaged'));
    execFileSync('rm', [join(house.dataDir, 'owner/vault.age')]);
    await expect(other.openDeciding(testPassphrase)).rejects.toThrow(code('vault/not-enrolled'));
  });

  it('previews exactly the bytes that the agency then opens, and they verify', async () => {
    const request = house.request();
    const shown = preview(request.envelope);
    const medium = shown.media[0];
    const bytes = wholeOf(session.previewMedia(shown.previewId, medium?.name ?? ''));
    const approval = await approve(shown.previewId);
    const files = openHeld(approval.shareId);
    const video = files.find((f) => f.name === '40-video.mp4');
    expect(Buffer.compare(Buffer.from(video?.bytes ?? []), Buffer.from(bytes))).toBe(0);
    const verdict = verifyShare({
      files,
      request: request.envelope,
      signers: {
        agency: house.agency(),
        roots: [{ keys: house.roots.map((k) => k.publicKey), threshold: 2 }],
        atMs: Date.now(),
      },
    });
    expect(verdict).toMatchObject({
      requestMatches: true,
      requestSignature: 'valid',
      grantSignature: 'valid',
      problems: [],
    });
    expect(verdict.media).toMatchObject([{ unaltered: 'unaltered', fragmentsProved: 6, fragmentsTotal: 6 }]);
    expect(approval.bodyBytes).toBe(shown.shareBytes);
    const dispatch = checkDispatch(
      house.read('owner', 'held', approval.shareId, 'dispatch.json'),
      fromHex(house.read('keys', 'owner-root.pub').toString().trim()),
    );
    expect(dispatch.document).toMatchObject({
      share_id: approval.shareId,
      endpoint: 'https://evidence.example.org/shares/',
    });
  });

  it('shares only whole fragments inside the selection and the window', () => {
    const trimmed = preview(house.request().envelope, [
      { clipId, fromMs: clipStartMs + 1000, toMs: clipStartMs + 13_000 },
    ]);
    expect(trimmed.media[0]).toMatchObject({ fromMs: clipStartMs + 4000, toMs: clipStartMs + 12_000 });
    const windowEndS = clipStartMs / 1000 + 9;
    const narrow = house.request({
      change: (r) => ({ ...r, window: { from: windowEndS - 1800, to: windowEndS } }),
    });
    expect(preview(narrow.envelope).media[0]).toMatchObject({ fromMs: clipStartMs, toMs: clipStartMs + 8000 });
    expect(() =>
      preview(house.request().envelope, [{ clipId, fromMs: clipStartMs, toMs: clipStartMs + 3000 }]),
    ).toThrow(code('share/nothing-selected'));
    expect(() => preview(house.request().envelope, [])).toThrow(code('share/nothing-selected'));
    const tooMany = Array.from({ length: 257 }, (_, i) => ({ clipId: String(i), fromMs: 0, toMs: 1 }));
    expect(() => preview(house.request().envelope, tooMany)).toThrow(/choose 1 to 256 clips/);
    expect(() => preview(house.request().envelope, [...whole(), ...whole()])).toThrow(code('share/clip-twice'));
  });

  it('refuses a clip that was cut, or that does not exist', () => {
    const cut = house.addClip({ startMs: clipStartMs + 60_000, cut: true });
    expect(() =>
      preview(house.request().envelope, [{ clipId: cut, fromMs: clipStartMs, toMs: clipStartMs + 120_000 }]),
    ).toThrow(code('share/clip-cut'));
    expect(() => preview(house.request().envelope, [{ clipId: '0'.repeat(32), fromMs: 0, toMs: 1 }])).toThrow(
      code('vault/no-such-clip'),
    );
  });

  it('writes no plaintext: what is held is sealed to the agency alone', async () => {
    const approval = await approve(preview().previewId);
    expect(readdirSync(join(house.dataDir, 'owner/held', approval.shareId)).toSorted()).toEqual([
      'body.age',
      'demand',
      'dispatch.json',
      'header.age',
    ]);
    const body = house.read('owner', 'held', approval.shareId, 'body.age');
    for (const text of ['moof', 'ftyp', '10-request.json', 'burglary']) expect(body.includes(text)).toBe(false);
    const header = house.read('owner', 'held', approval.shareId, 'header.age').toString('latin1');
    expect(header.match(/-> X25519/g)).toHaveLength(1);
  });

  it('signs with every share the demand for the day on which it should be gone, sealed to the agency', async () => {
    const releaseNotBeforeMs = Date.now() + 1000;
    const { shareId, demand } = await approve(preview().previewId, { releaseNotBeforeMs });
    const folder = join('owner', 'held', shareId, 'demand');
    const file = Buffer.concat([house.read(folder, 'header.age'), house.read(folder, 'body.age')]);
    const opened = openFile(splitFile(file), parseIdentity(house.agencyIdentity.identity));
    const grant = openHeld(shareId).find((f) => f.name === '20-grant.json')?.bytes ?? new Uint8Array();
    expect(checkDemand({ demand: opened, grant }).document).toMatchObject({
      ground: 'retention_due',
      share_id: shareId,
    });
    const { document: dispatch } = checkDispatch(
      house.read(folder, 'dispatch.json'),
      fromHex(house.read('keys', 'owner-root.pub').toString().trim()),
    );
    expect(dispatch.share_id).toBe(demand.demandId);
    // Not before the agency has had its ninety days.
    expect(dispatch.release_not_before).toBe(Math.ceil(releaseNotBeforeMs / 1000) + 90 * 86_400);
    expect(dispatch.deadline).toBe(demand.deadlineS);
  });

  it('puts into a share what was granted and nothing that names the place or the program', async () => {
    const request = house.request({ change: (r) => ({ ...r, area: nearby }) });
    const { shareId } = await approve(preview(request.envelope).previewId);
    const files = openHeld(shareId);
    expect(files.map(({ name }) => name)).toEqual([
      '00-README.txt',
      '10-request.json',
      '20-grant.json',
      '30-manifest.json',
      '31-proofs.json',
      '40-video.mp4',
    ]);
    const { latE6, lonE6 } = testPlace;
    const words = [
      String(latE6),
      String(lonE6),
      (latE6 / 1e6).toFixed(4),
      'front',
      'Front door',
      house.dataDir,
      'Lavf',
    ];
    for (const { name, bytes } of files) {
      for (const word of words) expect([name, word, Buffer.from(bytes).includes(word)]).toEqual([name, word, false]);
    }
  });

  it('gives two agencies nothing by which they could tell that they asked the same house', async () => {
    const others = [generateSigningKey(), generateSigningKey()] as const;
    const otherIdentity = generateIdentity();
    const otherAgency = house.agency((a) => ({
      ...a,
      agency: 'other-police',
      name: 'Other Police',
      keys: a.keys.slice(0, 2).map((key, i) => {
        const { publicKey } = others[i === 0 ? 0 : 1];
        return { ...key, x: toHex(publicKey), kid: keyIdOf(publicKey) };
      }),
      recipient: { ...a.recipient, age: otherIdentity.recipient, kid: recipientKeyId(otherIdentity.recipient) },
    }));
    const laterMs = clipStartMs + 120_000;
    const laterClip = house.addClip({ startMs: laterMs });
    const asked = house.request({
      change: (r) => ({ ...r, agency: 'other-police', recipient_kid: recipientKeyId(otherIdentity.recipient) }),
      signers: others,
    });
    const first = await approve(preview().previewId);
    // Another stretch: the test recordings are the same pictures, which real ones never are.
    const selection = [{ clipId: laterClip, fromMs: laterMs, toMs: laterMs + 12_000 }];
    const second = await approve(preview(asked.envelope, selection, otherAgency).previewId, { agency: otherAgency });
    const tokensOf = (shareId: string, identity: string): Set<string> => {
      const folder = join('owner', 'held', shareId);
      const header = house.read(folder, 'header.age');
      const body = house.read(folder, 'body.age');
      const files = readArchive(openFile(splitFile(Buffer.concat([header, body])), parseIdentity(identity)));
      const own = files.filter(({ name }) => name !== '00-README.txt' && !name.endsWith('.mp4'));
      const payloads = own.map(({ bytes }) => Buffer.from(bytes).toString('latin1')).join('\n');
      const inside = [...payloads.matchAll(/"payload": ?"([A-Za-z0-9+/=]+)"/g)].map(([, text]) =>
        Buffer.from(text ?? '', 'base64').toString('latin1'),
      );
      const text = [payloads, ...inside, header.toString('latin1'), body.subarray(0, 16).toString('hex')].join('\n');
      // Everything that is long enough to be a key, an id, a hash, a nonce or a signature.
      return new Set(text.match(/[A-Za-z0-9+/]{16,}/g));
    };
    const one = tokensOf(first.shareId, house.agencyIdentity.identity);
    const other = tokensOf(second.shareId, otherIdentity.identity);
    expect(one.size).toBeGreaterThan(30);
    // What every share of every owner has: types, field names, and what age calls itself.
    const common = [...one].filter((token) => other.has(token) && !/^(?:[a-z_/0-9]+|X25519)$/.test(token));
    expect(common).toEqual([]);
    expect([...one].filter((token) => other.has(token) && /^[0-9a-f]{16,}$/.test(token))).toEqual([]);
  });

  it('says from which device clips come only when the owner asks for it', async () => {
    const lineageOf = async (discloseLineage: boolean) => {
      const request = house.request().envelope;
      const shown = session.preview({
        request,
        agency: house.agency(),
        floorS: 0,
        selection: whole(),
        discloseLineage,
      });
      const { shareId, bodyBytes } = await approve(shown.previewId);
      expect(bodyBytes).toBe(shown.shareBytes);
      return verifyShare({ files: openHeld(shareId) });
    };
    expect(await lineageOf(false)).toMatchObject({ lineage: 'not-disclosed', monthKey: null, problems: [] });
    const [one, other] = [await lineageOf(true), await lineageOf(true)];
    expect(one).toMatchObject({ lineage: 'same-device', problems: [] });
    // That is what it is for, and why it is off.
    expect(one.monthKey).toBe(other.monthKey);
  });

  it('names what is not there, what was replaced under it, and a device that has its owner already', async () => {
    const shown = preview();
    expect(() => session.previewMedia(shown.previewId, '41-audio.mp4')).toThrow(code('vault/no-such-medium'));
    const place = { latE6: 0, lonE6: 0 };
    const keys = {
      dataDir: house.dataDir,
      passphrase: 'x',
      clock: systemClock,
      place,
      regions: ['US-CA'],
      log2Work: 8,
    };
    await expect(createKeys(keys)).rejects.toThrow(code('vault/already-enrolled'));
    const secrets = await readVaultFile(house.dataDir, testPassphrase);
    const other = { ...secrets, ownerRootSeedHex: '7'.repeat(64) };
    await writeVaultFile(house.dataDir, other, testPassphrase, 8);
    await expect(approve(shown.previewId)).rejects.toThrow(code('vault/replaced'));
    const sealed = await sealWithPassphrase(normalisePassphrase(testPassphrase), Buffer.from('{"version":2}'), 8);
    writeFileSync(join(house.dataDir, 'owner/vault.age'), sealed);
    await expect(session.openDeciding(testPassphrase)).rejects.toThrow(code('vault/unreadable'));
  });

  it('reads closed sealed notes and nothing of another owner', () => {
    expect(session.openNotes([{ id: 'a', sealed: new Uint8Array(256) }])).toEqual([]);
  });

  it('pairs with the passphrase only, and a pairing opens viewing but not deciding', async () => {
    await expect(session.pair('wrong', 'phone')).rejects.toThrow(code('vault/wrong-passphrase'));
    const pairing = await session.pair(testPassphrase, 'phone');
    const viewer = new VaultSession({ dataDir: house.dataDir, clock: systemClock });
    expect(() => viewer.openViewing(pairing.record, Buffer.alloc(32).toString('base64url'))).toThrow(
      code('vault/wrong-viewing-key'),
    );
    expect(() => viewer.openViewing({ ...pairing.record, expiresAtMs: Date.now() - 1 }, pairing.viewingKey)).toThrow(
      code('vault/pairing-expired'),
    );
    expect(() => viewer.openViewing({ nonsense: true }, pairing.viewingKey)).toThrow(code('vault/bad-pairing'));
    viewer.openViewing(pairing.record, pairing.viewingKey);
    expect(viewer.mode).toBe('viewing');
    expect(viewer.listClips(clipStartMs, clipStartMs + 1)).toHaveLength(1);
    expect(viewer.clipMedia(clipId).length).toBeGreaterThan(100_000);
    expect(() =>
      viewer.preview({ request: house.request().envelope, agency: house.agency(), floorS: 0, selection: whole() }),
    ).toThrow(code('vault/not-deciding'));
    expect(JSON.stringify(pairing.record)).not.toContain('AGE-SECRET-KEY');
  });

  it('pins only sound roots', async () => {
    await expect(session.addRoot(testPassphrase, { name: 'x', threshold: 1, keysHex: [] })).rejects.toThrow(
      code('vault/bad-root'),
    );
    const twice = house.rootDescription.keysHex[0] ?? '';
    await expect(session.addRoot(testPassphrase, { name: 'x', threshold: 2, keysHex: [twice, twice] })).rejects.toThrow(
      code('vault/bad-root'),
    );
    await expect(session.addRoot('wrong', house.rootDescription)).rejects.toThrow(code('vault/wrong-passphrase'));
    // Whose signature anybody can make.
    const weak = [`01${'00'.repeat(31)}`, '00'.repeat(32)];
    await expect(session.addRoot(testPassphrase, { name: 'x', threshold: 2, keysHex: weak })).rejects.toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^keys\//) as string }),
    );
  });

  it('counts a root with its keys in another order as the same, and pins eight at most', async () => {
    const { name, threshold, keysHex } = house.rootDescription;
    expect(await session.addRoot(testPassphrase, { name, threshold, keysHex: keysHex.toReversed() })).toHaveLength(1);
    const another = () => ({
      name,
      threshold,
      keysHex: [1, 2].map(() => Buffer.from(generateSigningKey().publicKey).toString('hex')),
    });
    for (let i = 1; i < 8; i += 1) await session.addRoot(testPassphrase, another());
    await expect(session.addRoot(testPassphrase, another())).rejects.toThrow(code('vault/too-many-roots'));
  });
});

/** The owner program was taken over: it holds whatever the user typed and sends the vault what it likes. */
describe('an evil owner program cannot make the vault', () => {
  it('sign for another recipient', () => {
    const mine = generateIdentity();
    const forged = house.agency((a) => ({
      ...a,
      recipient: { kid: recipientKeyId(mine.recipient), age: mine.recipient, since: 0 },
    }));
    // Signed by the real roots, this would be the agency's own change; it can only sign with keys of its own.
    expect(() => preview(house.request().envelope, whole(), forged)).toThrow(code('request/recipient-unknown'));
    const envelope = JSON.parse(Buffer.from(house.agency()).toString('utf8')) as { payload: string };
    const document = JSON.parse(Buffer.from(envelope.payload, 'base64').toString('utf8')) as { recipient: object };
    document.recipient = { kid: recipientKeyId(mine.recipient), age: mine.recipient, since: 0 };
    envelope.payload = Buffer.from(JSON.stringify(document)).toString('base64');
    expect(() => preview(house.request().envelope, whole(), Buffer.from(JSON.stringify(envelope)))).toThrow(
      code('envelope/not-enough-signers'),
    );
  });

  it('accept an altered area', () => {
    const { envelope } = house.request();
    const parsed = JSON.parse(Buffer.from(envelope).toString('utf8')) as { payload: string };
    const text = Buffer.from(parsed.payload, 'base64').toString('utf8').replace('"radius_m":300', '"radius_m":301');
    parsed.payload = Buffer.from(text).toString('base64');
    expect(() => preview(Buffer.from(JSON.stringify(parsed)))).toThrow(code('envelope/not-enough-signers'));
    const elsewhere = house.request({
      change: (r) => ({ ...r, area: { circle: { lat_e6: 38_000_000, lon_e6: -121_000_000, radius_m: 300 } } }),
    });
    expect(() => preview(elsewhere.envelope)).toThrow(code('vault/not-our-place'));
  });

  it('accept an expired request, whatever floor it claims', () => {
    const old = house.request({
      change: (r) => ({
        ...r,
        issued_at: r.issued_at - 8 * 86_400,
        expires_at: r.issued_at - 10,
        window: { from: r.window.from - 8 * 86_400, to: r.window.to - 8 * 86_400 },
      }),
    });
    expect(() => preview(old.envelope)).toThrow(code('request/expired'));
    expect(() =>
      session.preview({ request: house.request().envelope, agency: house.agency(), floorS: 4e9, selection: whole() }),
    ).toThrow(code('agency/expired'));
  });

  it('accept one signature, a stranger or an unknown root', async () => {
    expect(() => preview(house.request({ signers: [house.officer] }).envelope)).toThrow(
      code('envelope/not-enough-signers'),
    );
    expect(() => preview(house.request({ signers: [house.officer, house.officer] }).envelope)).toThrow(
      code('envelope/not-enough-signers'),
    );
    using other = await TestHouse.make();
    expect(() => preview(house.request().envelope, whole(), other.agency())).toThrow(
      code('envelope/not-enough-signers'),
    );
  });

  it('sign what was not previewed, without the passphrase, too late, or twice', async () => {
    await expect(approve('f'.repeat(64))).rejects.toThrow(code('vault/no-such-preview'));
    const request = house.request().envelope;
    const shown = preview(request);
    await expect(approve(shown.previewId, { passphrase: 'guess' })).rejects.toThrow(code('vault/wrong-passphrase'));
    await expect(approve(shown.previewId, { releaseNotBeforeMs: Date.now() + 30 * 86_400_000 })).rejects.toThrow(
      code('vault/too-late'),
    );
    const changed = house.agency((a) => ({ ...a, version: 2, name: 'Renamed' }));
    await expect(approve(shown.previewId, { agency: changed })).rejects.toThrow(code('vault/changed-since-preview'));
    // The newer document was seen, so the older one is over: what it says is previewed anew.
    await expect(approve(shown.previewId)).rejects.toThrow(code('vault/older-agency'));
    const [first, second] = [preview(request, whole(), changed), preview(request, whole(), changed)];
    await approve(first.previewId, { agency: changed });
    await expect(approve(first.previewId, { agency: changed })).rejects.toThrow(code('vault/no-such-preview'));
    await expect(approve(second.previewId, { agency: changed })).rejects.toThrow(code('vault/already-approved'));
  });

  it('take an older document of an agency than one that it has seen, not even in a later session', async () => {
    const old = house.agency();
    const renamed = house.agency((a) => ({ ...a, version: 2 }));
    const later = () => new VaultSession({ dataDir: house.dataDir, clock: systemClock, log2Work: 8 });
    const first = later();
    using stranger = await TestHouse.make();
    const forged = stranger.agency((a) => ({ ...a, version: 9 }));
    await first.openDeciding(testPassphrase, [renamed, forged, Buffer.from('{}')]);
    const second = later();
    await second.openDeciding(testPassphrase);
    const request = house.request().envelope;
    expect(() => second.preview({ request, agency: old, floorS: 0, selection: whole() })).toThrow(
      code('vault/older-agency'),
    );
    // What a stranger's roots vouch for raised nothing, and pinning a root loses nothing.
    await second.addRoot(testPassphrase, stranger.rootDescription);
    const third = later();
    await third.openDeciding(testPassphrase);
    expect(() => third.preview({ request, agency: old, floorS: 0, selection: whole() })).toThrow(
      code('vault/older-agency'),
    );
    expect(third.preview({ request, agency: renamed, floorS: 0, selection: whole() }).media).toHaveLength(1);
  });

  it('demand a deletion in the name of another request, or of another agency', async () => {
    const request = house.request().envelope;
    const demand = (agency: Uint8Array, passphrase = testPassphrase) =>
      session.demand({
        passphrase,
        request,
        agency,
        grantHash: '1'.repeat(64),
        shareId: '2'.repeat(32),
        ground: 'owner_request',
        floorS: 0,
      });
    await expect(demand(house.agency((a) => ({ ...a, agency: 'other-police' })))).rejects.toThrow(
      code('vault/other-agency'),
    );
    await expect(demand(house.agency(), 'guess')).rejects.toThrow(code('vault/wrong-passphrase'));
    const { demandId } = await demand(house.agency());
    const folder = join('owner', 'demands', demandId);
    const file = Buffer.concat([house.read(folder, 'header.age'), house.read(folder, 'body.age')]);
    const opened = openFile(splitFile(file), parseIdentity(house.agencyIdentity.identity));
    expect(peekDocument('demand', opened).unverified).toMatchObject({ ground: 'owner_request' });
  });
});
