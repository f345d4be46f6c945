/**
 * A request from the officer's draft to the owner's knowledge that the footage is gone: the agency's office, its broker with
 * TLS and its intake on one side, owner, vault and courier on the other, and nothing between them but what the protocol says.
 */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { systemClock } from '../../agent/base/clock.ts';
import { silentLog } from '../../agent/base/log.ts';
import { runCourier } from '../../agent/courier/program.ts';
import type { RequestDetail, RequestSummary, ShareAftermath } from '../../agent/owner/service.ts';
import { checkCustody } from '../../scripts/portal/custody-check.ts';
import { readSigningKey } from '../../scripts/portal/key-files.ts';
import { outcomesDue, reportOutcome } from '../../scripts/portal/office-outcomes.ts';
import {
  deleteShare,
  listShares,
  openOfficeShare,
  readDemands,
  unreadDemands,
} from '../../scripts/portal/office-shares.ts';
import { publishAgency } from '../../scripts/portal/publish.ts';
import { TestHouse, testPassphrase } from '../house.ts';
import { Running, until } from '../owner-program.ts';
import { AgencyOffice } from '../portal/agency-office.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });
let stack: AsyncDisposableStack;
beforeEach(() => {
  stack = new AsyncDisposableStack();
});
afterEach(() => stack.disposeAsync());

it('asked, approved, verified, demanded back, deleted, and confirmed to its owner', async () => {
  const agency = stack.use(await AgencyOffice.make());
  const { office, identity, broker } = agency;
  const by = { actor: 'ana', nowMs: Date.now() };
  const house = await TestHouse.make();
  stack.defer(() => house[Symbol.dispose]());
  // The office asks about the hour before the last.
  const clipId = house.addClip({ startMs: Math.floor(Date.now() / 1000) * 1000 - 5_400_000 });
  const connection = {
    url: broker.url,
    caFile: broker.caFile,
    username: 'device',
    passwordFile: broker.passwordFile('device'),
  };
  const owner = new Running(house, { broker: connection });
  await owner.start();
  stack.defer(() => owner.stop());
  const stop = new AbortController();
  const done = runCourier({
    dataDir: house.dataDir,
    regions: ['US-CA'],
    broker: connection,
    uploads: { allowPrivateAddresses: true },
    signal: stop.signal,
    clock: systemClock,
    log: silentLog,
  });
  stack.defer(async () => {
    stop.abort();
    await done;
  });
  const { root } = office;
  const description = { name: root.name, threshold: root.threshold, keysHex: root.keys };
  await owner.call('addRoot', { passphrase: testPassphrase, root: description });
  await publishAgency({ broker: office.broker, agency: office.agencyEnvelope, root, nowMs: Date.now() });
  await until('agency', async () => (await owner.call<unknown[]>('listAgencies')).length === 1);
  await owner.call('setAgencyEnabled', { agency: 'west-city-pd', enabled: true });

  const requestId = await agency.publishedRequest();
  await until('request', async () => {
    return (await owner.call<RequestSummary[]>('listRequests')).some((one) => one.requestId === requestId);
  });
  await owner.approve(requestId, clipId);
  await owner.call('lock');
  const share = await until('share', () => listShares(office)[0]);
  const { verdict } = openOfficeShare(office, share.shareId, identity, by);
  expect(verdict).toMatchObject({
    problems: [],
    requestMatches: true,
    requestSignature: 'valid',
    grantSignature: 'valid',
  });
  expect(verdict.media.length).toBeGreaterThan(0);

  const aftermath = async (): Promise<ShareAftermath | undefined> =>
    (await owner.call<RequestDetail>('showRequest', { requestId })).share?.after;
  await until('arrival', async () => (await aftermath())?.deletion === 'due');
  await owner.call('unlockDeciding', { passphrase: testPassphrase });
  await owner.call('demandDeletion', { requestId, ground: 'owner_request', passphrase: testPassphrase });
  await until('demand', () => unreadDemands(office).length === 1);
  expect(readDemands(office, identity, by)).toMatchObject([{ shareId: share.shareId, ground: 'owner_request' }]);
  await until('demand sent', async () => (await aftermath())?.deletion === 'demanded');

  deleteShare(office, share.shareId, { ...by, ground: 'owner_request' });
  const key = readSigningKey('outcome', join(agency.dir, 'outcome'));
  await reportOutcome(office, { requestId, status: 'closed', use: ['charge'], disclosures: [], key }, by);
  await until('confirmation', async () => (await aftermath())?.deletion === 'confirmed');
  expect((await aftermath())?.outcome).toBe('closed');
  expect(outcomesDue(office, Date.now())).toMatchObject([{ state: 'reported' }]);
  expect(await checkCustody(office.intakeDir)).toMatchObject({ sharesHeld: [], sharesDeleted: [share.shareId] });
});
