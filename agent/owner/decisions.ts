/**
 * What the owner decided, kept where it can't be seen: in memory, and in one sealed note of one size for every pending
 * request, decided or not. All notes are sealed anew at every lock, so that neither a note's content nor its change tells
 * a decline from silence.
 */
import { sealNote } from '../protocol/sealed-note.ts';

export type Decision = 'none' | 'declined';

export function sealDecision(recipient: string, decision: Decision): Uint8Array {
  return sealNote(recipient, decision);
}

export class Decisions {
  readonly #recipient: string;
  readonly #known = new Map<string, Decision>();

  constructor(recipient: string) {
    this.#recipient = recipient;
  }

  get(requestHash: string): Decision {
    return this.#known.get(requestHash) ?? 'none';
  }

  set(requestHash: string, decision: Decision): void {
    this.#known.set(requestHash, decision);
  }

  forget(requestHash: string): void {
    this.#known.delete(requestHash);
  }

  /** Takes over what an unlocked vault read from the notes; what was decided since wins. */
  restore(notes: readonly { readonly id: string; readonly text: string }[]): void {
    for (const { id, text } of notes) {
      if (!this.#known.has(id)) this.#known.set(id, text === 'declined' ? 'declined' : 'none');
    }
  }

  /** Fresh notes for all the given requests. */
  seal(requestHashes: readonly string[]): Map<string, Uint8Array> {
    return new Map(requestHashes.map((hash) => [hash, sealDecision(this.#recipient, this.get(hash))]));
  }
}
