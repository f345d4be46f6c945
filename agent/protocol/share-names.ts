import { z } from 'zod';

/** The fixed names inside a share, in the only order in which they may stand. */
export const shareNames = {
  readme: '00-README.txt',
  request: '10-request.json',
  grant: '20-grant.json',
  manifests: '30-manifest.json',
  proofs: '31-proofs.json',
} as const;

/** Clips of one share, and so files of one kind of media: four hours are 240 clips of a minute. */
export const maxClips = 256;
/** Pictures and sound of each clip. */
export const maxMedia = 2 * maxClips;

/** A grant names every file of its share, and travels nowhere but inside it: no broker has to carry it. */
export const maxGrantBytes = { payload: 160 * 1024, envelope: 240 * 1024 } as const;

/** `40-video.mp4`, `40-video-02.mp4` … `-99`, `-100` … `-256`, and the same for `41-audio`. */
export const mediaName = z
  .string()
  .regex(/^4(?:0-video|1-audio)(?:-(?:0[2-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-6]))?\.mp4$/);

const fixedLimits = new Map<string, number>([
  [shareNames.readme, 64 * 1024],
  [shareNames.request, 48 * 1024],
  [shareNames.grant, maxGrantBytes.envelope],
  [shareNames.manifests, 8 * 1024 * 1024],
  [shareNames.proofs, 64 * 1024 * 1024],
]);
const maxMediaBytes = 4 * 1024 ** 3;

export function isMediaName(name: string): boolean {
  return mediaName.safeParse(name).success;
}

/** Most bytes a file of this name may have; undefined for a name that no share holds. */
export function maxBytesOf(name: string): number | undefined {
  return fixedLimits.get(name) ?? (isMediaName(name) ? maxMediaBytes : undefined);
}

/** `n` counts from 1: the first file of a kind has no number. */
export function mediaNameOf(kind: 'video' | 'audio', n: number): string {
  const stem = kind === 'video' ? '40-video' : '41-audio';
  return n === 1 ? `${stem}.mp4` : `${stem}-${String(n).padStart(2, '0')}.mp4`;
}

/** Order in a share: media of one kind stand by their numbers, `-99` before `-100`, the one without a number first. */
export function compareNames(a: string, b: string): number {
  const [x, y] = [placeOf(a), placeOf(b)];
  return x.stem === y.stem ? x.n - y.n : x.stem < y.stem ? -1 : 1;
}

function placeOf(name: string): { readonly stem: string; readonly n: number } {
  const media = /^(4[01]-[a-z]+)(?:-([0-9]+))?\.mp4$/.exec(name);
  return { stem: media?.[1] ?? name, n: Number(media?.[2] ?? 1) };
}
