import { sha256Hex } from '../../agent/protocol/bytes.ts';
import { canonicalBytes } from '../../agent/protocol/canonical.ts';
import type { RevocationDocument } from '../../agent/protocol/documents.ts';
import { signEnvelope } from '../../agent/protocol/envelope.ts';
import type { SigningKey } from '../../agent/protocol/keys.ts';
import type { SequencePlace } from './sequence.ts';

/** Takes a request or a key back. Any one active key of the agency revokes a request; a key revokes only itself. */
export function makeRevocation(options: {
  readonly agency: string;
  readonly kind: 'request' | 'key';
  /** A request id, or a key id. */
  readonly target: string;
  readonly reason: string;
  readonly place: SequencePlace;
  readonly key: SigningKey;
}): { readonly envelope: Uint8Array; readonly hash: string } {
  const { agency, kind, target, reason, place } = options;
  const document: RevocationDocument = { agency, kind, target, seq: place.seq, prev: place.prev, reason };
  return { envelope: signEnvelope('revocation', document, [options.key]), hash: sha256Hex(canonicalBytes(document)) };
}
