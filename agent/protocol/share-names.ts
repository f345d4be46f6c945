import { z } from 'zod';

/** The fixed names inside a share, in the only order in which they may stand. */
export const shareNames = {
  readme: '00-README.txt',
  request: '10-request.json',
  grant: '20-grant.json',
  manifests: '30-manifest.json',
  proofs: '31-proofs.json',
} as const;

/** `40-video.mp4`, `40-video-02.mp4` … `-99`, and the same for `41-audio`. */
export const mediaName = z.string().regex(/^4(?:0-video|1-audio)(?:-(?:0[2-9]|[1-9][0-9]))?\.mp4$/);

const fixedLimits = new Map<string, number>([
  [shareNames.readme, 64 * 1024],
  [shareNames.request, 48 * 1024],
  [shareNames.grant, 48 * 1024],
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

/** Position in a share: the plain name comes before its numbered ones (`-` sorts after `.` here). */
export function compareNames(a: string, b: string): number {
  const [x, y] = [orderKey(a), orderKey(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}

function orderKey(name: string): string {
  return name.replace(/(video|audio)\.mp4$/, '$1-01.mp4');
}
