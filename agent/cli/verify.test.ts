import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sampleEnvelope, sampleNowMs, sampleRoot } from '../../test-fixtures/vectors/samples.ts';
import { sha256, sha256Hex, toHex } from '../protocol/bytes.ts';
import { peekDocument } from '../protocol/envelope.ts';
import { inclusionPath, leafHash, rootOf } from '../protocol/merkle.ts';
import { writeArchive } from '../protocol/share-archive.ts';
import type { ShareFile } from '../protocol/share-verify.ts';
import { type CommandResult, runCommand } from './fixture/command.ts';
import { register } from './verify.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lk-verify-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const salt = new Uint8Array(16);
const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

/** A share of one clip of two pieces, signed as a device would. */
function share(): ShareFile[] {
  const pieces = ['initialisation', 'pictures'].map((text) => Buffer.from(text));
  const leaves = pieces.map((piece) => leafHash(salt, 1, sha256(piece)));
  const tracks = [{ id: 1, kind: 'video', codec: 'avc1.64001f', leaves: 2 }] as const;
  const manifest = sampleEnvelope('manifest', { root: toHex(rootOf(leaves)), size: 2, tracks: [...tracks] });
  const manifestHash = peekDocument('manifest', manifest).hash;
  const request = sampleEnvelope('request');
  const video = Buffer.concat(pieces);
  const name = '40-video.mp4';
  const grant = sampleEnvelope('grant', {
    request_hash: peekDocument('request', request).hash,
    manifest_hashes: [manifestHash],
    media: [{ name, kind: 'original', bytes: video.length, sha256: sha256Hex(video) }],
  });
  const fragments = pieces.map((piece, index) => ({
    index,
    track: 1,
    salt: toHex(salt),
    offset: index === 0 ? 0 : (pieces[0]?.length ?? 0),
    bytes: piece.length,
    path: inclusionPath(leaves, index).map(toHex),
  }));
  return [
    { name: '00-README.txt', bytes: Buffer.from('read me') },
    { name: '10-request.json', bytes: request },
    { name: '20-grant.json', bytes: grant },
    { name: '30-manifest.json', bytes: json({ manifests: [JSON.parse(Buffer.from(manifest).toString())] }) },
    { name: '31-proofs.json', bytes: json({ media: [{ name, manifest_hash: manifestHash, fragments }] }) },
    { name, bytes: video },
  ];
}

function put(name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

function unpacked(files: readonly ShareFile[]): string {
  mkdirSync(join(folder, 'share'), { recursive: true });
  for (const { name, bytes } of files) put(join('share', name), bytes);
  return join(folder, 'share');
}

const verify = (...args: readonly string[]): Promise<CommandResult> => runCommand([register], ['verify', ...args]);

describe('latchkey verify', () => {
  it('says of a whole share, as archive or folder, what is proved, claimed and unknown', async () => {
    const archive = put('share.tar', writeArchive(share()));
    const plain = await verify(archive, '--received', '2026-11-22T10:00:00Z');
    expect([plain.status, plain.stderr]).toEqual([0, '']);
    expect(plain.stdout).toContain('Proved: 40-video.mp4 is unaltered since its camera signed it (2 of 2 pieces).');
    expect(plain.stdout).toContain('Not checked: who signed the request.');
    expect(plain.stdout).toContain('Known: received at 2026-11-22 10:00:00 UTC.');
    expect(plain.stdout).toContain('Cannot be known: whether the signer was an honest camera.');
    expect((await verify(unpacked(share()))).status).toBe(0);
  });

  it('checks who signed the request with the agency document and its root', async () => {
    const keys = sampleRoot.keys.map((key) => toHex(key));
    const root = put('root.json', JSON.stringify({ latchkey_root: 1, name: 'County', threshold: 2, keys }));
    const agency = put('agency.json', sampleEnvelope('agency'));
    const request = put('request.json', sampleEnvelope('request'));
    const at = new Date(sampleNowMs).toISOString();
    const signers = ['--agency', agency, '--root', root, '--at', at, '--request', request];
    const result = await verify(unpacked(share()), ...signers, '--json');
    expect(result.status).toBe(0);
    expect(JSON.parse(result.stdout)).toMatchObject({ requestSignature: 'valid', requestMatches: true, problems: [] });
  });

  it('fails with the verdict printed when one byte differs, and refuses a foreign file', async () => {
    const folderPath = unpacked(share());
    put(join('share', '40-video.mp4'), 'initialisationPictures');
    const altered = await verify(folderPath);
    expect(altered.status).toBe(6);
    expect(altered.stderr).toContain('media-altered (verify/not-proved)');
    expect(altered.stdout).toContain('NOT PROVED: 40-video.mp4');
    put(join('share', 'notes.txt'), '');
    const foreign = await verify(folderPath);
    expect([foreign.status, foreign.stderr]).toEqual([5, expect.stringContaining('(share/unexpected-file)')]);
  });
});
