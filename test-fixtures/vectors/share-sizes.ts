import { sha256Hex } from '../../agent/protocol/bytes.ts';
import { writeArchive } from '../../agent/protocol/share-archive.ts';
import { mediaNameOf } from '../../agent/protocol/share-names.ts';
import type { ShareFile } from '../../agent/protocol/share-verify.ts';
import { goodParts, jsonBytes, type Parts, pack } from './share-parts.ts';
import { damaged, fails, holds, made, refused, type ShareVector, vector } from './shares.ts';

/** Whole shares at both sides of how many files they hold, in which order, and how large the grant may be. */
const video = '40-video.mp4';
const audio = '41-audio.mp4';
const over = ['40-video-99.mp4', '40-video-100.mp4', '40-video-256.mp4', '41-audio-101.mp4'];

/** The recorded files once more under other names, in the place of the two. */
function renamed(parts: Parts, names: readonly string[]): void {
  const [of, proofs] = [parts.media, parts.proofs];
  const source = (name: string): string => (name.startsWith('40') ? video : audio);
  parts.media = Object.fromEntries(names.map((name) => [name, of[source(name)] ?? new Uint8Array()]));
  parts.proofs = names.flatMap((name) =>
    proofs.filter((proof) => proof.name === source(name)).map((proof) => ({ ...proof, name })),
  );
}

const unaltered = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, 'unaltered']));

function numbered(): ShareVector[] {
  const files = (): ShareFile[] => {
    const parts = goodParts();
    renamed(parts, over);
    return pack(parts);
  };
  const flipped = files().map(({ name, bytes }) => ({
    name,
    bytes: name === over[1] ? bytes.map((byte, i) => (i === 70 ? byte ^ 1 : byte)) : bytes,
  }));
  return [
    made('good, files with numbers over a hundred', (parts) => renamed(parts, over), holds(unaltered(over))),
    vector(
      'a bit of number 100 flipped',
      writeArchive(flipped),
      fails(['media-altered'], { ...unaltered(over), '40-video-100.mp4': 'altered' }),
    ),
    vector(
      'number 99 missing',
      writeArchive(files().filter(({ name }) => name !== over[0])),
      fails(['media-missing'], { ...unaltered(over), '40-video-99.mp4': 'altered' }),
    ),
    made('good, 256 clips', full, holds(fullMedia())),
  ];
}

/** As many pictures as a share can hold; all but a few are derived and empty, so that the vector stays small. */
function full(parts: Parts): void {
  const proved = [video, '40-video-100.mp4', '40-video-256.mp4', audio];
  renamed(parts, proved);
  const names = Object.keys(fullMedia());
  parts.media = Object.fromEntries(names.map((name) => [name, parts.media[name] ?? new Uint8Array()]));
  const media = Object.entries(parts.media).map(([name, bytes]) => {
    const kind = proved.includes(name) ? ('original' as const) : ('derived' as const);
    return { name, kind, bytes: bytes.length, sha256: sha256Hex(bytes) };
  });
  parts.grant = { media };
}

function fullMedia(): Record<string, string> {
  const names = Array.from({ length: 256 }, (_, i) => mediaNameOf('video', i + 1));
  const derived = Object.fromEntries(names.map((name) => [name, 'derived']));
  return { ...derived, ...unaltered([video, '40-video-100.mp4', '40-video-256.mp4', audio]) };
}

/** An archive of any files in any order: what `writeArchive` refuses to write. */
function joined(files: readonly ShareFile[]): Uint8Array {
  const parts = files.map(({ name, bytes }) => {
    const length = 512 + Math.ceil(bytes.length / 512) * 512;
    const archive = Buffer.from(writeArchive([{ name: video, bytes }])).subarray(0, length);
    archive.fill(0, 0, 100).write(name, 0, 'latin1');
    archive.write('        ', 148, 'latin1');
    const sum = archive.subarray(0, 512).reduce((total, byte) => total + byte, 0);
    archive.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    return archive;
  });
  const whole = Buffer.concat(parts);
  return Buffer.concat([whole, Buffer.alloc((1 << 20) - whole.length)]);
}

