/** The simplest peer: a detector asked about every whole frame, five times a second; no motion, no tracks, no clips. */
import { PersonDetector } from '../../../agent/recorder/person/detector.ts';
import { readSmallFrames } from '../../../test-fixtures/small-frames.ts';
import { joinSpans, type Span } from '../score/intervals.ts';
import type { TruthStream } from '../streams.ts';
import type { ComparedModel } from './models.ts';
import type { Recording } from './recordings.ts';

const fps = 5;
const joinMs = 2000;

export async function everyFrame(
  stream: TruthStream,
  compared: ComparedModel,
  signal: AbortSignal,
): Promise<Recording> {
  await using detector = await PersonDetector.open({ model: compared.model, minScore: compared.threshold });
  const seen: Span[] = [];
  for await (const frame of readSmallFrames({ path: stream.path, fps })) {
    signal.throwIfAborted();
    const found = await detector.detect(frame, []);
    if (found.length > 0) seen.push({ fromMs: frame.timeMs, toMs: frame.timeMs });
  }
  return { people: joinSpans(seen, joinMs), labels: [], clips: [] };
}
