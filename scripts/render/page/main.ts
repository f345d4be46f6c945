/** The page's side of the studio: `window.studio` takes a plan, then frames by number; pictures go back by POST. */
import { LinearSRGBColorSpace, NoToneMapping, WebGLRenderer } from 'three';
import type { StreamPlan } from '../plan.ts';
import { installLens } from './lens.ts';
import { Stage } from './stage.ts';
import type { Testimony } from './witness.ts';

export interface StudioPage {
  load(plan: StreamPlan): void;
  /** `post`: send the picture to the server. */
  frame(index: number, ms: number, options: { readonly settle: boolean; readonly runs: boolean; readonly post: boolean }): Promise<Testimony>;
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

window.studio = {
  load(plan) {
    stage?.dispose();
    stage = undefined;
    stage = new Stage(renderer, plan);
  },
  async frame(index, ms, options) {
    if (stage === undefined) throw new Error('Cannot draw a frame: no plan is loaded');
    if (options.settle) stage.settle(ms);
    const pixels = stage.frame(ms, index);
    const sent = options.post ? fetch('/frame', { method: 'POST', body: pixels as Uint8Array<ArrayBuffer> }) : undefined;
    const testimony = stage.testify(ms, options.runs);
    const answer = await sent;
    if (answer !== undefined && !answer.ok) throw new Error('Cannot hand over a frame: the studio refused it');
    return testimony;
  },
};
