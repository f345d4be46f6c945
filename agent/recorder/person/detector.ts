import { AgentError } from '../../base/errors.ts';
import type { ColourMatrix } from '../../base/image.ts';
import type { Box, Detection, LookOptions, PersonStage, SmallFrame } from '../stages.ts';
import type { Decoder } from './head.ts';
import { fillInput } from './input.ts';
import type { PersonModel } from './model.ts';
import { type CropBox, type ScoredBox, suppressOverlaps } from './nms.ts';
import { planRegions } from './regions.ts';
import { ModelSession } from './session.ts';

/** The person stage: crops what moved, runs the model on each crop by ONNX Runtime, and joins what it found. */
export interface PersonOptions {
  readonly model: PersonModel;
  /** Detections below this score are dropped, 0..1. */
  readonly minScore?: number;
  /** Crops a frame at most; each costs one run of the model. */
  readonly maxRegionCount?: number;
  readonly matrix?: ColourMatrix;
}

/** Of the model's input. Smaller still, and a cat that fills the crop is taken for somebody who crouches. */
const leastCropShare = 0.75;
const nms = { overlapRatio: 0.5, insideRatio: 0.8 };

export class PersonDetector implements PersonStage {
  readonly #minScore: number;
  readonly #maxRegionCount: number;
  readonly #matrix: ColourMatrix;
  #session: ModelSession | undefined;
  #busy = false;

  private constructor(session: ModelSession, options: PersonOptions) {
    this.#session = session;
    this.#minScore = options.minScore ?? 0.4;
    this.#maxRegionCount = options.maxRegionCount ?? 2;
    this.#matrix = options.matrix ?? 'bt601';
  }

  /** Throws what `ModelSession.open` throws. */
  static async open(options: PersonOptions): Promise<PersonDetector> {
    if (!((options.minScore ?? 0.4) > 0 && (options.minScore ?? 0.4) <= 1)) {
      throw new AgentError('config', 'person/bad-options', 'Cannot look for people: minScore must be above 0, up to 1');
    }
    return new PersonDetector(await ModelSession.open(options.model), options);
  }

  get inputPx(): number {
    return this.#open().inputPx;
  }

  /** Which kind of model it is. */
  get decoder(): Decoder {
    return this.#open().head.decoder;
  }

  /**
   * Boxes in pixels of the small frame, clipped to it, surest first. `regions` are boxes of what moved; none means the
   * whole frame. Throws `person/busy`, `person/closed`, `person/model-run`, `base/bad-picture`.
   */
  async detect(frame: SmallFrame, regions: readonly Box[], options: LookOptions = {}): Promise<readonly Detection[]> {
    const session = this.#open();
    if (this.#busy) {
      throw new AgentError('bug', 'person/busy', 'Cannot look for people: the last look has not ended');
    }
    this.#busy = true;
    try {
      const crops = planRegions(regions, {
        widthPx: frame.widthPx,
        heightPx: frame.heightPx,
        leastPx: Math.round(session.inputPx * leastCropShare),
        maxCount: options.maxCropCount ?? this.#maxRegionCount,
        contextRatio: 0.25,
        roomRatio: 1.5,
        alsoWhole: options.alsoWhole === true,
      });
      const found: CropBox[] = [];
      for (const [index, crop] of crops.entries()) {
        for (const box of await this.#look(session, frame, crop)) found.push({ ...box, crop: index });
      }
      return suppressOverlaps(found, nms).flatMap((box) => toDetection(box, frame));
    } finally {
      this.#busy = false;
    }
  }

  async #look(session: ModelSession, frame: SmallFrame, crop: Box): Promise<ScoredBox[]> {
    const { input, inputPx, form, head } = session;
    const scale = fillInput(frame, crop, inputPx, input, { form, matrix: this.#matrix });
    return head.decode(await session.run(), this.#minScore).map((box) => ({
      x: box.x / scale + crop.x,
      y: box.y / scale + crop.y,
      w: box.w / scale,
      h: box.h / scale,
      score: box.score,
    }));
  }

  /** Frees the model. Closing again is no error. */
  async close(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #open(): ModelSession {
    if (this.#session === undefined) {
      throw new AgentError('bug', 'person/closed', 'Cannot look for people: the detector is closed');
    }
    return this.#session;
  }
}

function toDetection(box: ScoredBox, frame: SmallFrame): Detection[] {
  const x = Math.max(0, Math.round(box.x));
  const y = Math.max(0, Math.round(box.y));
  const w = Math.min(frame.widthPx, Math.round(box.x + box.w)) - x;
  const h = Math.min(frame.heightPx, Math.round(box.y + box.h)) - y;
  return w > 0 && h > 0 ? [{ box: { x, y, w, h }, score: box.score, label: 'person' }] : [];
}
