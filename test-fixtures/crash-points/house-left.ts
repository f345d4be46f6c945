/**
 * What must hold on every disk that a crash can leave, and for the house that is started on it: 0 or 1 share, never two
 * ciphertexts for one share id, no approval lost, no upload without one, no key on its way before a durable RELEASE, nothing left
 * over, and a ledger that only got longer.
 */
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { checkChain } from '../../agent/store/ledger-chain.ts';
import type { TestHouse } from '../house.ts';
import { hasFile, type KnownImage, layOut, readLedger } from './images.ts';
import { differingParts, openShares, problemsOf, readUploads, type Upload } from './intake-copy.ts';
import { restart } from './restart.ts';
import { Owner } from './story.ts';

/** What its owner had been told when it was cut. */
export interface Told {
  readonly approved: string | undefined;
  readonly withdrawn: boolean;
  readonly demanded: boolean;
}

export interface Case {
  readonly known: KnownImage;
  readonly told: Told;
}

function isReleased({ ledger }: KnownImage): boolean {
  return ledger.state === 'RELEASE' || ledger.state === 'SHARED';
}

function isKeyOut({ image, ledger }: KnownImage): boolean {
  return ledger.shareId !== undefined && hasFile(image, new RegExp(`^spool/outbox/${ledger.shareId}/header`));
}

/** While the key is in the outbox its release stands on the disk whatever a power cut takes. */
export function isKeyOutTooEarly(now: KnownImage, afterPowerCut: KnownImage): boolean {
  return isKeyOut(now) && !isReleased(afterPowerCut);
}

/** Looks at the disk alone. */
export function wrongOnDisk({ known, told }: Case, uploads: readonly Upload[]): string[] {
  const { image, ledger } = known;
  const wrong: string[] = [];
  const say = (isWrong: boolean, what: string): void => {
    if (isWrong) wrong.push(what);
  };
  const released = isReleased(known);
  const demandIds = new Set(ledger.demands.map(({ demand_id: id }) => id));
  const shares = uploads.filter(({ shareId }) => !demandIds.has(shareId));
  say(isKeyOut(known) && !released, 'the key is in the outbox before its release');
  say(shares.some(({ part }) => part === 'header') && !released, 'a header was uploaded before its release');
  say(
    shares.some(({ shareId }) => shareId !== ledger.shareId),
    'an upload that nobody approved',
  );
  say(
    hasFile(image, /^spool\/outbox\/[0-9a-f]{32}\//) && ledger.shareId === undefined,
    'an outbox without an approval',
  );
  say(told.approved !== undefined && ledger.shareId !== told.approved, 'an approval was lost');
  say(told.withdrawn && ledger.state !== 'WITHDRAWN', 'a withdrawal was lost');
  say(told.demanded && !ledger.demands.some(({ ground }) => ground === 'owner_request'), 'a demand was lost');
  say(checkChain(ledger.entries).brokenAt !== undefined, 'the chain of the ledger is broken');
  return [...wrong, ...differingParts(uploads)];
}

function listed(folder: string, at = ''): string[] {
  return readdirSync(join(folder, at)).flatMap((name) => {
    const path = at === '' ? name : `${at}/${name}`;
    return statSync(join(folder, path)).isDirectory() ? listed(folder, path) : [path];
  });
}

/** What stands in the data directory of a house that is at rest, ids left out. */
export function leftovers(dataDir: string): string[] {
  const files = listed(dataDir).map((path) => path.replaceAll(/(?<![0-9a-z])[0-9a-f]{12,}(?![0-9a-z])/g, 'ID'));
  const expected =
    /^(config\.json|ledger\.db(-journal)?|keys\/[a-z-]+\.(json|pub)|cameras\/.*|spool\/(seen\.json|notices\/(digest|sent)\.json)|owner\/(vault\.age|place\.json|roots\.json|accounts\.json|tls\/[a-z-]+\.[a-z]+|demands\/ID\/(body|header)\.age|demands\/ID\/dispatch\.json))$/;
  return files.filter((path) => !expected.test(path));
}

export interface RestartOptions {
  readonly house: TestHouse;
  readonly request: { readonly envelope: Uint8Array; readonly document: { readonly request_id: string } };
  readonly brokerUrl: string;
  readonly store: string;
  readonly work: string;
}

/** Starts the house on it and drives it to its end. */
export async function wrongAfterRestart(left: Case, options: RestartOptions): Promise<string[]> {
  const { house, store, work } = options;
  const dataDir = join(work, 'data');
  const intake = join(work, 'intake');
  layOut({ image: left.known.image, store, dataDir, intake, same: { cameras: join(house.dataDir, 'cameras') } });
  try {
    return await drive({ ...options, dataDir, intake, ...left.told, before: left.known.ledger.entries.length });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

export async function drive(
  options: Told & Omit<RestartOptions, 'store' | 'work'> & { dataDir: string; intake: string; before: number },
): Promise<string[]> {
  const { house, request, brokerUrl, dataDir, intake, before, approved } = options;
  const requestId = request.document.request_id;
  const wrong: string[] = [];
  const first = readLedger(join(dataDir, 'ledger.db'), requestId);
  const running = await restart({ dataDir, intake, brokerUrl });
  try {
    using owner = await Owner.of(dataDir, requestId);
    if (first.state === 'WITHDRAWN') await owner.rests();
    else {
      await owner.shareAndDemand(() => {
        if (readUploads(intake).length > 0) wrong.push('an upload before the approval');
        if (first.shareId !== undefined) wrong.push('an approved request waits for an approval again');
      });
    }
  } catch (thrown) {
    wrong.push(thrown instanceof Error ? thrown.message : String(thrown));
  } finally {
    await running.stop();
  }
  wrong.push(...running.errors);
  const ledger = readLedger(join(dataDir, 'ledger.db'), requestId);
  const uploads = readUploads(intake);
  const isWithdrawn = first.state === 'WITHDRAWN';
  if (ledger.state !== (isWithdrawn ? 'WITHDRAWN' : 'SHARED')) wrong.push(`it ended ${ledger.state}`);
  if (approved !== undefined && ledger.shareId !== approved) wrong.push('an approval was lost');
  if (first.shareId !== undefined && first.shareId !== ledger.shareId) wrong.push('it became another share');
  const demandIds = new Set(ledger.demands.map(({ demand_id: id }) => id));
  const [arrived, ...more] = openShares(uploads.filter(({ shareId }) => !demandIds.has(shareId)));
  if (more.length > 0) wrong.push('two shares');
  if (isWithdrawn && uploads.some(({ part }) => part === 'header')) wrong.push('a key of a withdrawn share');
  if (isWithdrawn && uploads.some(({ isWhole }) => isWhole)) wrong.push('a body of a withdrawn share was left there');
  if (!isWithdrawn && arrived === undefined) wrong.push('no share');
  if (arrived !== undefined && arrived !== ledger.shareId) wrong.push('a share that nobody approved');
  if (arrived !== undefined)
    wrong.push(...problemsOf(uploads, arrived, house.agencyIdentity.identity, request.envelope));
  wrong.push(...differingParts(uploads));
  wrong.push(...leftovers(dataDir).map((path) => `left over: ${path}`));
  const { brokenAt } = checkChain(ledger.entries);
  const isLonger = first.entries.every((entry, i) => ledger.entries[i]?.hash.equals(entry.hash));
  if (brokenAt !== undefined || !isLonger || ledger.entries.length < before)
    wrong.push('the ledger is not the same and longer');
  return wrong;
}
