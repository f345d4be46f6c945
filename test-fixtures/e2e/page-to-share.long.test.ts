/** The page before a real owner program and its vault: what is ticked there stands in the sealed share, and in the ledger. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Log, silentLog } from '../../agent/base/log.ts';
import { createAccount } from '../../agent/owner/api/accounts.ts';
import type { AgencySummary } from '../../agent/owner/service.ts';
import { openFile, parseIdentity, splitFile } from '../../agent/protocol/age-file.ts';
import { readArchive } from '../../agent/protocol/share-archive.ts';
import { verifyShare } from '../../agent/protocol/share-verify.ts';
import { TestHouse, testPassphrase } from '../house.ts';
import { Running } from '../owner-program.ts';

const password = 'correct horse battery';
let house: TestHouse;
let owner: Running;
let browser: Browser;
let page: Page;
let port: number;

beforeEach(async () => {
  house = await TestHouse.make();
  for (const name of ['ada', 'bea']) await createAccount({ dataDir: house.dataDir, name, password, role: 'owner' });
  house.addClip({ startMs: Math.floor(Date.now() / 1000) * 1000 - 600_000 });
  const log: Log = {
    ...silentLog,
    info: (event, fields) => {
      if (event === 'owner-ready') port = Number(fields?.['port']);
    },
  };
  owner = new Running(house, { coolingOffMs: 3_600_000, secondApprover: 'bea' }, log);
  await owner.start();
  await owner.enable();
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
  page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
  page.setDefaultTimeout(60_000);
});
afterEach(async () => {
  await browser.close();
  await owner.stop();
  house[Symbol.dispose]();
});

const press = (name: string | RegExp): Promise<void> => page.getByRole('button', { name, exact: true }).click();

async function openRequest(name: string, requestId: string): Promise<void> {
  await page.goto(`https://127.0.0.1:${port}/`);
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password').fill(password);
  await press('Log in');
  await page.locator(`a[href="#/requests/${requestId}"]`).click();
}

it('approved by one, confirmed by another, with the proof of one device because it was ticked', async () => {
  const { requestId } = await owner.send({ change: (request) => ({ ...request, media: { audio: true } }) });
  await openRequest('ada', requestId);
  await page.getByLabel('Passphrase').fill(testPassphrase);
  await press('Look at the clips');
  await page.getByRole('checkbox', { name: /^Include this clip/ }).check();
  await page.getByRole('checkbox', { name: /one device/ }).check();
  await page.getByRole('checkbox', { name: /sound/ }).check();
  await press('Show exactly what would be sent');
  await page.getByText('Proved: the agency can link your shares of this month').waitFor();
  await page.getByLabel('Passphrase, to approve').fill(testPassphrase);
  await press('Approve');
  await page.getByText('bea, who must confirm it').waitFor();

  const [shareId = ''] = readdirSync(join(house.dataDir, 'owner/held'));
  const part = (name: string): Buffer => readFileSync(join(house.dataDir, 'owner/held', shareId, name));
  const sealed = splitFile(Buffer.concat([part('header.age'), part('body.age')]));
  const files = readArchive(openFile(sealed, parseIdentity(house.agencyIdentity.identity)));
  const roots = [{ keys: house.roots.map(({ publicKey }) => publicKey), threshold: 2 }];
  const verdict = verifyShare({ files, signers: { agency: house.agency(), roots, atMs: Date.now() } });
  expect(verdict).toMatchObject({ problems: [], lineage: 'same-device' });

  await press('Log out ada');
  await openRequest('bea', requestId);
  await press('Confirm');
  await page.getByText('who must confirm it').waitFor({ state: 'detached' });
  await press('Pair this browser');
  await page.getByLabel('Passphrase').fill(testPassphrase);
  await press('Pair');
  await page.getByText(/^Open for/).waitFor();
  await press('Lock');
  await press('Unlock viewing');
  await page.getByText('Open for viewing').waitFor();
  await page.getByRole('link', { name: 'Ledger' }).click();
  for (const deed of ['Looked at the clips of a request', 'Approved a share', 'Confirmed a share'])
    await page.getByText(deed).waitFor();
  await page.getByRole('link', { name: 'Agencies' }).click();
  await page.getByRole('checkbox', { name: 'Muted' }).check();
  await page.getByText('You have muted it.').waitFor();
  expect((await owner.call<AgencySummary[]>('listAgencies'))[0]?.muted).toBe('by-owner');
});
