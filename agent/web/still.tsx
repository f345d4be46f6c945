/** A clip's thumbnail, or a plain box where it has none. Times and labels stand beside it, so it is decoration. */
import type { JSX } from 'preact';
import type { ClipSummary } from '../owner/service.ts';

export function Still({ clip }: { readonly clip: ClipSummary }): JSX.Element {
  if (clip.thumbnailJpegBase64 === undefined) return <span class="still" aria-hidden="true" />;
  return <img class="still" alt="" src={`data:image/jpeg;base64,${clip.thumbnailJpegBase64}`} />;
}
