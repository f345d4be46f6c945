/** The owner's control socket: `OwnerService` for the command line of this user, its arguments parsed here. */
import { z } from 'zod';
import type { ControlMethods } from '../base/control.ts';
import { AgentError } from '../base/errors.ts';
import { maxClips } from '../protocol/share-names.ts';
import { redactionShape } from './redaction-shape.ts';
import type { ClipSummary, MediaPiece, OwnerService } from './service.ts';

const id = z.string().min(1).max(64);
const whenMs = z.number().int().min(0).max(8.64e15);
const passphrase = z.string().min(1).max(400);
const clipIds = z.array(id).min(1).max(1000);
const piece = {
  offset: z.number().int().min(0),
  length: z
    .number()
    .int()
    .min(1)
    .max(512 * 1024),
};

const shapes = {
  health: z.strictObject({}),
  lock: z.strictObject({}),
  listRequests: z.strictObject({}),
  listAgencies: z.strictObject({}),
  unlockViewing: z.strictObject({ pairingId: id, viewingKey: z.string().max(100) }),
  unlockDeciding: z.strictObject({ passphrase }),
  pair: z.strictObject({ passphrase, name: z.string().min(1).max(80) }),
  listPairings: z.strictObject({}),
  unpair: z.strictObject({ pairingId: id }),
  addRoot: z.strictObject({
    passphrase,
    root: z.strictObject({ name: z.string(), threshold: z.number().int(), keysHex: z.array(z.string()) }),
  }),
  importAgency: z.strictObject({ envelopeBase64: z.string().max(70_000) }),
  setAgencyEnabled: z.strictObject({ agency: z.string().max(64), enabled: z.boolean() }),
  setAgencyMuted: z.strictObject({ agency: z.string().max(64), muted: z.boolean() }),
  setAgencyPerDay: z.strictObject({ agency: z.string().max(64), perDay: z.number().int().nullable() }),
  showEvidence: z.strictObject({ agency: z.string().max(64) }),
  listNotices: z.strictObject({}),
  ledgerHead: z.strictObject({}),
  listLedger: z.strictObject({ from: z.number().int().min(1), count: z.number().int().min(1).max(1000) }),
  confirm: z.strictObject({ requestId: id, name: z.string().min(1).max(64), password: z.string().min(1).max(1024) }),
  demandDeletion: z.strictObject({ requestId: id, ground: z.enum(['owner_request', 'terms_breach']), passphrase }),
  showRequest: z.strictObject({ requestId: id }),
  review: z.strictObject({ requestId: id }),
  preview: z.strictObject({
    requestId: id,
    selection: z
      .array(z.strictObject({ clipId: id, fromMs: whenMs, toMs: whenMs, redact: redactionShape.optional() }))
      .max(maxClips),
    sound: z.boolean().optional(),
    discloseLineage: z.boolean().optional(),
  }),
  findPeople: z.strictObject({ clipId: id }),
  cancelRedaction: z.strictObject({}),
  approve: z.strictObject({ requestId: id, previewId: id, passphrase }),
  decline: z.strictObject({ requestId: id }),
  withdraw: z.strictObject({ requestId: id }),
  listClips: z.strictObject({ fromMs: whenMs, toMs: whenMs }),
  previewMedia: z.strictObject({ previewId: id, name: z.string().max(64), ...piece }),
  clipMedia: z.strictObject({ clipId: id, ...piece }),
  ownPreview: z.strictObject({
    selection: z.array(z.strictObject({ clipId: id, fromMs: whenMs, toMs: whenMs })).max(maxClips),
    sound: z.boolean(),
    recipient: z.string().max(100).optional(),
  }),
  ownMedia: z.strictObject({ previewId: id, name: z.string().max(64), ...piece }),
  ownShare: z.strictObject({ previewId: id, passphrase }),
  deleteClips: z.strictObject({ clipIds }),
  undeleteClips: z.strictObject({ clipIds }),
  listDeleted: z.strictObject({}),
  pinClips: z.strictObject({ clipIds, pinned: z.boolean() }),
} as const;

type Method = keyof typeof shapes;

/** What this door needs of the log-in desk. */
export interface LoginCheck {
  checkLogin(options: { name: string; password: string; address: string }): Promise<{ readonly name: string }>;
}

