/** What goes along, who must confirm, and what comes after a yes: demands, alerts, the ledger, how far an agency is heard. */
import { expect, test } from 'vitest';
import { hostileText, passphrase } from '../owner/api/fixture/memory-service.ts';
import {
  api,
  check,
  chooseAndPreview,
  context,
  logIn,
  lookAtClips,
  openBrowser,
  openFirstRequest,
  page,
  service,
} from './fixture/stage.ts';

const first = 'a'.repeat(32);
const second = 'b'.repeat(32);

async function approve(): Promise<void> {
  await page.getByLabel('Passphrase, to approve').fill(passphrase);
  await page.getByRole('button', { name: 'Approve' }).click();
  await page.getByRole('heading', { name: 'What you approved' }).waitFor();
}

/** Opens viewing in this browser's session without a pairing. */
async function unlock(): Promise<void> {
  await page.evaluate(async (words) => {
    const body = JSON.stringify({ passphrase: words });
    await fetch('/api/unlock', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  }, passphrase);
}

test('sound and the proof of one device go along only when ticked, and what was ticked must be previewed anew', async () => {
  await logIn();
  await openFirstRequest();
  await page.getByText('Asked for; it goes along only if you tick it').waitFor();
  await lookAtClips();
  const sound = page.getByRole('checkbox', { name: 'Send the sound too' });
  const lineage = page.getByRole('checkbox', { name: /^Prove that these clips come from one device/ });
  expect([await sound.isChecked(), await lineage.isChecked()]).toEqual([false, false]);
  await chooseAndPreview();
  expect(service.lastExtras).toEqual({ sound: false, discloseLineage: false });
  await page.getByText('Not proved: your shares can’t be linked').waitFor();
  await lineage.press('Space');
  await expect.poll(() => lineage.isChecked()).toBe(true);
  await expect.poll(() => page.getByRole('heading', { name: 'Exactly this would be sent' }).count()).toBe(0);
  // What it costs is said to a screen reader too.
  const hint = await lineage.evaluate((tick) => document.getElementById(tick.getAttribute('aria-describedby') ?? ''));
  expect(hint).not.toBeNull();
  await sound.check();
  await page.getByRole('button', { name: 'Show exactly what would be sent' }).click();
  await page.getByText('Proved: the agency can link your shares of this month').waitFor();
  expect(service.lastExtras).toEqual({ sound: true, discloseLineage: true });
  await check('extras');
});

test('who asks twice about one place is shown doing so', async () => {
  service.relate(first, second);
  await logIn();
  await expect.poll(() => page.getByText('One of 2 requests of this case whose areas overlap').count()).toBe(2);
  await openFirstRequest();
  await page.getByText('The same agency asks about this case and place in another request').waitFor();
  await page.getByRole('link', { name: `Request ${second.slice(0, 8)}` }).click();
  await page.getByRole('link', { name: `Request ${first.slice(0, 8)}` }).waitFor();
  await check('related');
});

test('where sound is not asked for, it can not be ticked', async () => {
  await logIn();
  await page.goto(`${api.url}#/requests/${second}`);
  await page.getByText('Not asked for, and not sent').waitFor();
  await lookAtClips();
  await page.getByText('No sound: the request does not ask for it.').waitFor();
  expect(await page.getByRole('checkbox', { name: /sound/ }).count()).toBe(0);
  await chooseAndPreview();
  expect(service.lastExtras.sound).toBe(false);
});

test('a second person confirms from their own log-in, and is said to be awaited before and after', async () => {
  service.secondApprover = 'bea';
  await logIn();
  await openFirstRequest();
  await page.getByText('Nothing leaves before bea has confirmed it too.').waitFor();
  await page.getByText('After a yes nothing leaves for 1 h').waitFor();
  await lookAtClips();
  await chooseAndPreview();
  await approve();
  await page.getByText('bea, who must confirm it').waitFor();
  await expect.poll(() => page.getByRole('button', { name: 'Confirm' }).count()).toBe(0);
  await page.getByRole('button', { name: 'Log out ada' }).click();
  await logIn('bea');
  await openFirstRequest();
  await page.getByText('Another of this house said yes; nothing leaves before you confirm it').waitFor();
  await check('confirm');
  await page.getByRole('button', { name: 'Confirm' }).click();
  await page.getByText('who must confirm it').waitFor({ state: 'detached' });
});

test('after it has arrived: what is signed already, and a demand of one’s own, with the passphrase', async () => {
  await logIn();
  await openFirstRequest();
  await lookAtClips();
  await chooseAndPreview();
  await approve();
  await page.getByRole('button', { name: 'Lock', exact: true }).click();
  service.arrive(first);
  await page.getByText('The demand for the day on which it should be gone is signed and waits for its day.').waitFor();
  await page.getByRole('radio', { name: 'The agency broke its terms' }).check();
  await page.getByLabel('Passphrase').fill('not the passphrase');
  await page.getByRole('button', { name: 'Demand its deletion now' }).click();
  await page.getByText('wrong passphrase').waitFor();
  await check('demand');
  await page.getByLabel('Passphrase').fill(passphrase);
  await page.getByRole('button', { name: 'Demand its deletion now' }).click();
  await page.getByText('Your demand, because its terms were broken is on its way.').waitFor();
  await page.getByText('You have demanded it').waitFor();
});

test('muting and hearing less often take one press each, and only an owner’s', async () => {
  await logIn();
  await page.getByRole('link', { name: 'Agencies' }).click();
  await page.getByRole('checkbox', { name: 'Muted' }).check();
  await page.getByText('You have muted it.').waitFor();
  await page.getByRole('combobox', { name: 'Requests a day, at most' }).selectOption('2');
  await expect.poll(async () => (await service.listAgencies())[0]?.perDay).toBe(2);
  expect((await service.listAgencies())[0]).toMatchObject({ muted: 'by-owner', enabled: true });
  await page.getByRole('checkbox', { name: 'Muted' }).uncheck();
  await page.getByText('You have muted it.').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Log out ada' }).click();
  await logIn('guest');
  await page.getByRole('link', { name: 'Agencies' }).click();
  for (const control of [page.getByRole('checkbox', { name: 'Muted' }), page.getByRole('combobox')])
    await expect.poll(() => control.isDisabled()).toBe(true);
});

test('among fifteen hundred agencies those that may ask stand first, and the others are found by name', async () => {
  const [known] = await service.listAgencies();
  service.moreAgencies = Array.from({ length: 1499 }, (_, i) => {
    const number = String(i).padStart(4, '0');
    return { ...known!, agency: `county-${number}`, name: `County ${number} Sheriff`, enabled: false };
  });
  await logIn();
  await page.getByRole('link', { name: 'Agencies' }).click();
  await page.getByText('1500 found; the first 50 are shown').waitFor();
  const cards = page.locator('main ul.cards > li');
  await expect.poll(() => cards.count()).toBe(50);
  expect(await cards.first().textContent()).toMatch(/^Cedar Falls/);
  await page.getByRole('searchbox', { name: 'Find an agency' }).fill('sheriff 1234');
  await page.getByText('1 found', { exact: true }).waitFor();
  await expect.poll(() => cards.allTextContents()).toEqual([expect.stringMatching(/^County 1234 Sheriff/)]);
  await check('agencies-many');
  await page.getByRole('searchbox').fill('nobody');
  await page.getByText('0 found', { exact: true }).waitFor();
});

test('the ledger is sealed while locked, whole without a key, and read newest first by every account', async () => {
  const entry = { hash: 'c'.repeat(64), readable: true, moreCount: 0 };
  service.ledger = Array.from({ length: 250 }, (_, i) => ({
    ...entry,
    entry: i + 1,
    atMs: Date.UTC(2026, 10, 1) + i * 3_600_000,
    actions: i === 249 ? ['view 0c11223344', 'view 0c11223344', `approve ${'d'.repeat(64)} ${'e'.repeat(32)}`] : [],
  }));
  await logIn('guest');
  await page.getByRole('link', { name: 'Ledger' }).click();
  await page.getByText('What stands in it is sealed.').waitFor();
  await page.getByText('250 entries, each covering all before it').waitFor();
  expect(await page.getByText(/Watched a clip/).count()).toBe(0);
  await check('ledger-sealed');
  await page.getByRole('button', { name: 'Pair this browser' }).click();
  await page.getByLabel('Passphrase').fill(passphrase);
  await page.getByRole('button', { name: 'Pair', exact: true }).click();
  await page.getByText('Watched a clip: 0c112233 (2 times)').waitFor();
  await page.getByText('Approved a share: dddddddd').waitFor();
  const entries = page.getByRole('list', { name: 'Entries, newest first' }).locator('> li');
  await expect.poll(() => entries.count()).toBe(100);
  expect(await entries.first().textContent()).toMatch(/^250\. /);
  await page.getByRole('button', { name: 'Show earlier entries' }).click();
  await page.getByText(/^101\. /).waitFor();
  await page.getByRole('button', { name: 'Show earlier entries' }).click();
  await page.getByText(/^1\. /).waitFor();
  await expect.poll(() => page.getByRole('button', { name: 'Show earlier entries' }).count()).toBe(0);
  // Locking takes it from the screen.
  await page.getByRole('button', { name: 'Lock', exact: true }).click();
  await page.getByText('What stands in it is sealed.').waitFor();
  await expect.poll(() => page.getByText(/Watched a clip/).count()).toBe(0);
  // The same page opens it again with the pairing that it made.
  await page.getByRole('button', { name: 'Unlock viewing' }).click();
  await page.getByText('Open for viewing').waitFor();
  await page.getByText('Approved a share: dddddddd').waitFor();
});

test('a ledger that was changed says so, and an entry that does not open is shown as such', async () => {
  service.ledger = [
    { entry: 1, atMs: Date.UTC(2026, 10, 1), hash: 'c'.repeat(64), readable: false, actions: [], moreCount: 0 },
    {
      entry: 2,
      atMs: Date.UTC(2026, 10, 2),
      hash: 'd'.repeat(64),
      readable: true,
      actions: ['unheard of'],
      moreCount: 7,
    },
  ];
  service.brokenAtEntry = 2;
  await logIn();
  await unlock();
  await page.goto(`${api.url}#/ledger`);
  await page.getByText('The ledger was changed: entry 2 does not follow').waitFor();
  await page.getByText('It does not open with this key.').waitFor();
  await page.getByText('unheard of').waitFor();
  await page.getByText('and 7 more that found no room').waitFor();
});

test('hostile alerts, agencies and ledger entries are text, and cannot turn around the words beside them', async () => {
  await openBrowser({ width: 375 });
  const turning = `${hostileText} ‮לדוגמה‬ ${'x'.repeat(200)}`;
  const [notice] = service.notices;
  service.notices = Array.from({ length: 3 }, () => ({
    ...notice!,
    agencyName: turning,
    headline: turning,
    text: `${turning}\n${turning}`,
  }));
  service.ledger = [{ ...service.ledger[0]!, actions: [turning, `view ${turning}`] }];
  service.renameAgency(turning);
  await logIn();
  await unlock();
  for (const [link, name] of [
    ['Alerts', 'alerts-hostile'],
    ['Agencies', 'agencies-hostile'],
    ['Ledger', 'ledger-hostile'],
  ] as const) {
    await page.getByRole('link', { name: link }).click();
    await page.getByText('<img src=x').first().waitFor();
    expect(await page.locator('main img, main script, main iframe').count()).toBe(0);
    expect(await page.locator('main a').count()).toBe(0);
    expect(await page.title()).toBe(`${link} · Latchkey`);
    await check(name);
  }
  await page.getByRole('link', { name: 'Alerts' }).click();
  // The words of an agency are each in an island of their own direction.
  const loose = await page.locator('main').evaluate((main, text) => {
    const walker = document.createTreeWalker(main, NodeFilter.SHOW_TEXT);
    const found: string[] = [];
    while (walker.nextNode()) {
      const { parentElement, textContent } = walker.currentNode;
      if (textContent?.includes(text) === true && parentElement?.closest('bdi') === null) found.push(textContent);
    }
    return found;
  }, '<img');
  expect(loose).toEqual([]);
});

test('a device that does not answer (page/offline) is said to be away, and nothing is lost on the screen', async () => {
  await logIn();
  await openFirstRequest();
  await page.getByRole('button', { name: 'Decline' }).waitFor();
  await context.setOffline(true);
  await page.getByRole('button', { name: 'Decline' }).click();
  await page.getByText('The device does not answer. Are you on the home network?').first().waitFor();
  await page.getByText('Who asks').waitFor();
  await context.setOffline(false);
  expect(service.calls).toEqual([]);
});
