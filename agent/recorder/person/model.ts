import { createHash } from 'node:crypto';
import { isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { AgentError } from '../../base/errors.ts';
import { readFileLimited } from '../../base/files.ts';
import { type Decoder, decoders, type InputForm } from './head.ts';

/**
 * Which model to use and what is known about it. A model is code to somebody else's parser, so its bytes are checked
 * against a SHA-256 before anything reads them, and the very bytes that were checked are the ones loaded.
 */
export interface PersonModel {
  readonly name: string;
  readonly path: string;
  readonly sha256: string;
  /** Side of the square input; unknown for a model given by path, read from the model then. */
  readonly inputPx?: number | undefined;
  /** Unknown for a model given by path: its outputs tell which kind it is. */
  readonly decoder?: Decoder | undefined;
  readonly strides?: readonly number[] | undefined;
  /** Where its maker fed it otherwise than is usual for its kind. */
  readonly input?: Partial<InputForm> | undefined;
}

const maxModelBytes = 64 * 1024 * 1024;
const maxManifestBytes = 64 * 1024;
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits');

/** In the order of `pixelOrder`. */
const perColour = (least: number, most: number) => {
  const value = z.number().min(least).max(most);
  return z.tuple([value, value, value]);
};

const manifestSchema = z.object({
  models: z
    .array(
      z.object({
        name: z.string().min(1).max(100),
        file: z.string().regex(/^[A-Za-z0-9._-]+\.onnx$/, 'must be the name of an .onnx file beside the manifest'),
        sha256,
        decoder: z.enum(decoders),
        inputPx: z.int().min(32).max(1280),
        pixelOrder: z.enum(['bgr', 'rgb']).exactOptional(),
        pad: z.number().min(0).max(255).exactOptional(),
        mean: perColour(-255, 255).exactOptional(),
        std: perColour(1e-3, 1e4).exactOptional(),
        strides: z.array(z.int().min(2).max(128)).min(1).max(5).exactOptional(),
        labels: z.tuple([z.literal('person')]).rest(z.string()),
        licence: z.string().min(1),
      }),
    )
    .min(1)
    .max(16),
});

const packageRoots = [
  join(import.meta.dirname, '..', '..', '..'),
  // From `dist/` in a published package.
  join(import.meta.dirname, '..', '..', '..', '..'),
];

function missing(what: string): AgentError {
  return new AgentError('unavailable', 'person/model-missing', `Cannot look for people: ${what}`);
}

/** The first model of `models/manifest.json`. Throws `person/model-missing`, `person/model-manifest`. */
export function embeddedModel(folder?: string): PersonModel {
  const [{ licence: _, ...model }] = embeddedModels(folder);
  return model;
}

export interface EmbeddedModel extends PersonModel {
  readonly licence: string;
}

/** All that come with the package, the one that is used by default first. */
export function embeddedModels(folder?: string): readonly [EmbeddedModel, ...EmbeddedModel[]] {
  const folders = folder === undefined ? packageRoots.map((root) => join(root, 'models')) : [folder];
  for (const models of folders) {
    const text = readFileLimited(join(models, 'manifest.json'), maxManifestBytes);
    if (text === undefined) continue;
    const [first, ...others] = parseManifest(text.toString('utf8')).models.map(
      ({ name, file, sha256: digest, decoder, inputPx, strides, licence, ...fed }) => {
        const { pixelOrder, pad, mean, std } = fed;
        const given = Object.entries({ pixelOrder, pad, mean, std }).filter(([, value]) => value !== undefined);
        const input = Object.fromEntries(given);
        return { name, path: join(models, file), sha256: digest, decoder, inputPx, strides, input, licence };
      },
    );
    if (first !== undefined) return [first, ...others];
  }
  throw missing('there is no models/manifest.json');
}

function parseManifest(text: string): z.infer<typeof manifestSchema> {
  let cause: unknown;
  try {
    const parsed = manifestSchema.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
    cause = parsed.error;
  } catch (thrown) {
    cause = thrown;
  }
  throw new AgentError('corrupt', 'person/model-manifest', 'Cannot read models/manifest.json: it is not a model list', {
    cause,
  });
}

/** A model of the owner's own choice in the usual form of its kind (strides 8, 16, 32; class 0 is a person). */
export function ownModel(choice: { readonly path: string; readonly sha256: string }): PersonModel {
  const digest = choice.sha256.toLowerCase();
  if (!isAbsolute(choice.path) || !sha256.safeParse(digest).success) {
    throw new AgentError(
      'config',
      'person/bad-choice',
      'Cannot use the chosen model: it needs an absolute path and a SHA-256 of 64 hex digits',
    );
  }
  return { name: 'own', path: choice.path, sha256: digest };
}

/** The checked bytes. Throws `person/model-missing`, `person/model-hash`, `base/too-large`. */
export function readModel(model: PersonModel): Uint8Array {
  const bytes = readFileLimited(model.path, maxModelBytes);
  if (bytes === undefined) throw missing('the model file is not there');
  if (createHash('sha256').update(bytes).digest('hex') !== model.sha256) {
    throw new AgentError(
      'refused',
      'person/model-hash',
      'Cannot use the model: its SHA-256 is not the one it was named with',
      { detail: { model: model.name } },
    );
  }
  return bytes;
}
