import type * as OnnxRuntime from 'onnxruntime-node';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { AgentError, asAgentError } from '../../base/errors.ts';
import { type Head, type InputForm, planHead, usualInputs } from './head.ts';
import { type PersonModel, readModel } from './model.ts';

/**
 * A model in ONNX Runtime, with everything that its shapes say checked before the first run.
 *
 * One thread and no spinning: at a few calls a second ONNX Runtime's default pool burns several times the CPU in
 * waiting. Without the arena the resident size stays near what one run needs.
 */
const sessionOptions: InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  enableCpuMemArena: false,
  // What fails is thrown; the library need not also write to our standard error.
  logSeverityLevel: 4,
  extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
};

const [leastInputPx, mostInputPx] = [32, 1280];
/** Of one output; a model may claim any size for memory that is taken before it runs. */
const mostOutputCount = 1 << 24;

export class ModelSession {
  readonly inputPx: number;
  readonly head: Head;
  readonly form: InputForm;
  /** The tensors are made once; the model reads from and writes into their memory. */
  readonly input: Float32Array;
  readonly #session: InferenceSession;
  readonly #feeds: Readonly<Record<string, Tensor>>;
  readonly #fetches: Readonly<Record<string, Tensor>>;
  readonly #outputs: readonly Float32Array[];

  private constructor(session: InferenceSession, model: PersonModel, runtime: typeof OnnxRuntime) {
    const inputPx = readInputPx(session, model);
    const shapes = session.outputMetadata.map(floatShape);
    const { decoder, strides } = model;
    const head = planHead({ inputPx, decoder, strides, outputs: shapes });
    if (head === undefined) {
      const kind = decoder ?? 'YOLOX, NanoDet or FastestDet';
      const sizes = shapes.map((shape) => `[${shape.join(', ')}]`).join(' ');
      throw wrongShape(`its outputs ${sizes} are not those of ${kind} at ${inputPx} pixels`);
    }
    const outputs = shapes.map((shape) => new Float32Array(sizeOf(shape)));
    const input = new Float32Array(3 * inputPx * inputPx);
    this.inputPx = inputPx;
    this.head = head;
    this.form = { ...usualInputs[head.decoder], ...model.input };
    this.input = input;
    this.#session = session;
    this.#feeds = { [session.inputNames[0] ?? '']: new runtime.Tensor('float32', input, [1, 3, inputPx, inputPx]) };
    this.#fetches = Object.fromEntries(
      session.outputNames.map((name, i) => {
        return [name, new runtime.Tensor('float32', outputs[i] ?? new Float32Array(), shapes[i] ?? [])];
      }),
    );
    this.#outputs = outputs;
  }

  /**
   * Throws `person/model-missing`, `person/model-hash`, `person/model-shape`, `person/runtime-unusable`. A processor
   * that lacks an instruction kills the whole process here, so `probeModel` comes first where capture must survive.
   */
  static async open(model: PersonModel): Promise<ModelSession> {
    const bytes = readModel(model);
    let runtime: typeof OnnxRuntime;
    // The library keeps a journal of its use in the home directory and sends it to its maker unless it is told not to.
    process.env['ORT_DISABLE_TELEMETRY'] = '1';
    try {
      runtime = await import('onnxruntime-node');
    } catch (thrown) {
      const message = 'Cannot look for people: ONNX Runtime does not load';
      throw new AgentError('unavailable', 'person/runtime-unusable', message, { cause: thrown });
    }
    let session: InferenceSession;
    try {
      session = await runtime.InferenceSession.create(bytes, sessionOptions);
    } catch (thrown) {
      throw wrongShape('ONNX Runtime cannot read it', thrown);
    }
    try {
      return new ModelSession(session, model, runtime);
    } catch (thrown) {
      await session.release();
      throw asAgentError(thrown);
    }
  }

  /** What the model makes of `input`; the arrays are overwritten by the next run. Throws `person/model-run`. */
  async run(): Promise<readonly Float32Array[]> {
    try {
      await this.#session.run(this.#feeds, this.#fetches);
    } catch (thrown) {
      throw new AgentError('refused', 'person/model-run', 'Cannot use the model: it fails when it runs', {
        cause: thrown,
      });
    }
    return this.#outputs;
  }

  close(): Promise<void> {
    return this.#session.release();
  }
}

/** One input [1, 3, S, S]. */
function readInputPx(session: InferenceSession, model: PersonModel): number {
  const [metadata, ...others] = session.inputMetadata;
  if (metadata === undefined || others.length > 0) throw wrongShape('it must have one input');
  const [batch, planes, height, inputPx = 0] = floatShape(metadata);
  if (batch !== 1 || planes !== 3 || height !== inputPx) throw wrongShape('its input is not [1, 3, S, S]');
  if (inputPx < leastInputPx || inputPx > mostInputPx || inputPx !== (model.inputPx ?? inputPx)) {
    throw wrongShape('its input has another side than the manifest says, or one outside 32 to 1280');
  }
  return inputPx;
}

/** Sides that the model leaves open count as 0 and so fit nothing. */
function floatShape(metadata: InferenceSession.ValueMetadata): readonly number[] {
  if (!metadata.isTensor || metadata.type !== 'float32') throw wrongShape('its inputs and outputs must be float32');
  const shape = metadata.shape.map((side) => (typeof side === 'number' ? side : 0));
  if (sizeOf(shape) > mostOutputCount) throw wrongShape('it puts out more numbers than any person model');
  return shape;
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}

function wrongShape(why: string, cause?: unknown): AgentError {
  return new AgentError('refused', 'person/model-shape', `Cannot use the model: ${why}`, { cause });
}
