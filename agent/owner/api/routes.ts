/**
 * Every route of the API in one table: who may call it, what it takes, and which method of `OwnerService` it is. What
 * isn't in the table doesn't exist.
 */
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { AgentError } from '../../base/errors.ts';
import { maxClips } from '../../protocol/share-names.ts';
import { redactionShape } from '../redaction-shape.ts';
import type { Health, LockState, OwnerService } from '../service.ts';
import type { EventStreams } from './events.ts';
import type { Logins } from './logins.ts';
import { type LoadPiece, mediaAnswer } from './media.ts';
import { lesserLock, type Session, type Sessions } from './sessions.ts';
import type { SessionBody } from './types.ts';

/** `viewer` routes are open to owners too. */
export type Access = 'anyone' | 'viewer' | 'owner';

export interface Call {
  readonly service: OwnerService;
  readonly sessions: Sessions;
  readonly logins: Logins;
  readonly events: EventStreams;
  /** Undefined only on routes for anyone. */
  readonly session: Session | undefined;
  readonly address: string;
  readonly cookie: string | undefined;
  readonly range: string | undefined;
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  readonly reply: FastifyReply;
}

export interface Route {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly access: Access;
  /** What this very session must have unlocked. */
  readonly needs?: 'viewing' | 'deciding';
  /** Where it takes more than other routes do. */
  readonly maxBodyBytes?: number;
  readonly answer: (call: Call) => unknown;
}

const maxSpanMs = 40 * 86_400_000;

const id = z.string().regex(/^[A-Za-z0-9_-]{1,128}$/);
const secret = z.string().min(1).max(1024);
const timeMs = z.int().min(0).max(8.64e15);
const empty = z.strictObject({});
const requestParams = z.strictObject({ id });
const agencyParams = z.strictObject({ id: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,127}$/) });
const loginBody = z.strictObject({ name: z.string().min(1).max(64), password: secret });
const pairBody = z.strictObject({ passphrase: secret, name: z.string().min(1).max(64) });
const unlockBody = z.union([
  z.strictObject({ passphrase: secret }),
  z.strictObject({ pairingId: id, viewingKey: z.string().regex(/^[A-Za-z0-9_-]{43}$/) }),
]);
const selection = z.strictObject({ clipId: id, fromMs: timeMs, toMs: timeMs, redact: redactionShape.optional() });
const previewBody = z.strictObject({
  selection: z.array(selection).min(1).max(maxClips),
  sound: z.boolean().optional(),
  discloseLineage: z.boolean().optional(),
});
const approveBody = z.strictObject({ previewId: id, passphrase: secret });
const demandBody = z.strictObject({ ground: z.enum(['owner_request', 'terms_breach']), passphrase: secret });
const mediaName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/);
const clipIds = z
  .array(z.string().regex(/^[0-9a-f]{32}$/))
  .min(1)
  .max(100);
const clipsBody = z.strictObject({ clipIds });
const pinBody = z.strictObject({ clipIds, pinned: z.boolean() });
const queryMs = z
  .string()
  .regex(/^\d{1,15}$/)
  .transform(Number);
const ledgerQuery = z.strictObject({
  from: z
    .string()
    .regex(/^[1-9]\d{0,9}$/)
    .transform(Number),
});
const clipsQuery = z
  .strictObject({ from: queryMs, to: queryMs })
  .refine(({ from, to }) => from < to && to - from <= maxSpanMs, { path: ['to'] });

function sessionBody(session: Session | undefined): SessionBody {
  return { name: session?.account.name ?? '', role: session?.account.role ?? 'viewer' };
}

async function video(call: Call, load: LoadPiece): Promise<FastifyReply> {
  const { status, headers, body } = await mediaAnswer(load, call.range);
  return call.reply.status(status).headers(headers).send(body);
}

/** Throws `api/not-logged-in` or `api/owner-only`. */
export function checkAccess(access: Access, session: Session | undefined): void {
  if (access === 'anyone') return;
  if (session === undefined) throw new AgentError('refused', 'api/not-logged-in', 'Cannot do this: please log in');
  if (access === 'owner' && session.account.role !== 'owner') {
    throw new AgentError('refused', 'api/owner-only', 'Cannot do this: it needs an owner’s log-in');
  }
}

/** Throws `owner/locked` or `owner/not-deciding`. */
export function checkUnlocked(needs: Route['needs'], session: Session | undefined): void {
  const unlocked = session?.unlocked ?? 'locked';
  if (needs === undefined || lesserLock(needs, unlocked) === needs) return;
  if (unlocked === 'locked') {
    throw new AgentError('refused', 'owner/locked', 'Cannot do this while locked: unlock in this browser first');
  }
  throw new AgentError('refused', 'owner/not-deciding', 'Cannot do this yet: unlock deciding with the passphrase');
}

