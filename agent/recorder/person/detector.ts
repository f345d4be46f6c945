import type * as OnnxRuntime from 'onnxruntime-node';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { AgentError, asAgentError } from '../../base/errors.ts';
import { type ColourMatrix, letterbox } from '../../base/image.ts';
import type { Box, Detection, PersonStage, SmallFrame } from '../stages.ts';
import { decodeYolox, rowCount, type YoloxLayout } from './decode.ts';
import { type PersonModel, readModel } from './model.ts';
import { type ScoredBox, suppressOverlaps } from './nms.ts';
import { planRegions } from './regions.ts';

/** The person stage: crops what moved, runs the model on each crop by ONNX Runtime, and joins what it found. */
export interface PersonOptions {
  readonly model: PersonModel;
  /** Detections below this score are dropped, 0..1. */
  readonly minScore?: number;
  /** Crops a frame at most; each costs one run of the model. */
  readonly maxRegionCount?: number;
  readonly matrix?: ColourMatrix;
  /** See `NmsOptions`; 1 where only whole pictures are looked at, because no crop cuts people there. Default 0.8. */
  readonly insideRatio?: number;
}

const overlapRatio = 0.5;
const defaultInsideRatio = 0.8;

/**
 * One thread and no spinning: at a few calls a second ONNX Runtime's default pool burns several times the CPU in
 * waiting. Without the arena the resident size stays near what one run needs.
 */
const sessionOptions: InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  enableCpuMemArena: false,
  logSeverityLevel: 3,
  extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
};

interface Loaded {
  readonly session: InferenceSession;
  readonly layout: YoloxLayout;
  /** The tensors are made once; the model reads from and writes into their memory. */
  readonly input: Tensor;
  readonly output: Tensor;
}

export class PersonDetector implements PersonStage {
  readonly #minScore: number;
  readonly #maxRegionCount: number;
  readonly #matrix: ColourMatrix;
  readonly #insideRatio: number;
  #loaded: Loaded | undefined;
  #busy = false;

  private constructor(loaded: Loaded, options: PersonOptions) {
    this.#loaded = loaded;
    this.#minScore = options.minScore ?? 0.4;
    this.#maxRegionCount = options.maxRegionCount ?? 2;
    this.#matrix = options.matrix ?? 'bt601';
    this.#insideRatio = options.insideRatio ?? defaultInsideRatio;
  }

  /**
   * Throws `person/model-missing`, `person/model-hash`, `person/model-shape`, `person/runtime-unusable`. A processor
   * that lacks an instruction kills the whole process here, so `probeModel` comes first where capture must survive.
   */
  static async open(options: PersonOptions): Promise<PersonDetector> {
    if (!((options.minScore ?? 0.4) > 0 && (options.minScore ?? 0.4) <= 1)) {
      throw new AgentError('config', 'person/bad-options', 'Cannot look for people: minScore must be above 0, up to 1');
    }
    return new PersonDetector(await load(options.model), options);
  }

  get inputPx(): number {
    return this.#open().layout.inputPx;
  }

