import { decodeFastestdet } from './fastestdet.ts';
import { cellCount } from './grid.ts';
import { decodeNanodet } from './nanodet.ts';
import type { ScoredBox } from './nms.ts';
import { decodeYolox, rowCount } from './yolox.ts';

/**
 * Which of the known kinds a model is, read from the shapes of its outputs, and what follows from that: how its boxes
 * are decoded and what its maker fed it. Pure.
 */
export const decoders = ['yolox', 'nanodet', 'fastestdet'] as const;
export type Decoder = (typeof decoders)[number];

/** How colours, 0..255, become the model's numbers: (colour - mean) / std, in the order of `pixelOrder`. */
export interface InputForm {
  readonly pixelOrder: 'bgr' | 'rgb';
  /** The colour of what no picture covers, before mean and deviation are applied. */
  readonly pad: number;
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

export interface Head {
  readonly decoder: Decoder;
  /** `outputs` in the order of the shapes that the head was planned from. Boxes in input pixels. */
  decode(outputs: readonly Float32Array[], minScore: number): ScoredBox[];
}

export interface HeadQuestion {
  readonly inputPx: number;
  /** Only this kind will do. */
  readonly decoder?: Decoder | undefined;
  readonly strides?: readonly number[] | undefined;
  readonly outputs: readonly (readonly number[])[];
}

const usualStrides = [8, 16, 32];

export const usualInputs: Readonly<Record<Decoder, InputForm>> = {
  yolox: { pixelOrder: 'bgr', pad: 114, mean: [0, 0, 0], std: [1, 1, 1] },
  // The colour statistics of ImageNet, blue first.
  nanodet: { pixelOrder: 'bgr', pad: 114, mean: [103.53, 116.28, 123.675], std: [57.375, 57.12, 58.395] },
  fastestdet: { pixelOrder: 'bgr', pad: 114, mean: [0, 0, 0], std: [255, 255, 255] },
};

const planners: Readonly<Record<Decoder, (question: HeadQuestion) => Head | undefined>> = {
  yolox: planYolox,
  nanodet: planNanodet,
  fastestdet: planFastestdet,
};

/** Undefined when the shapes are none that is known, or not those of the kind that was asked for. */
export function planHead(question: HeadQuestion): Head | undefined {
  for (const decoder of decoders) {
    if (question.decoder !== undefined && question.decoder !== decoder) continue;
    const head = planners[decoder](question);
    if (head !== undefined) return head;
  }
  return undefined;
}

/** One output [1, cells of all strides, 5 + classes]. */
function planYolox({ inputPx, strides = usualStrides, outputs }: HeadQuestion): Head | undefined {
  const [shape, ...others] = outputs;
  if (shape?.length !== 3 || others.length > 0) return undefined;
  const [batch = 0, rows = 0, rowLength = 0] = shape;
  if (batch !== 1 || rows !== rowCount({ inputPx, strides }) || rowLength < 6) return undefined;
  const layout = { inputPx, strides, rowLength };
  return {
    decoder: 'yolox',
    decode: ([output], minScore) => decodeYolox(output ?? new Float32Array(), layout, minScore),
  };
}

/** For each stride a table [cells, classes] and a table [cells, 4 * bins], in any order and under any name. */
function planNanodet({ inputPx, strides = usualStrides, outputs }: HeadQuestion): Head | undefined {
  if (outputs.length !== 2 * strides.length || outputs.length < 4) return undefined;
  const tables = outputs.map((shape, index) => {
    const [rows = 0, columns = 0] = shape[0] === 1 && shape.length === 3 ? shape.slice(1) : shape;
    return { index, rows: shape.length < 4 ? rows : 0, columns };
  });
  const widths = [...new Set(tables.map(({ columns }) => columns))];
  // Scores come before distances in every export, which settles the case of 32 classes.
  const [classCount = 0, distanceCount = 0] = widths;
  if (widths.length !== 2 || classCount < 1 || distanceCount < 8 || distanceCount % 4 !== 0) return undefined;
  const levels = strides.map((stride) => {
    const rows = cellCount(inputPx, stride);
    const of = (columns: number) => tables.find((table) => table.rows === rows && table.columns === columns)?.index;
    return { stride, scores: of(classCount), distances: of(distanceCount) };
  });
  if (levels.some(({ scores, distances }) => scores === undefined || distances === undefined)) return undefined;
  const layout = { inputPx, classCount, binCount: distanceCount / 4 };
  const none = new Float32Array();
  return {
    decoder: 'nanodet',
    decode: (values, minScore) =>
      decodeNanodet(
        levels.map(({ stride, scores = -1, distances = -1 }) => {
          return { stride, scores: values[scores] ?? none, distances: values[distances] ?? none };
        }),
        layout,
        minScore,
      ),
  };
}

/** One output [1, 5 + classes, cells, cells]. */
function planFastestdet({ inputPx, outputs }: HeadQuestion): Head | undefined {
  const [shape, ...others] = outputs;
  if (shape?.length !== 4 || others.length > 0) return undefined;
  const [batch = 0, planeCount = 0, sideCount = 0, columns = 0] = shape;
  if (batch !== 1 || planeCount < 6 || sideCount !== columns || sideCount < 1 || sideCount > inputPx) return undefined;
  const layout = { inputPx, sideCount, planeCount };
  return {
    decoder: 'fastestdet',
    decode: ([output], minScore) => decodeFastestdet(output ?? new Float32Array(), layout, minScore),
  };
}