/** Marks what the session proved, and says what it may do now. */
async function unlock(call: Call): Promise<{ lock: LockState }> {
  const body = unlockBody.parse(call.body);
  const proved = 'viewingKey' in body ? 'viewing' : 'deciding';
  if (proved === 'deciding') checkAccess('owner', call.session);
  const { lock } =
    'viewingKey' in body ? await call.service.unlockViewing(body) : await call.service.unlockDeciding(body);
  const session = call.session as Session;
  if (lesserLock(session.unlocked, proved) === session.unlocked) session.unlocked = proved;
  return { lock: lesserLock(lock, session.unlocked) };
}

function followChanges(call: Call): FastifyReply {
  checkAccess('viewer', call.session);
  return call.reply
    .header('content-type', 'text/event-stream')
    .header('x-accel-buffering', 'no')
    .send(call.events.open(call.session as Session));
}

/** A route that takes a request's id and an empty body. */
function onRequest(work: (service: OwnerService, requestId: string) => Promise<unknown>): Route['answer'] {
  return (call) => {
    empty.parse(call.body ?? {});
    return work(call.service, requestParams.parse(call.params).id);
  };
}

async function seenHealth(call: Call): Promise<Health> {
  const health = await call.service.health();
  return { ...health, lock: lesserLock(health.lock, call.session?.unlocked ?? 'locked') };
}

