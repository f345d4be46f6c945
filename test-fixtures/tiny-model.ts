import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The tiny models of `models/make.py`: what is bright counts as a person. They run in microseconds. */
export type TinyModelFile = 'bright.onnx' | 'wrong.onnx' | 'liar.onnx' | 'levels.onnx' | 'planes.onnx';

export interface TinyModel {
  readonly name: string;
  readonly path: string;
  readonly sha256: string;
  readonly inputPx?: number | undefined;
}

export function tinyModel(file: TinyModelFile = 'bright.onnx'): TinyModel {
  const path = join(import.meta.dirname, 'models', file);
  const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
  return { name: file, path, sha256 };
}
