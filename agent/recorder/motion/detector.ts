import { AgentError } from '../../base/errors.ts';
import { type NativeMotion, nativeAddon } from '../../base/native.ts';
import type { Box, MotionResult, MotionStage, SmallFrame } from '../stages.ts';

/** The motion stage: checks every frame, lets the native core look at its luma plane, and reads the answer. */
export type ZonePolygon = readonly (readonly [x: number, y: number])[];

export interface MotionOptions {
  /** Even, 16..4096. Every frame must have this size. */
  readonly widthPx: number;
  readonly heightPx: number;
  /** 0..1: 0 sees only strong contrast, 1 sees faint change. */
  readonly sensitivity: number;
  /** Smallest component that counts, as a share of the whole picture, 0..1. */
  readonly minAreaRatio: number;
  /** Where motion counts: polygons of 3 to 256 corners in shares of the picture. None = everywhere. */
  readonly zones: readonly ZonePolygon[];
}

const states = ['settling', 'quiet', 'motion', 'global'] as const;
const maxZoneCount = 64;
const maxCornerCount = 256;

function badOptions(why: string): AgentError {
  return new AgentError('config', 'motion/bad-options', `Cannot watch for motion: ${why}`);
}

function checkOptions(options: MotionOptions): void {
  const { widthPx, heightPx, sensitivity, minAreaRatio, zones } = options;
  for (const side of [widthPx, heightPx]) {
    if (!Number.isInteger(side) || side < 16 || side > 4096 || side % 2 !== 0) {
      throw badOptions('the small picture must be 16 to 4096 pixels each way, even');
    }
  }
  if (!(sensitivity >= 0 && sensitivity <= 1)) throw badOptions('sensitivity must be 0 to 1');
  if (!(minAreaRatio >= 0 && minAreaRatio <= 1)) throw badOptions('minAreaRatio must be 0 to 1');
  if (zones.length > maxZoneCount) throw badOptions(`at most ${maxZoneCount} zones`);
  for (const zone of zones) {
    if (zone.length < 3 || zone.length > maxCornerCount) throw badOptions('a zone has 3 to 256 corners');
    for (const [x, y] of zone) {
      if (!(x >= 0 && x <= 1 && y >= 0 && y <= 1)) throw badOptions('zone corners lie within 0 to 1');
    }
  }
}

export class MotionDetector implements MotionStage {
  readonly #widthPx: number;
  readonly #heightPx: number;
  readonly #result: Int32Array;
  #native: NativeMotion | undefined;
  #runId: string | undefined;

  /** Throws `motion/bad-options`, or `base/addon-missing` where the addon was not built. */
  constructor(options: MotionOptions) {
    checkOptions(options);
    const addon = nativeAddon();
    this.#widthPx = options.widthPx;
    this.#heightPx = options.heightPx;
    this.#result = new Int32Array(addon.motionResultLength);
    this.#native = new addon.Motion(
      options.widthPx,
      options.heightPx,
      options.sensitivity,
      options.minAreaRatio,
      Float64Array.from(options.zones.flat(2)),
      Int32Array.from(options.zones, (zone) => zone.length),
    );
  }

  /** A frame of another run starts settling by itself. Throws `motion/bad-frame`, `motion/closed`. */
  detect(frame: SmallFrame): MotionResult {
    const native = this.#open();
    if (
      frame.widthPx !== this.#widthPx ||
      frame.heightPx !== this.#heightPx ||
      !(frame.yuv instanceof Uint8Array) ||
      frame.yuv.length !== (this.#widthPx * this.#heightPx * 3) / 2 ||
      !Number.isFinite(frame.timeMs)
    ) {
      throw new AgentError('bug', 'motion/bad-frame', 'Cannot look at the frame: its size or time is wrong', {
        detail: { wantedWidthPx: this.#widthPx, wantedHeightPx: this.#heightPx, gotBytes: frame.yuv?.length ?? null },
      });
    }
    if (this.#runId !== frame.runId) {
      native.reset();
      this.#runId = frame.runId;
    }
    native.detect(frame.yuv, frame.timeMs, this.#result);
    return readResult(this.#result);
  }

  /** Forgets the background: a reconnected camera may look elsewhere. Throws `motion/closed`. */
  reset(): void {
    this.#open().reset();
    this.#runId = undefined;
  }

  /** Frees the native memory. Closing again is no error. */
  close(): void {
    this.#native?.close();
    this.#native = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #open(): NativeMotion {
    if (this.#native === undefined) {
      throw new AgentError('bug', 'motion/closed', 'Cannot look for motion: the detector is closed');
    }
    return this.#native;
  }
}

function readResult(result: Int32Array): MotionResult {
  const [state = 0, foregroundE6 = 0, count = 0] = result;
  const boxes: Box[] = [];
  for (let i = 3; i < 3 + count * 4; i += 4) {
    const [x = 0, y = 0, w = 0, h = 0] = result.subarray(i, i + 4);
    boxes.push({ x, y, w, h });
  }
  return { state: states[state] ?? 'settling', boxes, foregroundRatio: foregroundE6 / 1e6 };
}
