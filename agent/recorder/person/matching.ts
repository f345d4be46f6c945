import type { Box, Detection } from '../stages.ts';
import { overlapRatio } from './nms.ts';

/** Which detection continues which track, by position only. Pure. */
export function matchUp<T extends { readonly box: Box }>(
  tracks: readonly T[],
  detections: readonly Detection[],
): readonly (readonly [T, Detection])[] {
  const pairs: { track: T; detection: Detection; likeness: number }[] = [];
  for (const track of tracks) {
    for (const detection of detections) {
      const likeness = likenessOf(track.box, detection.box);
      if (likeness > 0) pairs.push({ track, detection, likeness });
    }
  }
  // Best pairs first; each track and each detection once.
  pairs.sort((a, b) => b.likeness - a.likeness);
  const usedTracks = new Set<T>();
  const usedDetections = new Set<Detection>();
  const matched: (readonly [T, Detection])[] = [];
  for (const { track, detection } of pairs) {
    if (usedTracks.has(track) || usedDetections.has(detection)) continue;
    usedTracks.add(track);
    usedDetections.add(detection);
    matched.push([track, detection]);
  }
  return matched;
}

/**
 * Above 0 when both boxes may be one person: they overlap, or their centres are within one body height, which covers a
 * walker seen five times a second and one whose box was cut by the picture's edge.
 */
function likenessOf(a: Box, b: Box): number {
  const overlap = overlapRatio(a, b);
  const distance = Math.hypot(a.x + a.w / 2 - b.x - b.w / 2, a.y + a.h / 2 - b.y - b.h / 2);
  const reach = Math.max(a.h, b.h, a.w, b.w);
  if (overlap < 0.1 && distance > reach) return 0;
  return overlap + Math.max(0, 1 - distance / (2 * reach)) * 0.5;
}
