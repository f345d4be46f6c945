/**
 * What the stages of the recorder hand to each other. The stages never import one another: each takes the small
 * interface that it needs from here, and `pipeline.ts` joins them.
 */

/** One uninterrupted capture: one ffmpeg process, one initialisation segment, one mapping to wall time. */
export interface Run {
  readonly runId: string;
  /** ftyp + moov of the copied stream. */
  readonly init: Uint8Array;
  /** RFC 6381 codec string, `avc1.64001f` or `hvc1.…`. */
  readonly codec: string;
  readonly widthPx: number;
  readonly heightPx: number;
}

/**
 * One moof + mdat of the copied stream, whole, never across a keyframe. Times are presentation times on the run's own
 * time line, which starts at about ten seconds: the same numbers as in the bytes.
 */
export interface Fragment {
  readonly runId: string;
  readonly bytes: Uint8Array;
  /** True when the fragment starts with a keyframe and so can be decoded without an earlier one. */
  readonly keyframe: boolean;
  readonly startMs: number;
  readonly durationMs: number;
  readonly pictureCount: number;
}

/** The sound of a run, announced within it, before or after its first fragment. */
export interface Sound {
  readonly runId: string;
  /** ftyp + moov of the sound alone; its track has another id than the video's. */
  readonly init: Uint8Array;
  /** RFC 6381, `mp4a.40.2` or `opus`. */
  readonly codec: string;
}

/** One moof + mdat of sound, on the time line of its run, about half a second long. */
export interface SoundFragment {
  readonly runId: string;
  readonly bytes: Uint8Array;
  readonly startMs: number;
  readonly durationMs: number;
}

/** A small decoded picture for detection: planar YUV 4:2:0, `widthPx * heightPx * 3 / 2` bytes, limited range. */
export interface SmallFrame {
  readonly runId: string;
  /** Same time line as the fragments of the run. */
  readonly timeMs: number;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly yuv: Uint8Array;
}

export type CaptureState = 'connecting' | 'streaming' | 'stale' | 'lost' | 'ended';

export interface CaptureSink {
  /** A run begins; everything from earlier runs has been delivered. */
  onRun(run: Run): void;
  onFragment(fragment: Fragment): void;
  /** Only where sound is recorded. */
  onSound?(sound: Sound): void;
  /** In order; up to a second before or after the video of the same time. */
  onSoundFragment?(fragment: SoundFragment): void;
  /**
   * Frames lag fragments and may be skipped by whole GOPs; they never arrive out of order within a run. A promise holds
   * back the frames after it (never the fragments of a live source) until it settles.
   */
  onFrame(frame: SmallFrame): void | Promise<void>;
  /** `wallMs` of run-relative time 0, refined during the first 10 s; see `joints`: minimum of arrival − time. */
  onAnchor(runId: string, wallAtZeroMs: number): void;
  /** The run is over (camera gone, stall, end of file); its last fragment and frame have been delivered. */
  onRunEnd(runId: string): void;
  /** `code` names why, for states other than `streaming`. */
  onState(state: CaptureState, code?: string): void;
}

/** Pixel rectangle in the small frame, integers, within the frame. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** A moving component, followed from frame to frame by place and overlap. */
export interface MotionTrack {
  /** Unique within a run. */
  readonly id: number;
  readonly box: Box;
  /** Since it was first seen, on the frames' time line. */
  readonly ageMs: number;
}

export interface MotionResult {
  /** `settling`: background not yet learnt. `global`: the whole picture changed (light switch, exposure, reconnect). */
  readonly state: 'settling' | 'quiet' | 'motion' | 'global';
  /** Moving components after zones and minimum size, largest first. Empty unless `state` is `motion`. */
  readonly boxes: readonly Box[];
  /** The same components with their names, in the same order, where the stage follows them. */
  readonly tracks?: readonly MotionTrack[];
  /** Where a component has just been lost: somebody may still be there, half out of the picture or standing in a shadow. */
  readonly held?: readonly Box[];
  /** Share of the (zoned) frame that is foreground, 0..1. */
  readonly foregroundRatio: number;
}

export interface Detection {
  readonly box: Box;
  /** 0..1 */
  readonly score: number;
  readonly label: 'person';
}

export interface MotionStage {
  /** Looks at one frame; call `reset` first when a new run starts. */
  detect(frame: SmallFrame): MotionResult;
  /** What the last result's boxes were made of, one byte a pixel, 0 or 1; null after a frame without it. */
  mask?(): Uint8Array | null;
  reset(): void;
}

export interface LookOptions {
  /** Besides the regions, at the whole frame too. */
  readonly alsoWhole?: boolean;
  /** The regions are looked at in at most so many crops. */
  readonly maxCropCount?: number;
}

export interface PersonStage {
  /** Looks for people in the given regions (or the whole frame when empty). One call at a time. */
  detect(frame: SmallFrame, regions: readonly Box[], options?: LookOptions): Promise<readonly Detection[]>;
  close(): Promise<void>;
}
