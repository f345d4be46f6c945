/**
 * What an owner does with the clips themselves: look, keep, delete, take back. The recorders write, each its own database;
 * every action is noted for the session's entry in the ledger.
 */
import { z } from 'zod';
import { AgentError, asAgentError } from '../base/errors.ts';
import type { Config } from '../config/schema.ts';
import type { VaultClient } from '../vault/client.ts';
import { withCameraNames } from './request-book.ts';
import type {
  ClipSummary,
  DeletedClip,
  MediaPiece,
  OwnerService,
  OwnPreview,
  PieceRange,
  PinResult,
} from './service.ts';
import type { VaultHost } from './vault-host.ts';

export interface ClipBookOptions {
  readonly config: Config;
  readonly vaults: VaultHost;
  readonly monotonicMs: () => number;
  /** Asks the recorder of a camera. */
  readonly ask: (cameraId: string, method: string, params: unknown) => Promise<unknown>;
}

const onePlaybackMs = 60_000;
const deleted = z.object({ deletedCount: z.int(), goneAtMs: z.int() });
const restored = z.object({ restoredCount: z.int() });
const pinned = z.object({ changedCount: z.int(), pinnedBytes: z.number(), quotaBytes: z.number() });
const pending = z.object({ clips: z.array(z.object({ clipId: z.string(), goneAtMs: z.int() })) });

export class ClipBook {
  readonly #o: ClipBookOptions;
  readonly #previews = new Map<
    string,
    { readonly clipIds: readonly string[]; readonly recipient: string | undefined }
  >();
  readonly #viewed = new Map<string, number>();

  constructor(options: ClipBookOptions) {
    this.#o = options;
  }

  #vault(): VaultClient {
    return this.#o.vaults.require('viewing');
  }

  async list(params: { fromMs: number; toMs: number }): Promise<readonly ClipSummary[]> {
    return withCameraNames(this.#o.config, await this.#vault().listClips(params.fromMs, params.toMs));
  }

  async media(params: { clipId: string } & PieceRange): Promise<MediaPiece> {
    const piece = await this.#vault().clipMedia(params);
    // A player asks for many pieces: one playback is one entry, also where several clips are played by turns. What does not
    // exist was not looked at: made-up ids must not crowd the real ones out of the entry.
    if (params.length > 0) {
      const nowMs = this.#o.monotonicMs();
      const atMs = this.#viewed.get(params.clipId);
      if (atMs === undefined || nowMs - atMs > onePlaybackMs) this.#o.vaults.note(`view ${params.clipId}`);
      this.#viewed.set(params.clipId, nowMs);
    }
    return piece;
  }

  endSession(): void {
    this.#viewed.clear();
    this.#previews.clear();
  }

  async ownPreview(params: Parameters<OwnerService['ownPreview']>[0]): Promise<OwnPreview> {
    const vault = this.#o.vaults.require(params.recipient === undefined ? 'viewing' : 'deciding');
    const { selection, sound, recipient } = params;
    const preview = await vault.ownPreview({
      selection: [...selection],
      sound,
      ...(recipient === undefined ? {} : { recipient }),
    });
    this.#previews.set(preview.previewId, { clipIds: selection.map(({ clipId }) => clipId), recipient });
    if (recipient === undefined) for (const { clipId } of selection) this.#o.vaults.note(`export ${clipId}`);
    return preview;
  }

  async ownMedia(params: { previewId: string; name: string } & PieceRange): Promise<MediaPiece> {
    return this.#vault().ownMedia(params);
  }

  async ownShare(params: { previewId: string; passphrase: string }): Promise<{ path: string; bytes: number }> {
    const sealed = await this.#o.vaults.require('deciding').ownShare(params);
    const { clipIds = [], recipient = '' } = this.#previews.get(params.previewId) ?? {};
    for (const clipId of clipIds) this.#o.vaults.note(`own-share ${clipId} ${recipient}`);
    return sealed;
  }

  async delete(params: { clipIds: readonly string[] }): Promise<{ deletedCount: number; goneAtMs: number }> {
    this.#vault();
    const answers = await this.#askAll('delete', params.clipIds, deleted);
    const deletedCount = answers.reduce((sum, answer) => sum + answer.deletedCount, 0);
    if (deletedCount === 0) throw notThere('delete');
    this.#note('delete', params.clipIds);
    const goneAtMs = Math.min(...answers.filter((answer) => answer.deletedCount > 0).map((answer) => answer.goneAtMs));
    return { deletedCount, goneAtMs };
  }

  async undelete(params: { clipIds: readonly string[] }): Promise<{ restoredCount: number }> {
    this.#vault();
    const answers = await this.#askAll('undelete', params.clipIds, restored);
    const restoredCount = answers.reduce((sum, answer) => sum + answer.restoredCount, 0);
    if (restoredCount === 0) throw notThere('take back');
    this.#note('undelete', params.clipIds);
    return { restoredCount };
  }

  async deleted(): Promise<readonly DeletedClip[]> {
    this.#vault();
    const lists = await Promise.all(
      this.#o.config.cameras.map(async ({ id, name }) => {
        const { clips } = pending.parse(await this.#o.ask(id, 'deleted', {}).catch(() => ({ clips: [] })));
        return clips.map((clip) => ({ ...clip, cameraId: id, cameraName: name }));
      }),
    );
    return lists.flat().toSorted((a, b) => a.goneAtMs - b.goneAtMs);
  }

  async pin(params: { clipIds: readonly string[]; pinned: boolean }): Promise<PinResult> {
    this.#vault();
    const method = params.pinned ? 'pin' : 'unpin';
    const answers = await this.#askAll(method, params.clipIds, pinned);
    const concerned = answers.filter(({ changedCount }) => changedCount > 0);
    if (concerned.length === 0) throw notThere(method);
    this.#note(method, params.clipIds);
    const sum = (of: (answer: PinResult) => number): number => concerned.reduce((all, each) => all + of(each), 0);
    return {
      changedCount: sum(({ changedCount }) => changedCount),
      pinnedBytes: sum(({ pinnedBytes }) => pinnedBytes),
      // One quota for all cameras.
      quotaBytes: Math.max(...concerned.map(({ quotaBytes }) => quotaBytes)),
    };
  }

  #note(action: string, clipIds: readonly string[]): void {
    for (const clipId of clipIds) this.#o.vaults.note(`${action} ${clipId}`);
  }

  /** Only the recorders know whose a clip is. One that is away may have it: then nothing was done there, and that is said. */
  async #askAll<T>(method: string, clipIds: readonly string[], shape: z.ZodType<T>): Promise<T[]> {
    const { config, ask } = this.#o;
    const answers = await Promise.allSettled(config.cameras.map(({ id }) => ask(id, method, { clipIds })));
    const done = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [shape.parse(answer.value)] : []));
    const failed = answers.find((answer) => answer.status === 'rejected');
    const nothing = done.every((answer) => Object.values(answer as Record<string, number>)[0] === 0);
    if (failed !== undefined && nothing) throw asAgentError(failed.reason);
    return done;
  }
}

function notThere(what: string): AgentError {
  return new AgentError(
    'usage',
    'owner/no-such-clip',
    `Cannot ${what} the clip: there is none of that id, or it is still being recorded`,
  );
}