function parse<M extends Method>(method: M, params: unknown): z.infer<(typeof shapes)[M]> {
  const parsed = shapes[method].safeParse(params);
  if (!parsed.success) {
    const path = parsed.error.issues[0]?.path.join('.') ?? '';
    throw new AgentError(
      'usage',
      'owner/bad-arguments',
      `Cannot do ${method}: its argument ${path} is missing or malformed`,
    );
  }
  return parsed.data as z.infer<(typeof shapes)[M]>;
}

const written = ({ bytes, totalBytes }: MediaPiece) => ({ base64: Buffer.from(bytes).toString('base64'), totalBytes });

/** A command line shows no pictures, and those of a few hours would not fit into one line of the socket. */
function withoutStill(clip: ClipSummary): ClipSummary {
  const { thumbnailJpegBase64: _, ...rest } = clip;
  return rest;
}

/** A line of the socket has at most 1 MiB; whoever asks for more asks in parts. */
const maxListBytes = 900_000;

async function listOfClips(service: OwnerService, range: { fromMs: number; toMs: number }): Promise<ClipSummary[]> {
  const clips = (await service.listClips(range)).map(withoutStill);
  if (JSON.stringify(clips).length <= maxListBytes) return clips;
  throw new AgentError('usage', 'owner/long-list', 'Cannot list so many clips at once: ask for a shorter time');
}

export function ownerMethods(service: OwnerService, logins: LoginCheck): ControlMethods {
  const methods: Record<Method, (params: unknown) => Promise<unknown>> = {
    health: () => service.health(),
    lock: () => service.lock(),
    listRequests: () => service.listRequests(),
    listAgencies: () => service.listAgencies(),
    unlockViewing: (p) => service.unlockViewing(parse('unlockViewing', p)),
    unlockDeciding: (p) => service.unlockDeciding(parse('unlockDeciding', p)),
    pair: (p) => service.pair(parse('pair', p)),
    listPairings: () => service.listPairings(),
    unpair: (p) => service.unpair(parse('unpair', p)),
    addRoot: (p) => service.addRoot(parse('addRoot', p)),
    importAgency: (p) => service.importAgency(parse('importAgency', p)),
    setAgencyEnabled: (p) => service.setAgencyEnabled(parse('setAgencyEnabled', p)),
    setAgencyMuted: (p) => service.setAgencyMuted(parse('setAgencyMuted', p)),
    setAgencyPerDay: (p) => service.setAgencyPerDay(parse('setAgencyPerDay', p)),
    showEvidence: (p) => service.showEvidence(parse('showEvidence', p)),
    listNotices: () => service.listNotices(),
    ledgerHead: () => service.ledgerHead(),
    listLedger: (p) => service.listLedger(parse('listLedger', p)),
    // This socket knows its user, not the person: the second approver proves to be one by the log-in.
    confirm: async (p) => {
      const { requestId, name, password } = parse('confirm', p);
      const account = await logins.checkLogin({ name, password, address: 'this device' });
      return service.confirm({ requestId, account: account.name });
    },
    demandDeletion: (p) => service.demandDeletion(parse('demandDeletion', p)),
    showRequest: (p) => service.showRequest(parse('showRequest', p)),
    review: async (p) => {
      const { request, clips } = await service.review(parse('review', p));
      return { request, clips: clips.map(withoutStill) };
    },
    findPeople: async (p) => service.findPeople(parse('findPeople', p)),
    cancelRedaction: async (p) => {
      parse('cancelRedaction', p);
      return service.cancelRedaction();
    },
    preview: (p) => service.preview(parse('preview', p)),
    approve: (p) => service.approve(parse('approve', p)),
    decline: (p) => service.decline(parse('decline', p)),
    withdraw: (p) => service.withdraw(parse('withdraw', p)),
    listClips: async (p) => listOfClips(service, parse('listClips', p)),
    ownPreview: (p) => service.ownPreview(parse('ownPreview', p)),
    ownMedia: async (p) => written(await service.ownMedia(parse('ownMedia', p))),
    ownShare: (p) => service.ownShare(parse('ownShare', p)),
    deleteClips: (p) => service.deleteClips(parse('deleteClips', p)),
    undeleteClips: (p) => service.undeleteClips(parse('undeleteClips', p)),
    listDeleted: () => service.listDeleted(),
    pinClips: (p) => service.pinClips(parse('pinClips', p)),
    previewMedia: async (p) => written(await service.previewMedia(parse('previewMedia', p))),
    clipMedia: async (p) => written(await service.clipMedia(parse('clipMedia', p))),
  };
  return methods;
}
