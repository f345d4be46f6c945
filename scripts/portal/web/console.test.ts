import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { AgencyOffice } from '../../../test-fixtures/portal/agency-office.ts';
import { check, deskConsole, logIn, Stage } from '../../../test-fixtures/portal/console-stage.ts';
import { checkCustody } from '../custody-check.ts';
import { listRequests } from '../office-requests.ts';
import { listShares } from '../office-shares.ts';
import type { Console } from './server.ts';

/** Two people at two consoles, with a real browser, broker and intake: one story, so the tests depend on each other. */
// A browser on a machine that is busy with other tests takes its time.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });
let agency: AgencyOffice;
let stage: Stage;
let officer: Console;
let approver: Console;

beforeAll(async () => {
  agency = await AgencyOffice.make();
  officer = await deskConsole(agency, 'officer');
  approver = await deskConsole(agency, 'approver');
  stage = await Stage.open();
});
afterAll(async () => {
  await stage[Symbol.asyncDispose]();
  await officer.close();
  await approver.close();
  await agency[Symbol.asyncDispose]();
  expect([stage.foreign, stage.problems]).toEqual([[], []]);
});

/** As a datetime field takes it. */
const hoursAgo = (hours: number): string => new Date(Date.now() - hours * 3600_000).toISOString().slice(0, 16);

async function fillRequest(page: Page, hours: number): Promise<void> {
  const fields: [string, string][] = [
    ['Case number', '26-1042'], ['Kind of incident', 'burglary'], ['Case opened on', '2026-01-20'], ['Authority', 'Penal Code 459'],
    ['What happened, and what you look for', 'A door was forced on Tuesday evening.'], ['From (UTC)', hoursAgo(hours + 1)], ['To (UTC)', hoursAgo(1)],
    ['Centre, as LAT,LON in degrees', '37.7749,-122.4194'], ['Name', 'J. Doe'], ['Badge', '77'], ['Telephone', '+1 555 0100'],
  ]; // biome-ignore format: a table
  for (const [label, value] of fields) await page.getByLabel(label, { exact: true }).fill(value);
}

test('the officer writes a request; what devices would refuse is named beside the caps, and nothing typed is lost', async () => {
  const page = await stage.page();
  await page.goto(officer.url);
  await check(page, 'wide-1-login');
  await page.getByLabel('Token').fill('not the token');
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByText('That is not the token.').waitFor();
  await logIn(page, officer);
  await check(page, 'wide-2-empty');
  await page.getByRole('link', { name: 'Requests' }).click();
  await page.getByRole('link', { name: 'Write a new request' }).click();
  await check(page, 'wide-3-form');
  await fillRequest(page, 6);
  await page.getByRole('button', { name: 'Write the draft' }).click();
  await page.getByText('request/window-too-long').waitFor();
  await check(page, 'wide-4-refused');
  expect(await page.getByLabel('Case number').inputValue()).toBe('26-1042');
  expect(listRequests(agency.office, Date.now())).toEqual([]);
  await page.getByLabel('From (UTC)').fill(hoursAgo(2));
  await page.getByRole('button', { name: 'Write the draft' }).click();
  await page.getByRole('button', { name: 'Sign as officer' }).click();
  await page.getByText('Now an approver has to read and sign it').waitFor();
  await check(page, 'wide-5-half-signed');
});

test('the approver reads and signs it, and it is published', async () => {
  const page = await stage.page();
  await logIn(page, approver);
  await page.getByRole('link', { name: 'Requests' }).click();
  await page.getByRole('link', { name: '26-1042' }).click();
  await page.getByText('A door was forced on Tuesday evening.').waitFor();
  await check(page, 'wide-6-approve');
  await page.getByRole('button', { name: 'Sign as approver' }).click();
  await page.getByRole('button', { name: 'Publish to the region' }).click();
  await page.getByText('Published', { exact: true }).waitFor();
  expect(listRequests(agency.office, Date.now())).toMatchObject([{ state: 'published' }]);
});

