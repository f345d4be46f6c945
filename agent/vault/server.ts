/** Joins a `VaultSession` to the parent's IPC channel: one message in, one answer out, arguments parsed again on this side. */
import { createConnection } from 'node:net';
import { z } from 'zod';
import { systemClock } from '../base/clock.ts';
import { AgentError, asAgentError } from '../base/errors.ts';
import { maxClips } from '../protocol/share-names.ts';
import type { Content } from './media-content.ts';
import { redactionChoice } from './redact/choice.ts';
import type { MediaPiece } from './reports.ts';
import { VaultSession } from './session.ts';

const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.length <= 64 * 1024);
const whenMs = z.number().int().min(0).max(8.64e15);
const secret = z.string().max(400);
const id = z.string().max(64);

/** Media leave the vault a bounded piece at a time. */
export const maxPieceBytes = 1 << 20;
const piece = { offset: z.number().int().min(0), length: z.number().int().min(0).max(maxPieceBytes) };

const requestSchema = z.discriminatedUnion('method', [
  z.strictObject({
    method: z.literal('openDeciding'),
    passphrase: secret,
    agencies: z.array(bytes).max(256).default([]),
  }),
  z.strictObject({
    method: z.literal('openViewing'),
    record: z.unknown(),
    viewingKey: secret,
    floorS: z.number().int().min(0),
  }),
  z.strictObject({ method: z.literal('pair'), passphrase: secret, name: z.string().min(1).max(80) }),
  z.strictObject({ method: z.literal('addRoot'), passphrase: secret, root: z.unknown() }),
  z.strictObject({
    method: z.literal('openNotes'),
    notes: z.array(z.strictObject({ id, sealed: bytes })).max(10_000),
  }),
  z.strictObject({ method: z.literal('listClips'), fromMs: whenMs, toMs: whenMs }),
  z.strictObject({ method: z.literal('clipMedia'), clipId: id, ...piece }),
  z.strictObject({ method: z.literal('analyseClip'), clipId: id }),
  z.strictObject({
    method: z.literal('redactClip'),
    clipId: id,
    span: z.strictObject({ fromMs: whenMs, toMs: whenMs }),
    choice: redactionChoice,
  }),
  z.strictObject({
    method: z.literal('preview'),
    request: bytes,
    agency: bytes,
    floorS: z.number().int().min(0),
    selection: z
      .array(z.strictObject({ clipId: id, fromMs: whenMs, toMs: whenMs, redactionId: id.optional() }))
      .max(maxClips),
    /** The owner wants to prove that the clips come from one device; otherwise nothing says so. */
    discloseLineage: z.boolean().default(false),
    /** The owner keeps the sound; otherwise it is dropped. */
    sound: z.boolean().default(false),
  }),
  z.strictObject({ method: z.literal('previewMedia'), previewId: id, name: z.string().max(64), ...piece }),
  z.strictObject({
    method: z.literal('ownPreview'),
    selection: z.array(z.strictObject({ clipId: id, fromMs: whenMs, toMs: whenMs })).max(maxClips),
    sound: z.boolean(),
    recipient: z.string().max(100).optional(),
  }),
  z.strictObject({ method: z.literal('ownMedia'), previewId: id, name: z.string().max(64), ...piece }),
  z.strictObject({ method: z.literal('ownShare'), previewId: id, passphrase: secret }),
  z.strictObject({
    method: z.literal('approve'),
    previewId: id,
    passphrase: secret,
    agency: bytes,
    floorS: z.number().int().min(0),
    releaseNotBeforeMs: whenMs,
  }),
  z.strictObject({
    method: z.literal('demand'),
    passphrase: secret,
    request: bytes,
    agency: bytes,
    grantHash: z.string().regex(/^[0-9a-f]{64}$/),
    shareId: z.string().regex(/^[0-9a-f]{32}$/),
    ground: z.enum(['owner_request', 'terms_breach']),
    floorS: z.number().int().min(0),
  }),
]);

/** The first questions after an unlock come before the index. */
const idleMs = 2000;

export type VaultRequest = z.infer<typeof requestSchema>;

