/** Which person model a command means: the embedded one, or one given by path and SHA-256. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { AgentError } from '../base/errors.ts';
import { embeddedModel, ownModel, type PersonModel } from '../recorder/person/model.ts';

export interface ModelOption {
  readonly model?: string;
  readonly sha256?: string;
}

export function withModelOption(command: Command): Command {
  return command
    .option('--model <path>', 'a YOLOX, NanoDet or FastestDet ONNX model instead of the embedded one; needs --sha256')
    .option('--sha256 <hex>', 'the SHA-256 of that model');
}

/** A SHA-256 names one model only: neither means anything without the other. Throws `models/half-choice`. */
export function wholeChoice({ model, sha256 }: ModelOption): { readonly path: string; readonly sha256: string } {
  if (model === undefined || sha256 === undefined) {
    const message = 'Cannot use that model: give its path and its SHA-256 together';
    throw new AgentError('usage', 'models/half-choice', message);
  }
  if (!/^[0-9a-f]{64}$/i.test(sha256)) {
    throw new AgentError('usage', 'models/bad-sha256', 'Cannot use that model: its SHA-256 has 64 hexadecimal digits');
  }
  return { path: resolve(model), sha256: sha256.toLowerCase() };
}

export function chosenModel(option: ModelOption): PersonModel {
  return option.model === undefined && option.sha256 === undefined ? embeddedModel() : ownModel(wholeChoice(option));
}
