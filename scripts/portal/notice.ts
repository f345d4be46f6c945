import { sha256Hex } from '../../agent/protocol/bytes.ts';
import { canonicalBytes } from '../../agent/protocol/canonical.ts';
import { type Area, type NoticeDocument, parseDocument } from '../../agent/protocol/documents.ts';
import { signEnvelope } from '../../agent/protocol/envelope.ts';
import type { SigningKey } from '../../agent/protocol/keys.ts';

/** A public alert, signed by one officer. It asks for nothing, and nobody can answer it. */
export function makeNotice(options: {
  readonly agency: string;
  readonly region: string;
  readonly area?: Area | undefined;
  readonly headline: string;
  readonly text: string;
  readonly days: number;
  readonly seq: number;
  readonly officer: SigningKey;
  readonly nowMs: number;
}): { readonly envelope: Uint8Array; readonly document: NoticeDocument; readonly hash: string } {
  const { agency, region, area, headline, text, seq } = options;
  const issuedAt = Math.floor(options.nowMs / 1000);
  const document = parseDocument('notice', {
    agency,
    region,
    ...(area === undefined ? {} : { area }),
    headline,
    text,
    seq,
    issued_at: issuedAt,
    expires_at: issuedAt + Math.round(options.days * 86_400),
  });
  const envelope = signEnvelope('notice', document, [options.officer]);
  return { envelope, document, hash: sha256Hex(canonicalBytes(document)) };
}
