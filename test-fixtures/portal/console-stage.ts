/** A console of an office with a real browser in front of it. Nothing but the console may be asked for anything. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { readIdentity, readSigningKey } from '../../scripts/portal/key-files.ts';
import { type Console, startConsole } from '../../scripts/portal/web/server.ts';
import type { AgencyOffice } from './agency-office.ts';

export function deskConsole(agency: AgencyOffice, role: 'officer' | 'approver'): Promise<Console> {
  return startConsole({
    desk: {
      office: agency.office,
      role,
      actor: role === 'officer' ? 'ana' : 'ben',
      nowMs: () => Date.now() + agency.aheadMs,
      key: () => readSigningKey(role, agency.at(role)),
      outcomeKey: () => readSigningKey('outcome', agency.at('outcome')),
      identity: () => readIdentity(agency.at('evidence/recipient.identity')),
    },
    port: 0,
  });
}

/** Where pictures go, for a person to look at; nowhere unless asked. */
const shots = process.env['LATCHKEY_SHOTS'];

export class Stage implements AsyncDisposable {
  readonly #browser: Browser;
  #context: BrowserContext | undefined;
  readonly foreign: string[] = [];
  readonly problems: string[] = [];

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  static async open(): Promise<Stage> {
    const args =
      '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';
    // Another site's name that resolves to this machine: what a rebinding attack arranges by DNS.
    const rebound = '--host-resolver-rules=MAP *.example 127.0.0.1';
    return new Stage(
      await chromium.launch({ executablePath: '/usr/bin/chromium', args: [...args.split(' '), rebound] }),
    );
  }

  async page(options: { width?: number; dark?: boolean } = {}): Promise<Page> {
    await this.#context?.close();
    this.#context = await this.#browser.newContext({
      viewport: { width: options.width ?? 1000, height: 800 },
      colorScheme: options.dark === true ? 'dark' : 'light',
    });
    this.#context.setDefaultTimeout(45_000);
    const page = await this.#context.newPage();
    page.on('request', (request) => {
      const { protocol, hostname } = new URL(request.url());
      if (protocol !== 'data:' && hostname !== '127.0.0.1') this.foreign.push(request.url());
    });
    page.on('pageerror', (error) => this.problems.push(error.message));
    page.on('dialog', (dialog) => {
      this.problems.push(`a dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    return page;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
  }
}

export async function logIn(page: Page, { url, token }: Console): Promise<void> {
  await page.goto(url);
  await page.getByLabel('Token').fill(token);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('heading', { name: 'Shares', level: 1 }).waitFor();
}

/** No serious or critical finding of axe; nothing wider than the screen; a picture if asked for. */
export async function check(page: Page, name: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  expect(serious.map(({ id, nodes }) => [id, nodes.map((node) => node.html)])).toEqual([]);
  const [scroll, width] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  expect([name, scroll]).toEqual([name, width]);
  if (shots === undefined) return;
  mkdirSync(shots, { recursive: true });
  await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
}
