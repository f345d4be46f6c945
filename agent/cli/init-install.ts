/**
 * Writes a new installation in an order that a cut can't make look finished: a marker first, keys, account, and the
 * configuration last. Whatever stands under the marker may be thrown away by the next `init`, because nobody has been
 * told that it is done.
 */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AgentError, systemCode } from '../base/errors.ts';
import { ensurePrivateDir, removeDurable, writeFileDurable } from '../base/files.ts';
import type { InitPlan } from './init-questions.ts';

const markerName = 'init-unfinished';

function markerPath(dataDir: string): string {
  return join(dataDir, markerName);
}

/** Throws `init/exists` for a finished installation and `init/folder-not-empty` for a folder with other things in it. */
export function refuseExisting({ configPath, dataDir }: { configPath: string; dataDir: string }): void {
  if (existsSync(configPath)) {
    throw new AgentError('refused', 'init/exists', `Cannot set up: there is a configuration already at ${configPath}`);
  }
  const names = existsSync(dataDir) ? readdirSync(dataDir) : [];
  if (names.length === 0 || names.includes(markerName)) return;
  if (names.includes('keys') || names.includes('owner')) {
    const message = `Cannot set up: ${dataDir} already holds an owner's keys; choose another folder with --data-dir`;
    throw new AgentError('refused', 'init/exists', message);
  }
  const message = `Cannot set up: ${dataDir} is not empty; choose another folder with --data-dir`;
  throw new AgentError('refused', 'init/folder-not-empty', message);
}

/** Makes the folders and puts the marker; clears what an earlier `init` left unfinished. Throws `init/cannot-write`. */
export function beginInstall({ configPath, dataDir }: InitPlan): void {
  try {
    ensurePrivateDir(dataDir);
    ensurePrivateDir(dirname(configPath));
    if (existsSync(markerPath(dataDir))) {
      for (const name of readdirSync(dataDir)) if (name !== markerName) removeDurable(join(dataDir, name));
    }
    writeFileDurable(markerPath(dataDir), '');
  } catch (thrown) {
    throw cannotWrite(dataDir, thrown);
  }
}

function cannotWrite(path: string, thrown: unknown): AgentError {
  if (thrown instanceof AgentError) return thrown;
  const reasons: Record<string, string> = {
    EACCES: 'this user may not write there',
    ENOENT: 'its folder does not exist',
  };
  const code = systemCode(thrown) ?? 'failed';
  return new AgentError('usage', 'init/cannot-write', `Cannot write ${path}: ${reasons[code] ?? code}`, {
    cause: thrown,
  });
}

/** Writes a file that only this user can read; throws `init/cannot-write`. */
export function writeSecret(path: string, text: string): void {
  try {
    writeFileDurable(path, text, 0o600);
  } catch (thrown) {
    throw cannotWrite(path, thrown);
  }
}

export function finishInstall(plan: InitPlan): void {
  for (const { path, text } of plan.secrets) writeSecret(path, text);
  writeFileDurable(plan.configPath, `${JSON.stringify(plan.config, null, 2)}\n`, 0o644);
  removeDurable(markerPath(plan.dataDir));
}

const recoveryInstructions = [
  '# Latchkey recovery key. Print it, put it where you keep your passport, and delete this file.',
  '# Whoever has it can open every clip of this device; without it and without the passphrase nobody can.',
  '# age -d -i THIS_FILE segment.mp4.age > segment.mp4',
];

export function writeRecoveryFile(path: string, recoveryIdentity: string): void {
  if (existsSync(path)) {
    throw new AgentError('usage', 'init/recovery-exists', `Cannot write the recovery key: ${path} exists already`);
  }
  writeSecret(path, `${[...recoveryInstructions, recoveryIdentity].join('\n')}\n`);
}
