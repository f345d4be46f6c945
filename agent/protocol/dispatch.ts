import { type Opened, openEnvelope } from './envelope.ts';
import { refusal } from './refuse.ts';

/** The courier's permission to upload: without a valid one it opens no socket. */
export function checkDispatch(envelope: Uint8Array, ownerRootPublicKey: Uint8Array): Opened<'dispatch'> {
  const opened = openEnvelope('dispatch', envelope, [{ role: 'owner-root', threshold: 1, keys: [ownerRootPublicKey] }]);
  const { release_not_before: release, deadline, body, header } = opened.document;
  if (release >= deadline) {
    throw refusal('dispatch/no-time', 'Cannot upload the share: it may only be released after its deadline');
  }
  if (body.bytes === 0 || header.bytes === 0 || header.bytes > 64 * 1024) {
    throw refusal('dispatch/sizes', 'Cannot upload the share: a part is empty or its key is far too large');
  }
  return opened;
}