export const routes: readonly Route[] = [
  {
    method: 'POST',
    url: '/api/login',
    access: 'anyone',
    answer: async (call) => {
      const account = await call.logins.checkLogin({ ...loginBody.parse(call.body), address: call.address });
      // Whoever was logged in here before is logged out: one browser, one session.
      call.sessions.end(call.cookie);
      void call.reply.header('set-cookie', call.sessions.start(account));
      return { name: account.name, role: account.role } satisfies SessionBody;
    },
  },
  {
    method: 'POST',
    url: '/api/logout',
    access: 'viewer',
    answer: (call) => {
      empty.parse(call.body ?? {});
      void call.reply.header('set-cookie', call.sessions.end(call.cookie));
      return {};
    },
  },
  { method: 'GET', url: '/api/session', access: 'viewer', answer: (call) => sessionBody(call.session) },
  { method: 'GET', url: '/api/health', access: 'viewer', answer: seenHealth },
  { method: 'GET', url: '/api/events', access: 'viewer', answer: followChanges },
  {
    // Needs the passphrase, so a viewer's phone is paired by the owner standing beside it.
    method: 'POST',
    url: '/api/pair',
    access: 'viewer',
    answer: (call) => call.service.pair(pairBody.parse(call.body)),
  },
  {
    method: 'POST',
    url: '/api/unpair',
    access: 'viewer',
    answer: (call) => call.service.unpair(z.strictObject({ pairingId: id }).parse(call.body)),
  },
  {
    method: 'POST',
    url: '/api/unlock',
    access: 'viewer',
    answer: unlock,
  },
  {
    // Locking is never refused to anybody of the house.
    method: 'POST',
    url: '/api/lock',
    access: 'viewer',
    answer: (call) => {
      empty.parse(call.body ?? {});
      call.sessions.lockAll();
      return call.service.lock();
    },
  },
  { method: 'GET', url: '/api/requests', access: 'viewer', answer: (call) => call.service.listRequests() },
  {
    method: 'GET',
    url: '/api/requests/:id',
    access: 'viewer',
    answer: (call) => call.service.showRequest({ requestId: requestParams.parse(call.params).id }),
  },
  {
    method: 'POST',
    url: '/api/requests/:id/review',
    access: 'owner',
    needs: 'deciding',
    answer: onRequest((service, requestId) => service.review({ requestId })),
  },
  {
    method: 'POST',
    url: '/api/requests/:id/preview',
    access: 'owner',
    needs: 'deciding',
    // Four hours of clips, with what the owner drew in each.
    maxBodyBytes: 512 * 1024,
    answer: (call) =>
      call.service.preview({
        requestId: requestParams.parse(call.params).id,
        ...previewBody.parse(call.body),
      }),
  },
  {
    method: 'POST',
    url: '/api/clips/:id/people',
    access: 'owner',
    needs: 'deciding',
    answer: (call) => {
      empty.parse(call.body ?? {});
      return call.service.findPeople({ clipId: requestParams.parse(call.params).id });
    },
  },
  {
    method: 'POST',
    url: '/api/redaction/cancel',
    access: 'owner',
    needs: 'deciding',
    answer: (call) => {
      empty.parse(call.body ?? {});
      return call.service.cancelRedaction();
    },
  },
  {
    method: 'POST',
    url: '/api/requests/:id/approve',
    access: 'owner',
    needs: 'deciding',
    answer: (call) =>
      call.service.approve({
        requestId: requestParams.parse(call.params).id,
        ...approveBody.parse(call.body),
        account: call.session?.account.name,
      }),
  },
  {
    // The second approver: whoever is logged in here, if that is who must confirm.
    method: 'POST',
    url: '/api/requests/:id/confirm',
    access: 'owner',
    answer: (call) => {
      empty.parse(call.body ?? {});
      const account = call.session?.account.name ?? '';
      return call.service.confirm({ requestId: requestParams.parse(call.params).id, account });
    },
  },
  {
    method: 'POST',
    url: '/api/requests/:id/demand',
    access: 'owner',
    needs: 'deciding',
    answer: (call) =>
      call.service.demandDeletion({
        requestId: requestParams.parse(call.params).id,
        ...demandBody.parse(call.body),
      }),
  },
  {
    method: 'POST',
    url: '/api/requests/:id/decline',
    access: 'owner',
    answer: onRequest((service, requestId) => service.decline({ requestId })),
  },
  {
    method: 'POST',
    url: '/api/requests/:id/withdraw',
    access: 'owner',
    answer: onRequest((service, requestId) => service.withdraw({ requestId })),
  },
  {
    method: 'GET',
    url: '/api/previews/:id/:name',
    access: 'owner',
    needs: 'deciding',
    answer: async (call) => {
      const params = z.strictObject({ id, name: mediaName }).parse(call.params);
      const { id: previewId, name: medium } = params;
      return video(call, (range) => call.service.previewMedia({ previewId, name: medium, ...range }));
    },
  },
  {
    method: 'GET',
    url: '/api/clips',
    access: 'viewer',
    needs: 'viewing',
    answer: (call) => {
      const { from, to } = clipsQuery.parse(call.query);
      return call.service.listClips({ fromMs: from, toMs: to });
    },
  },
  {
    method: 'GET',
    url: '/api/clips/:id/video',
    access: 'viewer',
    needs: 'viewing',
    answer: (call) => {
      const clipId = requestParams.parse(call.params).id;
      return video(call, (range) => call.service.clipMedia({ clipId, ...range }));
    },
  },
  {
    method: 'POST',
    url: '/api/clips/delete',
    access: 'owner',
    needs: 'viewing',
    answer: (call) => call.service.deleteClips(clipsBody.parse(call.body)),
  },
  {
    method: 'POST',
    url: '/api/clips/undelete',
    access: 'owner',
    needs: 'viewing',
    answer: (call) => call.service.undeleteClips(clipsBody.parse(call.body)),
  },
  {
    method: 'GET',
    url: '/api/clips/deleted',
    access: 'viewer',
    needs: 'viewing',
    answer: (call) => call.service.listDeleted(),
  },
  {
    method: 'POST',
    url: '/api/clips/pin',
    access: 'owner',
    needs: 'viewing',
    answer: (call) => call.service.pinClips(pinBody.parse(call.body)),
  },
  { method: 'GET', url: '/api/agencies', access: 'viewer', answer: (call) => call.service.listAgencies() },
  {
    method: 'POST',
    url: '/api/agencies/:id/enabled',
    access: 'owner',
    answer: (call) => {
      const { enabled } = z.strictObject({ enabled: z.boolean() }).parse(call.body);
      return call.service.setAgencyEnabled({ agency: agencyParams.parse(call.params).id, enabled });
    },
  },
  {
    method: 'POST',
    url: '/api/agencies/:id/muted',
    access: 'owner',
    answer: (call) => {
      const { muted } = z.strictObject({ muted: z.boolean() }).parse(call.body);
      return call.service.setAgencyMuted({ agency: agencyParams.parse(call.params).id, muted });
    },
  },
  {
    method: 'POST',
    url: '/api/agencies/:id/per-day',
    access: 'owner',
    answer: (call) => {
      const { perDay } = z.strictObject({ perDay: z.int().nullable() }).parse(call.body);
      return call.service.setAgencyPerDay({ agency: agencyParams.parse(call.params).id, perDay });
    },
  },
  { method: 'GET', url: '/api/notices', access: 'viewer', answer: (call) => call.service.listNotices() },
  {
    // Visible to every account of the house while viewing is open: who looked can be seen by all who live there.
    method: 'GET',
    url: '/api/ledger',
    access: 'viewer',
    needs: 'viewing',
    answer: (call) => {
      const { from } = ledgerQuery.parse(call.query);
      return call.service.listLedger({ from, count: 100 });
    },
  },
  { method: 'GET', url: '/api/ledger/head', access: 'viewer', answer: (call) => call.service.ledgerHead() },
];
