import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { AgentError } from '../../agent/base/errors.ts';
import { ensurePrivateDir, readFileLimited, writeFileDurable } from '../../agent/base/files.ts';
import { checkAgency } from '../../agent/protocol/agency-check.ts';
import type { AgencyDocument } from '../../agent/protocol/documents.ts';
import { maxEnvelopeBytes } from '../../agent/protocol/envelope.ts';
import { type Desks, desksSchema } from './desks.ts';
import { parseFile, readRequired } from './key-files.ts';
import type { PublishTarget } from './publish.ts';
import { pinnedRootOf, type RootFile, readRoot } from './root.ts';

/**
 * What an agency's desks share: its document, its requests in every state, its notices and outcomes, its numbers, and what
 * the intake received. One folder, for one group of users; no key lies in it.
 */
const officeSchema = z.strictObject({
  latchkey_office: z.literal(1),
  /** Absent: a trial in which one person plays officer and approver. */
  desks: desksSchema.optional(),
  broker: z.strictObject({
    url: z.string(),
    caFile: z.string().optional(),
    username: z.string().optional(),
    passwordFile: z.string().optional(),
  }),
});

export interface Office {
  readonly dir: string;
  readonly desks: Desks | undefined;
  readonly broker: PublishTarget;
  readonly root: RootFile;
  /** The envelope as the root signed it. */
  readonly agencyEnvelope: Uint8Array;
  readonly agency: AgencyDocument;
  readonly sequencePath: string;
  readonly intakeDir: string;
  /** Signed requests: what the intake knows. */
  readonly signedDir: string;
}

/** Every folder of an office; the order of the first three is the life of a request. */
export const officeFolders = [
  'drafts',
  'half-signed',
  'signed',
  'published',
  'revoked',
  'notices',
  'outcomes',
] as const;
export type OfficeFolder = (typeof officeFolders)[number];

export function makeOffice(options: {
  readonly dir: string;
  readonly agency: Uint8Array;
  readonly root: RootFile;
  readonly desks: Desks | undefined;
  readonly broker: PublishTarget;
  readonly nowMs: number;
}): Office {
  const { desks, broker, root } = options;
  const dir = resolve(options.dir);
  if (existsSync(join(dir, 'office.json'))) {
    throw new AgentError('usage', 'portal/exists', `Cannot make the office ${dir}: it is already there`);
  }
  checkAgency({ agency: options.agency, roots: [pinnedRootOf(root)], nowMs: options.nowMs });
  ensurePrivateDir(dir);
  for (const name of [...officeFolders, 'intake']) ensurePrivateDir(join(dir, name));
  writeFileDurable(join(dir, 'agency.json'), options.agency, 0o660);
  writeFileDurable(join(dir, 'root.json'), `${JSON.stringify(root)}\n`, 0o660);
  const file = {
    latchkey_office: 1,
    ...(desks === undefined ? {} : { desks: absolute(desks) }),
    broker: absoluteOf(broker),
  };
  writeFileDurable(join(dir, 'office.json'), `${JSON.stringify(file, null, 2)}\n`, 0o660);
  return openOffice(dir);
}

function absolute(desks: Desks): Desks {
  return { officer: desks.officer.map((dir) => resolve(dir)), approver: desks.approver.map((dir) => resolve(dir)) };
}

function absoluteOf(broker: PublishTarget): PublishTarget {
  const { url, caFile, username, passwordFile } = broker;
  return {
    url,
    ...(username === undefined ? {} : { username }),
    ...(caFile === undefined ? {} : { caFile: resolve(caFile) }),
    ...(passwordFile === undefined ? {} : { passwordFile: resolve(passwordFile) }),
  };
}

/** The agency's document is opened when it is used, so that one that has expired is named then. */
export function openOffice(from: string): Office {
  const dir = resolve(from);
  const { desks, broker } = parseFile(join(dir, 'office.json'), officeSchema);
  const root = readRoot(join(dir, 'root.json'));
  const agencyEnvelope = readRequired(join(dir, 'agency.json'), maxEnvelopeBytes);
  const { agency } = checkAgency({ agency: agencyEnvelope, roots: [pinnedRootOf(root)], nowMs: 0 });
  return {
    dir,
    desks,
    broker,
    root,
    agencyEnvelope,
    agency,
    sequencePath: join(dir, 'sequence.json'),
    intakeDir: join(dir, 'intake'),
    signedDir: join(dir, 'signed'),
  };
}

/** The files of a folder by their names without ending, oldest name first. */
export function filesIn(office: Office, folder: OfficeFolder): string[] {
  return readdirSync(join(office.dir, folder))
    .filter((name) => /^[0-9a-f-]{1,60}\.json$/.test(name))
    .map((name) => name.slice(0, -'.json'.length))
    .toSorted();
}

export function readOfficeFile(office: Office, folder: OfficeFolder, name: string): Buffer | undefined {
  return readFileLimited(join(office.dir, folder, `${name}.json`), 2 * maxEnvelopeBytes);
}

export function writeOfficeFile(office: Office, folder: OfficeFolder, name: string, bytes: Uint8Array | string): void {
  writeFileDurable(join(office.dir, folder, `${name}.json`), bytes, 0o660);
}
