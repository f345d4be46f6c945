import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemCode } from '../../agent/base/errors.ts';

/**
 * Makes a folder that as many may enter as may enter the one it stands in: only this user in a private place, both desks
 * in an office that was given to their group. Nobody else ever.
 */
export function makeDirLikeParent(path: string): void {
  try {
    mkdirSync(path, 0o700);
    chmodSync(path, statSync(dirname(path)).mode & 0o2770);
  } catch (thrown) {
    if (systemCode(thrown) !== 'EEXIST') throw thrown;
  }
}
