/** The page's side of the studio: `window.studio` takes a plan, then frames by number; pictures go back as base64, which costs a tenth of a POST. */
import { LinearSRGBColorSpace, NoToneMapping, WebGLRenderer } from 'three';
import type { StreamPlan } from '../plan.ts';
import { type Layout, layOut } from './layout.ts';
import { installLens } from './lens.ts';
import { Stage } from './stage.ts';
import type { Testimony } from './witness.ts';

export interface FrameOptions {
  /** Let the exposure settle on this frame first. */
  readonly settle: boolean;
  /** Also tell the mask of what moves. */
  readonly runs: boolean;
  readonly layout: Layout;
}
export interface FrameAnswer {
  /** Base64 of the picture in the layout asked for. */
  readonly picture: string;
  readonly testimony: Testimony;
}

export interface StudioPage {
  load(plan: StreamPlan): void;
  frame(index: number, ms: number, options: FrameOptions): FrameAnswer;
}
declare global {
  interface Window {
    studio: StudioPage;
  }
}

installLens();
const canvas = document.createElement('canvas');
const renderer = new WebGLRenderer({ canvas, antialias: false, preserveDrawingBuffer: true, alpha: false });
renderer.outputColorSpace = LinearSRGBColorSpace;
renderer.toneMapping = NoToneMapping;
renderer.sortObjects = false;
let stage: Stage | undefined;
/** The one before lives until its successor has drawn a frame, so that compiled shaders are taken over: compiling is slow. */
let retired: Stage | undefined;

window.studio = {
  load(plan) {
    retired?.dispose();
    retired = stage;
    stage = undefined;
    stage = new Stage(renderer, plan);
  },
  frame(index, ms, options) {
    if (stage === undefined) throw new Error('Cannot draw a frame: no plan is loaded');
    if (options.settle) stage.settle(ms);
    const laidOut = layOut(stage.frame(ms, index), canvas.width, canvas.height, options.layout);
    const testimony = stage.testify(ms, options.runs);
    retired?.dispose();
    retired = undefined;
    return { picture: toBase64(laidOut), testimony };
  },
};

/** Newer browsers have it built in. */
function toBase64(bytes: Uint8Array): string {
  if ('toBase64' in bytes && typeof bytes.toBase64 === 'function') return String(bytes.toBase64());
  let text = '';
  for (let i = 0; i < bytes.length; i += 0x6000) text += String.fromCharCode(...bytes.subarray(i, i + 0x6000));
  return btoa(text);
}
