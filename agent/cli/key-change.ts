/** What `latchkey keys` and `latchkey recover` have in common: nothing may run, and what changed is said plainly. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { createLog } from '../base/log.ts';
import type { Config } from '../config/schema.ts';
import type { KeyChange, KeyChangeOptions } from '../vault/key-change.ts';
import { type CliIo, clearProgress, say, showProgress } from './io.ts';

export function changeOptions(config: Config, io: CliIo): KeyChangeOptions {
  return {
    dataDir: config.dataDir,
    log: createLog('keys', io.stderr),
    clock: systemClock,
    onProgress: (done) => {
      showProgress(io, `${done} keys of stored clips looked at`);
    },
  };
}

export function sayChange(change: KeyChange, config: Config, io: CliIo): void {
  clearProgress(io);
  const { rewrappedCount, keptCount, foreignCount, revokedPairingCount } = change;
  say(
    io,
    `Keys changed. ${rewrappedCount + keptCount} stored keys now open with the new ones; no footage was rewritten.`,
  );
  if (foreignCount > 0) {
    say(io, `  ${foreignCount} could not be opened and stay as they are; "latchkey check" names their clips.`);
  }
  say(
    io,
    revokedPairingCount > 0
      ? `  ${revokedPairingCount} paired browsers and terminals are unpaired: pair each again.`
      : '  No browser or terminal was paired.',
  );
  for (const path of setAside(config))
    say(io, `  ${path} was set aside as damaged and still opens with the old key only.`);
  say(io, '  The old key opens nothing on this device any more. Copies made before, such as backups, it still opens.');
}

function setAside({ dataDir }: Config): string[] {
  const folder = join(dataDir, 'cameras');
  const cameras = existsSync(folder) ? readdirSync(folder).toSorted() : [];
  return cameras.flatMap((camera) =>
    readdirSync(join(folder, camera))
      .filter((name) => /\.(damaged|salvaged)-\d+$/.test(name))
      .map((name) => join('cameras', camera, name)),
  );
}
