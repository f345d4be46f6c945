import { asAgentError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { PersonConfig } from '../config/schema.ts';
import type { PersonLook } from './looks.ts';
import { PersonDetector } from './person/detector.ts';
import { embeddedModel, ownModel } from './person/model.ts';
import { probeModel } from './person/probe.ts';
import { PersonTracker } from './person/tracker.ts';

/** Getting the person stage ready. Whatever goes wrong with it is said loudly and costs people's labels, not the recording. */
export interface OpenedPersonLook {
  readonly look: PersonLook | undefined;
  /** `unavailable`: asked for, but every motion counts instead; `code` says why. */
  readonly state: 'starting' | 'on' | 'off' | 'unavailable';
  readonly code?: string;
}

/** Of the threshold: somebody who is known already may be found less surely. */
const weakShare = 0.5;

type ChosenModel = Exclude<PersonConfig['model'], 'off'>;

/** For who would rather fail than go on without: throws what `probeModel` and `PersonDetector.open` throw. */
export async function loadPersonLook(
  config: PersonConfig & { readonly model: ChosenModel },
  signal: AbortSignal,
): Promise<PersonLook> {
  const model = config.model === 'embedded' ? embeddedModel() : ownModel(config.model);
  // In a child first: a processor that lacks an instruction must not end this program.
  await probeModel({ model, signal });
  const { threshold, needHits: confirmCount, ofFrames: windowCount } = config;
  const stage = await PersonDetector.open({ model, minScore: threshold * weakShare });
  const tracker = new PersonTracker({ confirmCount, windowCount, threshold });
  return { stage, tracker };
}

export async function openPersonLook(
  config: PersonConfig,
  options: { readonly cameraId: string; readonly log: Log; readonly signal: AbortSignal },
): Promise<OpenedPersonLook> {
  const { model } = config;
  if (model === 'off') return { look: undefined, state: 'off' };
  const { log, signal, cameraId } = options;
  try {
    return { look: await loadPersonLook({ ...config, model }, signal), state: 'on' };
  } catch (thrown) {
    if (signal.aborted) return { look: undefined, state: 'off' };
    log.error('no-person-detection', thrown, { camera: cameraId });
    return { look: undefined, state: 'unavailable', code: asAgentError(thrown).code };
  }
}