function pieceOf(content: Content, { offset, length }: { offset: number; length: number }): MediaPiece {
  return { bytes: new Uint8Array(content.read(offset, length)), totalBytes: content.length };
}

async function answer(session: VaultSession, request: VaultRequest): Promise<unknown> {
  switch (request.method) {
    case 'openDeciding':
      await session.openDeciding(request.passphrase, request.agencies);
      return { mode: session.mode };
    case 'openViewing':
      session.openViewing(request.record, request.viewingKey, request.floorS);
      return { mode: session.mode };
    case 'pair':
      return session.pair(request.passphrase, request.name);
    case 'addRoot':
      return session.addRoot(request.passphrase, request.root);
    case 'openNotes':
      return session.openNotes(request.notes);
    case 'listClips':
      return session.listClips(request.fromMs, request.toMs);
    case 'clipMedia':
      return pieceOf(session.clipMedia(request.clipId), request);
    case 'analyseClip':
      return session.analyseClip(request.clipId);
    case 'redactClip':
      return session.redactClip(request);
    case 'preview':
      return session.preview(request);
    case 'previewMedia':
      return pieceOf(session.previewMedia(request.previewId, request.name), request);
    case 'ownPreview':
      return session.ownPreview(request);
    case 'ownMedia':
      return pieceOf(session.ownMedia(request.previewId, request.name), request);
    case 'ownShare':
      return session.ownShare(request);
    case 'approve':
      return session.approve(request);
    case 'demand':
      return session.demand(request);
  }
}

/** A loopback connect must fail with EACCES: a filter that isn't there is worse than none, because it is trusted. */
function requireNoNetwork(): Promise<void> {
  return new Promise((resolve, reject) => {
    const missing = new AgentError('bug', 'vault/network-open', 'The vault can reach the network: it refuses to start');
    const socket = createConnection({ host: '127.0.0.1', port: 9 });
    socket.once('connect', () => reject(missing));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EACCES') resolve();
      else reject(missing);
    });
  });
}

export async function serveVault(): Promise<void> {
  const dataDir = process.argv[2];
  if (dataDir === undefined || process.send === undefined) {
    throw new AgentError('usage', 'vault/no-parent', 'The vault is started by the owner program only');
  }
  await requireNoNetwork();
  const session = new VaultSession({ dataDir, clock: systemClock });
  const reply = (message: unknown): void => {
    process.send?.(message);
  };
  // One at a time: an approval must not interleave with another.
  let last: Promise<void> = Promise.resolve();
  // When nobody asks, a day at a time; whatever keeps the index from being made, looking back goes on without it.
  let consolidating: Generator<string> | undefined;
  let waitingCount = 0;
  const consolidate = (): void => {
    last = last.then(() => {
      try {
        if (waitingCount > 0) setTimeout(consolidate, idleMs);
        else if (consolidating?.next().done !== false) consolidating = undefined;
        else setImmediate(consolidate);
      } catch {
        consolidating = undefined;
      }
    });
  };
  process.on('message', (message: unknown) => {
    // Not in the queue: it ends what stands at its head.
    if ((message as { cancel?: unknown } | null)?.cancel === true) return session.cancelRedaction();
    waitingCount += 1;
    last = last.then(async () => {
      const envelope = message as { id?: unknown; request?: unknown } | null;
      const requestId = envelope?.id;
      try {
        const parsed = requestSchema.safeParse(envelope?.request);
        if (!parsed.success)
          throw new AgentError('bug', 'vault/bad-message', 'The vault got a message that it does not know');
        reply({ id: requestId, result: (await answer(session, parsed.data)) ?? null });
        if (parsed.data.method === 'openViewing' || parsed.data.method === 'openDeciding') {
          consolidating ??= session.consolidate();
          setTimeout(consolidate, idleMs);
        }
      } catch (thrown) {
        reply({ id: requestId, error: asAgentError(thrown).toReport() });
      } finally {
        waitingCount -= 1;
      }
    });
  });
  process.on('disconnect', () => {
    session.wipe();
    process.exit(0);
  });
  reply({ ready: true });
}
