/** A redacted clip as a file of a share: its bytes, and the proofs of what in it still is as it was recorded. Pure. */
import { createHash } from 'node:crypto';
import { AgentError } from '../base/errors.ts';
import type { GrantDocument } from '../protocol/documents.ts';
import { type FragmentEntry, proveFragments } from './content.ts';
import { heldContent } from './media-content.ts';
import type { Cut, Medium } from './preview.ts';
import type { RedactionChoice } from './redact/choice.ts';
import type { KeptRedaction } from './redactions.ts';

/** Throws `share/redaction-differs` if it was made for another clip or other times. */
export function redactedMedium(redaction: KeptRedaction, recorded: Cut, all: readonly FragmentEntry[]): Cut {
  const { clipId, fromMs, toMs } = recorded.medium;
  if (redaction.clipId !== clipId || redaction.fromMs !== fromMs || redaction.toMs !== toMs) {
    throw new AgentError(
      'usage',
      'share/redaction-differs',
      'Cannot prepare the share: the redaction was made for another clip or other times. Redact again',
    );
  }
  const kept = redaction.parts.flatMap(({ entry }) => (entry === undefined ? [] : [entry]));
  // Nothing in it had to be filled: it is the recording.
  if (kept.length === redaction.parts.length) return recorded;
  const bytes = Buffer.concat(redaction.parts.map((part) => part.bytes));
  const offsets = new Map<number, number>();
  let offset = 0;
  for (const { entry, bytes: part } of redaction.parts) {
    if (entry !== undefined) offsets.set(entry.index, offset);
    offset += part.length;
  }
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return {
    medium: { ...recorded.medium, kind: 'derived', content: heldContent(bytes), sha256 },
    proofs: proveFragments(all, kept).map((proof) => ({ ...proof, offset: offsets.get(proof.index) ?? 0 })),
  };
}

/** What the grant says was done to the file. */
export function redactionsOf({ name, kind }: Medium, choice: RedactionChoice): GrantDocument['redactions'] {
  if (kind === 'original') return [];
  const people = choice.fill === 'none' ? [] : [{ name, kind: 'person_fill' as const }];
  const masks = choice.regions.length + choice.zones.length > 0 ? [{ name, kind: 'mask' as const }] : [];
  return [...people, ...masks];
}
