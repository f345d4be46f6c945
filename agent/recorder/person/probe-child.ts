/**
 * The child side of `probe.ts`: loads the model named by its one argument, runs it on a grey picture, and prints one
 * JSON object.
 */
import { asAgentError } from '../../base/errors.ts';
import type { SmallFrame } from '../stages.ts';
import { PersonDetector } from './detector.ts';
import type { PersonModel } from './model.ts';

const widthPx = 640;
const heightPx = 360;
const grey: SmallFrame = {
  runId: 'probe',
  timeMs: 0,
  widthPx,
  heightPx,
  yuv: new Uint8Array((widthPx * heightPx * 3) / 2).fill(128),
};

let answer: unknown;
try {
  await using detector = await PersonDetector.open({ model: JSON.parse(process.argv[2] ?? '') as PersonModel });
  await detector.detect(grey, []);
  const startMs = performance.now();
  await detector.detect(grey, []);
  const { inputPx, decoder } = detector;
  answer = { ok: true, inputPx, decoder, runMs: performance.now() - startMs };
} catch (thrown) {
  answer = { ok: false, error: asAgentError(thrown).toReport() };
}
process.stdout.write(JSON.stringify(answer));
