/** The outbox as the owner program uses it: folders are shown whole, the courier's reports are claims. */
import { existsSync, linkSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import {
  ensurePrivateDir,
  readFileLimited,
  removeDurable,
  renameDurable,
  syncDir,
  writeFileDurable,
} from '../base/files.ts';

const statusSchema = z.object({
  state: z.enum(['uploading', 'body-done', 'done', 'terminated', 'failed']),
  code: z.string().max(100).optional(),
});

export type UploadState = z.infer<typeof statusSchema>['state'];

export class Outbox {
  readonly #outbox: string;
  readonly #status: string;

  constructor(dataDir: string) {
    this.#outbox = join(dataDir, 'spool', 'outbox');
    this.#status = join(dataDir, 'spool', 'status');
    for (const folder of [this.#outbox, this.#status]) ensurePrivateDir(folder);
    for (const name of readdirSync(this.#outbox)) if (name.startsWith('.')) removeDurable(join(this.#outbox, name));
  }

  folder(id: string): string {
    return join(this.#outbox, id);
  }

  has(id: string): boolean {
    return existsSync(this.folder(id));
  }

  /** Shows files of `from` to the courier, all at once; false if one of them is missing there. */
  publish(id: string, from: string, names: readonly string[]): boolean {
    if (this.has(id)) return true;
    const dispatch = names.every((name) => existsSync(join(from, name)))
      ? readFileLimited(join(from, 'dispatch.json'), 64 * 1024)
      : undefined;
    if (dispatch === undefined) return false;
    // Staged under a dot name, which the courier ignores, and shown whole by one rename.
    const staged = join(this.#outbox, `.${id}`);
    rmSync(staged, { recursive: true, force: true });
    mkdirSync(staged, { mode: 0o750 });
    writeFileDurable(join(staged, 'dispatch.json'), dispatch, 0o640);
    // A second name, not a move: a crash before the next line must not lose a file with the staged folder.
    for (const name of names) linkSync(join(from, name), join(staged, name));
    syncDir(staged);
    renameDurable(staged, this.folder(id));
    return true;
  }

  status(id: string): UploadState | undefined {
    // What the courier left there is a claim: nothing in it may keep other shares from moving.
    try {
      const bytes = readFileLimited(join(this.#status, `${id}.json`), 64 * 1024);
      return bytes === undefined ? undefined : statusSchema.parse(JSON.parse(bytes.toString('utf8'))).state;
    } catch {
      return undefined;
    }
  }

  /** Asks the courier to end what it has begun; the folder goes once it says so, or when `isOver`. */
  callBack(id: string, isOver: boolean): void {
    if (!this.has(id)) return;
    const status = this.status(id);
    if (isOver || status === 'terminated' || status === 'failed') this.clear(id);
    else if (!existsSync(join(this.folder(id), 'withdrawn'))) {
      writeFileDurable(join(this.folder(id), 'withdrawn'), '', 0o640);
    }
  }

  clear(id: string): void {
    removeDurable(this.folder(id));
    removeDurable(join(this.#status, `${id}.json`));
  }
}
