/** The previews of one session: whatever is signed or sealed was put here before, and nothing else is. */
import { AgentError } from '../base/errors.ts';
import { type Medium, maxHeldBytes } from './preview.ts';

interface Shelved {
  readonly previewId: string;
  readonly media: readonly Medium[];
}

const maxPreviews = 8;

export class PreviewShelf<T extends Shelved> {
  readonly #previews = new Map<string, T>();

  /** The newest stays; older ones make room for it, by number and by bytes. */
  keep(built: T): void {
    this.#previews.set(built.previewId, built);
    const bytesOf = ({ media }: T): number => media.reduce((sum, m) => sum + m.content.heldBytes, 0);
    let bytes = [...this.#previews.values()].reduce((sum, preview) => sum + bytesOf(preview), 0);
    for (const [id, preview] of this.#previews) {
      if (id === built.previewId || (this.#previews.size <= maxPreviews && bytes <= maxHeldBytes)) break;
      this.#previews.delete(id);
      bytes -= bytesOf(preview);
    }
  }

  /** Throws `vault/no-such-preview`. */
  get(previewId: string): T {
    const built = this.#previews.get(previewId);
    if (built !== undefined) return built;
    throw new AgentError('refused', 'vault/no-such-preview', 'Cannot go on: this was not previewed in this session');
  }

  drop(previewId: string): void {
    this.#previews.delete(previewId);
  }
}

export function noSuchMedium(): AgentError {
  return new AgentError('usage', 'vault/no-such-medium', 'The preview holds no file of this name');
}