test('shares are opened with a verdict in plain words, demanded back, deleted, and the deletion is reported', async () => {
  const [request] = listRequests(agency.office, Date.now());
  const requestId = request?.requestId ?? '';
  const share = await agency.sendShare(requestId);
  const altered = await agency.sendShare(requestId, (video) => void (video[30_000] = (video[30_000] ?? 0) ^ 1));
  await agency.sendDemand(requestId, share);
  const page = await stage.page();
  await logIn(page, officer);
  await page.getByText('Unread demands').waitFor();
  await page.getByRole('link', { name: altered.shareId.slice(0, 8) }).click();
  await page.getByRole('button', { name: 'Open and verify' }).click();
  await page.getByText('NOT PROVED. Do not rely on it.').waitFor();
  await check(page, 'wide-7-not-proved');
  await page.goto(`${officer.url}shares/${share.shareId}`);
  await page.getByRole('button', { name: 'Open and verify' }).click();
  await page.getByText('Everything that could be checked holds.').waitFor();
  await check(page, 'wide-8-verdict');
  const video = await page.request.get(`${officer.url}shares/${share.shareId}/files/40-video.mp4`);
  expect((await video.body()).equals(Buffer.from(share.video))).toBe(true);
  await page.goto(`${officer.url}deletions`);
  await page.getByRole('button', { name: 'Read them' }).click();
  await page.getByText('Signed by the owner').waitFor();
  await page.getByText('demanded by its owner').waitFor();
  await check(page, 'wide-9-deletions');
  await page
    .getByRole('link', { name: share.shareId.slice(0, 8) })
    .first()
    .click();
  await page.getByText('Its owner demands deletion').waitFor();
  await page.getByText('Delete this share', { exact: true }).click();
  await page.getByLabel('Why').selectOption('owner_request');
  await page.getByLabel('Yes, delete this share').check();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByText('Deleted', { exact: false }).first().waitFor();
  expect(listShares(agency.office).find(({ shareId }) => shareId === share.shareId)?.deletedAtMs).toBeGreaterThan(0);
  await page.getByRole('link', { name: 'Outcomes' }).click();
  await page.getByText('2 received, 1 deleted').waitFor();
  await page.getByText('Report an outcome').click();
  await page.getByLabel('a vehicle was identified').check();
  await check(page, 'wide-10-outcome');
  await page.getByRole('button', { name: 'Publish the outcome' }).click();
  await page.getByText('Reported', { exact: true }).waitFor();
  await page.getByRole('link', { name: 'Deletions' }).click();
  await page.getByText('confirmed to its owner').waitFor();
  await page.getByRole('link', { name: 'Custody' }).click();
  const { head } = await checkCustody(agency.office.intakeDir);
  await page.getByText(head ?? 'none').waitFor();
  await check(page, 'wide-11-custody');
});

test('a notice, by keyboard alone', async () => {
  const page = await stage.page();
  await logIn(page, officer);
  await page.goto(`${officer.url}notices`);
  await page.getByLabel('Headline').focus();
  await page.keyboard.type('Parcel thefts on 5th Street');
  await page.keyboard.press('Tab');
  await page.keyboard.type('Please take parcels in.');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.getByText('Issued so far: 1.').waitFor();
  await page.getByLabel('Shown for so many days').fill('15');
  await page.getByLabel('Headline').fill('Too long');
  await page.getByLabel('Text').fill('x');
  await page.getByRole('button', { name: 'Publish the notice' }).click();
  await page.getByText('notice/lifetime-too-long').waitFor();
});

test('it fits a phone, in the dark as well', async () => {
  const page = await stage.page({ width: 375, dark: true });
  await logIn(page, officer);
  for (const [i, path] of ['', 'requests', 'requests/new', 'outcomes', 'deletions', 'notices', 'custody'].entries()) {
    await page.goto(`${officer.url}${path}`);
    await check(page, `phone-${i + 1}-${path === '' ? 'shares' : path.replace('/', '-')}`);
  }
  const [share] = listShares(agency.office);
  await page.goto(`${officer.url}shares/${share?.shareId ?? ''}`);
  await page.getByRole('button', { name: 'Open and verify' }).click();
  await page.getByRole('heading', { name: 'What this share proves' }).waitFor();
  await check(page, 'phone-8-share');
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.goto(`${officer.url}custody`);
  await page.getByLabel('Token').waitFor();
});

test('a revoked request is said to be', async () => {
  const page = await stage.page();
  await logIn(page, approver);
  await page.goto(`${approver.url}requests`);
  await page.getByRole('link', { name: '26-1042' }).click();
  await page.getByText('Take the request back').click();
  await page.getByLabel('Reason').fill('The case is closed.');
  await page.getByRole('button', { name: 'Revoke the request' }).click();
  await page.getByText('Revoked', { exact: true }).waitFor();
});