  /**
   * Boxes in pixels of the small frame, clipped to it, surest first. `regions` are boxes of what moved; none means the
   * whole frame. Throws `person/busy`, `person/closed`, `base/bad-picture`.
   */
  async detect(frame: SmallFrame, regions: readonly Box[]): Promise<readonly Detection[]> {
    const loaded = this.#open();
    if (this.#busy) {
      throw new AgentError('bug', 'person/busy', 'Cannot look for people: the last look has not ended');
    }
    this.#busy = true;
    try {
      const crops = planRegions(regions, {
        widthPx: frame.widthPx,
        heightPx: frame.heightPx,
        inputPx: loaded.layout.inputPx,
        maxCount: this.#maxRegionCount,
        contextRatio: 0.25,
      });
      const found: ScoredBox[] = [];
      for (const crop of crops) found.push(...(await this.#look(loaded, frame, crop)));
      const nms = { overlapRatio, insideRatio: this.#insideRatio };
      return suppressOverlaps(found, nms).flatMap((box) => toDetection(box, frame));
    } finally {
      this.#busy = false;
    }
  }

  async #look(loaded: Loaded, frame: SmallFrame, crop: Box): Promise<ScoredBox[]> {
    const { session, layout, input, output } = loaded;
    const scale = letterbox(frame, crop, layout.inputPx, input.data as Float32Array, this.#matrix);
    const inputName = session.inputNames[0] as string;
    const outputName = session.outputNames[0] as string;
    await session.run({ [inputName]: input }, { [outputName]: output });
    return decodeYolox(output.data as Float32Array, layout, this.#minScore).map((box) => ({
      x: box.x / scale + crop.x,
      y: box.y / scale + crop.y,
      w: box.w / scale,
      h: box.h / scale,
      score: box.score,
    }));
  }

  /** Frees the model. Closing again is no error. */
  async close(): Promise<void> {
    const loaded = this.#loaded;
    this.#loaded = undefined;
    await loaded?.session.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #open(): Loaded {
    if (this.#loaded === undefined) {
      throw new AgentError('bug', 'person/closed', 'Cannot look for people: the detector is closed');
    }
    return this.#loaded;
  }
}

async function load(model: PersonModel): Promise<Loaded> {
  const bytes = readModel(model);
  let runtime: typeof OnnxRuntime;
  try {
    runtime = await import('onnxruntime-node');
  } catch (thrown) {
    throw new AgentError(
      'unavailable',
      'person/runtime-unusable',
      'Cannot look for people: ONNX Runtime does not load',
      {
        cause: thrown,
      },
    );
  }
  let session: InferenceSession;
  try {
    session = await runtime.InferenceSession.create(bytes, sessionOptions);
  } catch (thrown) {
    throw wrongShape('ONNX Runtime cannot read it', thrown);
  }
  try {
    const layout = readLayout(session, model);
    const side = layout.inputPx;
    const rows = rowCount(layout);
    return {
      session,
      layout,
      input: new runtime.Tensor('float32', new Float32Array(3 * side * side), [1, 3, side, side]),
      output: new runtime.Tensor('float32', new Float32Array(rows * layout.rowLength), [1, rows, layout.rowLength]),
    };
  } catch (thrown) {
    await session.release();
    throw asAgentError(thrown);
  }
}

/** One input [1, 3, S, S] and one output [1, cells of all strides, 5 + classes], both float32. */
function readLayout(session: InferenceSession, model: PersonModel): YoloxLayout {
  const input = floatShape(session.inputMetadata, 4);
  const output = floatShape(session.outputMetadata, 3);
  const inputPx = input[3] ?? 0;
  const rowLength = output[2] ?? 0;
  if (input[0] !== 1 || input[1] !== 3 || input[2] !== inputPx) throw wrongShape('its input is not [1, 3, S, S]');
  if (inputPx < 32 || inputPx > 1280 || inputPx !== (model.inputPx ?? inputPx)) {
    throw wrongShape('its input has another side than the manifest says, or one outside 32 to 1280');
  }
  const layout = { inputPx, strides: model.strides, rowLength };
  if (output[0] !== 1 || output[1] !== rowCount(layout) || rowLength < 6) {
    throw wrongShape(`its output is not [1, ${rowCount(layout)}, 5 + classes]`);
  }
  return layout;
}

function floatShape(metadata: readonly InferenceSession.ValueMetadata[], rank: number): readonly number[] {
  const [value] = metadata;
  if (metadata.length !== 1 || value?.isTensor !== true || value.type !== 'float32' || value.shape.length !== rank) {
    throw wrongShape('it must have one float32 input and one float32 output');
  }
  return value.shape.map((side) => (typeof side === 'number' ? side : 0));
}

function wrongShape(why: string, cause?: unknown): AgentError {
  return new AgentError('refused', 'person/model-shape', `Cannot use the model: ${why}`, { cause });
}

function toDetection(box: ScoredBox, frame: SmallFrame): Detection[] {
  const x = Math.max(0, Math.round(box.x));
  const y = Math.max(0, Math.round(box.y));
  const w = Math.min(frame.widthPx, Math.round(box.x + box.w)) - x;
  const h = Math.min(frame.heightPx, Math.round(box.y + box.h)) - y;
  return w > 0 && h > 0 ? [{ box: { x, y, w, h }, score: box.score, label: 'person' }] : [];
}