function orders(): ShareVector[] {
  const listed = (names: readonly string[], code: string): ShareVector =>
    vector(names.join(', then '), joined(names.map((name) => ({ name, bytes: Buffer.from(name) }))), refused(code));
  const readable = 'share/missing-file';
  const disordered = 'archive/bad-order';
  return [
    listed(['40-video.mp4', '40-video-02.mp4', '40-video-99.mp4', '40-video-100.mp4'], readable),
    listed(['40-video-199.mp4', '40-video-200.mp4', '40-video-256.mp4', '41-audio.mp4'], readable),
    listed(['41-audio-99.mp4', '41-audio-100.mp4', '41-audio-256.mp4'], readable),
    listed(['40-video-100.mp4', '40-video-99.mp4'], disordered),
    listed(['40-video-10.mp4', '40-video-100.mp4', '40-video-11.mp4'], disordered),
    listed(['41-audio-200.mp4', '41-audio-20.mp4'], disordered),
    listed(['40-video-100.mp4', '40-video.mp4'], disordered),
    listed(['40-video-100.mp4', '40-video-100.mp4'], disordered),
    listed(['41-audio.mp4', '40-video-256.mp4'], disordered),
    ...['40-video-257.mp4', '41-audio-257.mp4', '40-video-1000.mp4', '40-video-099.mp4', '40-video-01.mp4'].map(
      (name) => listed([video, name], 'archive/bad-name'),
    ),
  ];
}

function lists(): ShareVector[] {
  const manifest = '30-manifest.json';
  const listed = (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString()) as { manifests: unknown[] };
  const zeros = (count: number): number[] => Array.from({ length: count }, () => 0);
  const malformed = refused('share/malformed-file');
  const both = unaltered([video, audio]);
  const manifests = (count: number) => (bytes: Uint8Array) =>
    jsonBytes({ manifests: [...listed(bytes).manifests, ...zeros(count - 1)] });
  const lineage = (count: number) => (bytes: Uint8Array) => jsonBytes({ ...listed(bytes), lineage: zeros(count) });
  /** Of a file that isn't there, each in as many bytes as a multiple of three, which repeat in base64 too. */
  const other = `${JSON.stringify({ name: '41-audio-02.mp4', manifest_hash: '0'.repeat(64), fragments: [] })},`;
  const proofs = (count: number) => (bytes: Uint8Array) =>
    Buffer.from(
      Buffer.from(bytes)
        .toString()
        .replace('[', `[${other.padEnd(Math.ceil(other.length / 3) * 3).repeat(count - 2)}`),
    );
  return [
    damaged('256 manifests', manifest, manifests(256), fails(['manifest-signature'])),
    damaged('257 manifests', manifest, manifests(257), malformed),
    damaged('256 lineages', manifest, lineage(256), holds(both, 'broken')),
    damaged('257 lineages', manifest, lineage(257), malformed),
    damaged('good, proofs of 512 files', '31-proofs.json', proofs(512), holds(both)),
    damaged('proofs of 513 files', '31-proofs.json', proofs(513), malformed),
  ];
}

/** White space behind the envelope counts as the rest of it does. */
function grants(): ShareVector[] {
  const grown = (name: string, bytes: number, meant: Parameters<typeof vector>[2]): ShareVector => {
    const files = pack(goodParts()).map((file) =>
      file.name === '20-grant.json'
        ? { name: file.name, bytes: Buffer.from(Buffer.from(file.bytes).toString().padEnd(bytes)) }
        : file,
    );
    return vector(name, joined(files), meant);
  };
  return [
    grown('good, a grant of the largest size', 245_760, holds(unaltered([video, audio]))),
    grown('a grant of a byte more than the largest size', 245_761, refused('archive/file-too-large')),
  ];
}

export function shareSizes(): ShareVector[] {
  return [...numbered(), ...orders(), ...lists(), ...grants()];
}
