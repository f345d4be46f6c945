/**
 * A child of the bench: person checks at a pace, and what they cost in processor time. Prints one JSON line.
 *   node paced-checks.ts MODEL SHA256 FRAME.yuv WIDTH HEIGHT CHECKS PAUSE_MS ours|default
 * `default`: the same model in a session with ONNX Runtime's own defaults, a thread for each core that spins.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { PersonDetector } from '../../../agent/recorder/person/detector.ts';
import { embeddedModel, ownModel } from '../../../agent/recorder/person/model.ts';
import { ModelSession } from '../../../agent/recorder/person/session.ts';

const [path = '', sha256 = '', framePath = '', width, height, checks, pauseMs, how] = process.argv.slice(2);
const embedded = embeddedModel();
const model = path === embedded.path ? embedded : ownModel({ path, sha256 });
const [widthPx, heightPx] = [Number(width), Number(height)];
const frame = { runId: 'paced', timeMs: 0, widthPx, heightPx, yuv: readFileSync(framePath) };
/** A recorder looks for days: what counts is the cost once the engine has compiled what it will. */
const warmCount = 60;

async function defaultRun(): Promise<() => Promise<unknown>> {
  const { InferenceSession, Tensor } = await import('onnxruntime-node');
  const session = await InferenceSession.create(readFileSync(path), { logSeverityLevel: 4 });
  const { inputPx: side } = await ModelSession.open(model);
  const input = new Tensor('float32', new Float32Array(3 * side * side), [1, 3, side, side]);
  return () => session.run({ [session.inputNames[0] ?? '']: input });
}

async function ourRun(): Promise<() => Promise<unknown>> {
  const detector = await PersonDetector.open({ model, minScore: 0.3 });
  return () => detector.detect(frame, []);
}

const run = how === 'default' ? await defaultRun() : await ourRun();
for (let warm = 0; warm < warmCount; warm++) await run();
const before = process.cpuUsage();
for (let check = 0; check < Number(checks); check++) {
  await run();
  if (Number(pauseMs) > 0) await delay(Number(pauseMs));
}
const { user, system } = process.cpuUsage(before);
console.log(JSON.stringify({ cpuMsPerCheck: (user + system) / 1000 / Number(checks) }));
