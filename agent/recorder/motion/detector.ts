import { AgentError } from '../../base/errors.ts';
import { type NativeMotion, nativeAddon } from '../../base/native.ts';
import type { Box, MotionResult, MotionStage, MotionTrack, SmallFrame } from '../stages.ts';

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
  /** What is never looked at: polygons like zones. Nothing in them changes any result. */
  readonly privacyMasks?: readonly ZonePolygon[];
}

const states = ['settling', 'quiet', 'motion', 'global'] as const;
const maxZoneCount = 64;
const maxCornerCount = 256;
/** Of the addon's result: where boxes start, how many there can be, and where their tracks start. */
const [boxesAt, maxBoxCount] = [3, 64];
const tracksAt = boxesAt + 4 * maxBoxCount;
/** What was there for at least so long is held for so long. */
const [solidMs, heldMs] = [1000, 600];

function badOptions(why: string): AgentError {
  return new AgentError('config', 'motion/bad-options', `Cannot watch for motion: ${why}`);
}

function checkOptions(options: MotionOptions): void {
  const { widthPx, heightPx, sensitivity, minAreaRatio, zones, privacyMasks = [] } = options;
  for (const side of [widthPx, heightPx]) {
    if (!Number.isInteger(side) || side < 16 || side > 4096 || side % 2 !== 0) {
      throw badOptions('the small picture must be 16 to 4096 pixels each way, even');
    }
  }
  if (!(sensitivity >= 0 && sensitivity <= 1)) throw badOptions('sensitivity must be 0 to 1');
  if (!(minAreaRatio >= 0 && minAreaRatio <= 1)) throw badOptions('minAreaRatio must be 0 to 1');
  checkPolygons('zone', zones);
  checkPolygons('privacy mask', privacyMasks);
}

function checkPolygons(what: string, polygons: readonly ZonePolygon[]): void {
  if (polygons.length > maxZoneCount) throw badOptions(`at most ${maxZoneCount} ${what}s`);
  for (const polygon of polygons) {
    if (polygon.length < 3 || polygon.length > maxCornerCount) throw badOptions(`a ${what} has 3 to 256 corners`);
    for (const [x, y] of polygon) {
      if (!(x >= 0 && x <= 1 && y >= 0 && y <= 1)) throw badOptions(`${what} corners lie within 0 to 1`);
    }
  }
}

const pointsOf = (polygons: readonly ZonePolygon[]) => Float64Array.from(polygons.flat(2));
const countsOf = (polygons: readonly ZonePolygon[]) => Int32Array.from(polygons, ({ length }) => length);

export class MotionDetector implements MotionStage {
  readonly #widthPx: number;
  readonly #heightPx: number;
  readonly #result: Int32Array;
  #native: NativeMotion | undefined;
  #runId: string | undefined;
  #solid: readonly { readonly track: MotionTrack; readonly lastMs: number }[] = [];

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
      pointsOf(options.zones),
      countsOf(options.zones),
      pointsOf(options.privacyMasks ?? []),
      countsOf(options.privacyMasks ?? []),
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
      this.#solid = [];
      this.#runId = frame.runId;
    }
    native.detect(frame.yuv, frame.timeMs, this.#result);
    const seen = readResult(this.#result);
    return { ...seen, held: this.#hold(seen, frame.timeMs) };
  }

  #hold({ state, tracks = [] }: MotionResult, timeMs: number): readonly Box[] {
    const lost = this.#solid.filter(
      ({ track, lastMs }) => timeMs >= lastMs && timeMs - lastMs <= heldMs && tracks.every(({ id }) => id !== track.id),
    );
    const here = tracks.filter(({ ageMs }) => ageMs >= solidMs).map((track) => ({ track, lastMs: timeMs }));
    this.#solid = state === 'quiet' || state === 'motion' ? [...here, ...lost].slice(0, maxBoxCount) : [];
    return this.#solid.slice(here.length).map(({ track }) => track.box);
  }

  /**
   * A copy of the last frame's foreground, one byte a pixel, 0 or 1. Null before the first frame, while settling and
   * after a global change. Throws `motion/closed`.
   */
  mask(): Uint8Array | null {
    return this.#open().mask();
  }

  /** Forgets the background: a reconnected camera may look elsewhere. Throws `motion/closed`. */
  reset(): void {
    this.#open().reset();
    this.#solid = [];
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
  const tracks: MotionTrack[] = [];
  for (let i = 0; i < count; i++) {
    const [x = 0, y = 0, w = 0, h = 0] = result.subarray(boxesAt + 4 * i, boxesAt + 4 * i + 4);
    const [id = 0, ageMs = 0] = result.subarray(tracksAt + 2 * i, tracksAt + 2 * i + 2);
    const box = { x, y, w, h };
    boxes.push(box);
    tracks.push({ id, box, ageMs });
  }
  return { state: states[state] ?? 'settling', boxes, tracks, foregroundRatio: foregroundE6 / 1e6 };
}
