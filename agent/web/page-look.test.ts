/** That the page fits a phone, suits a keyboard and a screen reader, and stays small. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { passphrase } from '../owner/api/fixture/memory-service.ts';
import {
  api,
  check,
  chooseAndPreview,
  logIn,
  lookAtClips,
  openBrowser,
  openFirstRequest,
  page,
  password,
  plays,
  webDir,
} from './fixture/stage.ts';

test('by keyboard alone: from log-in to a decline', async () => {
  await page.goto(api.url);
  await page.getByLabel('Name').waitFor();
  const tabTo = async (matches: (text: string) => boolean): Promise<void> => {
    for (let i = 0; i < 40; i++) {
      await page.keyboard.press('Tab');
      const text = await page.evaluate(() => {
        const active = document.activeElement as HTMLInputElement | null;
        return active?.labels?.[0]?.textContent ?? active?.textContent ?? '';
      });
      if (matches(text)) return;
    }
    throw new Error('the keyboard does not get there');
  };
  await tabTo((text) => text === 'Name');
  await page.keyboard.type('ada');
  await tabTo((text) => text === 'Password');
  await page.keyboard.type(password);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Requests', level: 1 }).waitFor();
  await tabTo((text) => text.includes('Burglary'));
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'A request for footage' }).waitFor();
  await tabTo((text) => text === 'Decline');
  await page.keyboard.press('Enter');
  await page.getByText('You said no; nobody is told').waitFor();
});

test.each([
  ['phone', { width: 375 }],
  ['wide-dark', { width: 1100, dark: true }],
] as const)('every page fits and passes axe: %s', async (name, look) => {
  await openBrowser(look);
  await page.goto(api.url);
  await page.getByLabel('Name').waitFor();
  await check(`${name}-1-login`);
  await logIn();
  await check(`${name}-2-inbox`);
  await page.getByRole('button', { name: 'Pair this browser' }).click();
  await check(`${name}-3-pair`);
  await page.getByRole('button', { name: 'Not now' }).click();
  await openFirstRequest();
  await check(`${name}-4-request`);
  await lookAtClips();
  await chooseAndPreview();
  await plays(/^What would be sent/);
  await check(`${name}-5-preview`);
  await page.getByLabel('Passphrase, to approve').fill(passphrase);
  await page.getByRole('button', { name: 'Approve' }).click();
  await page.getByRole('button', { name: 'Withdraw' }).waitFor();
  await check(`${name}-6-approved`);
  await page.goto(`${api.url}#/clips?day=2026-11-21`);
  await page.getByText('3 clips').waitFor();
  await check(`${name}-7-clips`);
  await page.getByRole('link', { name: 'Agencies' }).click();
  await page.getByRole('checkbox', { name: 'May ask me' }).waitFor();
  await check(`${name}-8-agencies`);
  await page.getByRole('link', { name: 'Alerts' }).click();
  await page.getByText('Parcels taken on Alder Street').waitFor();
  await check(`${name}-9-alerts`);
  await page.getByRole('link', { name: 'Ledger' }).click();
  await page.getByText('Watched a clip').waitFor();
  await check(`${name}-10-ledger`);
});

test('the page is small and holds no inline script', () => {
  const html = readFileSync(join(webDir, 'index.html'), 'utf8');
  expect(html).not.toMatch(/<script(?![^>]*\ssrc=)|\son\w+=|javascript:/i);
  const scripts = readdirSync(join(webDir, 'assets')).filter((name) => name.endsWith('.js'));
  const bytes = scripts.reduce((sum, name) => sum + gzipSync(readFileSync(join(webDir, 'assets', name))).length, 0);
  expect(bytes).toBeLessThanOrEqual(120_000);
});
