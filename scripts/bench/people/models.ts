/** The person models that are compared: the embedded one, whichever somebody names, and the references of LATCHKEY_DATA. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { embeddedModel, ownModel, type PersonModel } from '../../../agent/recorder/person/model.ts';
import type { BenchContext } from '../bench.ts';

export interface ComparedModel {
  readonly name: string;
  readonly model: PersonModel;
  readonly role: 'embedded' | 'named' | 'reference';
  /** From which score on a box counts as a person, where one number is needed. */
  readonly threshold: number;
}

const embeddedThreshold = 0.45;
/** What the reference's own demonstrations use, and the targets. */
const referenceThreshold = 0.4;
const references = ['yolox_nano_416', 'nanodet_m_320', 'fastestdet_352'] as const;

export interface ChosenModels {
  readonly models: readonly ComparedModel[];
  readonly leftOut: readonly string[];
}

export function chooseModels({ dataDir, modelPath, quick }: BenchContext): ChosenModels {
  const models: ComparedModel[] = [{ name: 'embedded', model: embeddedModel(), role: 'embedded', threshold: embeddedThreshold }]; // biome-ignore format: one line
  if (modelPath !== undefined) {
    const path = resolve(modelPath);
    models.push({ name: basename(path, '.onnx'), model: fileModel(path), role: 'named', threshold: embeddedThreshold });
  }
  const leftOut: string[] = [];
  for (const name of references) {
    const path = join(dataDir ?? '', 'models', `${name}.onnx`);
    if (dataDir === undefined || !existsSync(path))
      leftOut.push(`the reference ${name}: it is not there (LATCHKEY_DATA)`);
    else models.push({ name, model: fileModel(path), role: 'reference', threshold: referenceThreshold });
  }
  return { models: quick ? models.slice(0, 2) : models, leftOut };
}

function fileModel(path: string): PersonModel {
  return ownModel({ path, sha256: createHash('sha256').update(readFileSync(path)).digest('hex') });
}
