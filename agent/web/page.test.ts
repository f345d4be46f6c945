/** What an owner does with the page, in a real browser over real TLS. */
import { expect, test } from 'vitest';
import { passphrase } from '../owner/api/fixture/memory-service.ts';
import {
  api,
  chooseAndPreview,
  context,
  logIn,
  lookAtClips,
  openFirstRequest,
  page,
  plays,
  service,
} from './fixture/stage.ts';

test('log in, pair, review, watch the preview, approve, withdraw', async () => {
  await page.goto(api.url);
  await page.getByLabel('Name').fill('ada');
  await page.getByLabel('Password').fill('wrong password');
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByText('the name or the password is wrong').waitFor();
  await logIn();

  await page.getByRole('button', { name: 'Pair this browser' }).click();
  await page.getByLabel('Passphrase').fill(passphrase);
  await page.getByRole('button', { name: 'Pair', exact: true }).click();
  await page.getByText('Open for viewing').waitFor();

  await openFirstRequest();
  await page.getByText('This is voluntary. You may say yes, no, or nothing. It is not a warrant.').waitFor();
  await page.getByText('Sat 21 Nov 2026, 14:00:00 to 16:00:00 UTC\u221206:00').waitFor();
  await page.getByRole('img', { name: /Your home is inside the area/ }).waitFor();
  await lookAtClips();
  expect(await page.getByRole('checkbox', { checked: true }).count()).toBe(0);
  await page.getByRole('button', { name: 'Show exactly what would be sent' }).click();
  await page.getByText('Choose at least one clip first.').waitFor();
  await page.getByRole('button', { name: 'Approve' }).click();
  await page.getByText('To approve, first choose clips').waitFor();

  await chooseAndPreview();
  await plays(/^What would be sent/);
  await page.getByText('https://evidence.cedarfalls.example/files').waitFor();
  await page.getByRole('button', { name: 'Approve' }).click();
  await page.getByText('To approve, type the passphrase.').waitFor();
  await page.getByLabel('Passphrase, to approve').fill('not the passphrase');
  await page.getByRole('button', { name: 'Approve' }).click();
  await page.getByText('wrong passphrase').waitFor();
  expect(service.calls.filter((each) => each.startsWith('COOLING'))).toEqual([]);
  await page.getByLabel('Passphrase, to approve').fill(passphrase);
  await page.getByRole('button', { name: 'Approve' }).click();
  await page.getByText('You said yes; nothing has left the house yet').waitFor();

  // Withdrawing needs neither the passphrase nor an open lock.
  await page.getByRole('button', { name: 'Lock', exact: true }).click();
  await page.getByText('Locked', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Withdraw' }).click();
  await page.getByText('You withdrew it').waitFor();
  expect(service.calls).toEqual(['REVIEWING a', 'COOLING a', 'WITHDRAWN a']);
});

test('what was chosen differently must be previewed again, and trimming stays inside the clip', async () => {
  await logIn();
  await openFirstRequest();
  await lookAtClips();
  await chooseAndPreview();
  const end = page.getByRole('slider', { name: 'To', exact: true });
  await end.focus();
  for (let i = 0; i < 4; i++) await page.keyboard.press('ArrowLeft');
  await page.getByText('Send only this part (18 s)').waitFor();
  await expect.poll(() => page.getByRole('heading', { name: 'Exactly this would be sent' }).count()).toBe(0);
  await end.press('Home');
  await page.getByText('Send only this part (1 s)').waitFor();
});

test('declining takes one press, no passphrase and no unlocking', async () => {
  await logIn();
  await openFirstRequest();
  const buttons = await Promise.all(
    ['Approve', 'Decline'].map(async (name) => {
      const button = page.getByRole('button', { name, exact: true });
      const box = await button.boundingBox();
      const look = await button.evaluate((element) => {
        const { backgroundColor, color, fontSize, fontWeight, opacity, borderColor } = getComputedStyle(element);
        return { backgroundColor, color, fontSize, fontWeight, opacity, borderColor };
      });
      return { width: Math.round(box?.width ?? 0), height: Math.round(box?.height ?? 0), look };
    }),
  );
  expect(buttons[0]).toEqual(buttons[1]);
  await page.getByRole('button', { name: 'Decline' }).click();
  await page.getByText('You said no; nobody is told').waitFor();
  expect(service.calls).toEqual(['DECLINED a']);
});

test('a change made elsewhere shows without a reload', async () => {
  await logIn();
  await service.decline({ requestId: 'a'.repeat(32) });
  await page.getByText('You said no; nobody is told').waitFor();
});

test('a viewer looks back and is offered nothing that would be refused: no pinning, no deleting, no undoing', async () => {
  await service.unlockDeciding({ passphrase });
  const [clip] = await service.listClips({ fromMs: 0, toMs: Date.now() * 2 });
  await service.deleteClips({ clipIds: [clip?.clipId ?? ''] });
  await logIn('guest');
  await page.getByRole('button', { name: 'Pair this browser' }).click();
  await page.getByLabel('Passphrase').fill(passphrase);
  await page.getByRole('button', { name: 'Pair', exact: true }).click();
  await page.goto(`${api.url}#/clips?day=2026-11-21`);
  await page.getByText('2 clips').waitFor();
  await page.getByText('Deleted a clip of Front door; gone for good at').waitFor();
  expect(await page.getByRole('button', { name: /^Play the clip/ }).count()).toBe(2);
  expect(await page.getByRole('button', { name: /^(Pin|Unpin|Delete|Undo)/ }).count()).toBe(0);
});

test('looking back needs viewing, then shows a day and plays', async () => {
  await logIn();
  await page.goto(`${api.url}#/clips?day=2026-11-21`);
  await page.getByText('Clips are sealed. Unlock viewing').waitFor();
  // Somebody else's unlocking opens nothing here.
  await service.unlockDeciding({ passphrase });
  await page.evaluate(async (words) => {
    const body = JSON.stringify({ passphrase: words });
    await fetch('/api/unlock', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  }, passphrase);
  await page.reload();
  await page.getByText('3 clips').waitFor();
  await page.getByRole('button', { name: /^Play the clip from 14:12/ }).click();
  await plays(/^Clip from 14:12/);
  await page.getByRole('button', { name: 'Day after' }).click();
  await page.getByText('No clip on this day.').waitFor();
});

test('a clip is pinned with what that costs, deleted, and taken back', async () => {
  await logIn();
  await service.unlockDeciding({ passphrase });
  await page.evaluate(async (words) => {
    const body = JSON.stringify({ passphrase: words });
    await fetch('/api/unlock', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  }, passphrase);
  await page.goto(`${api.url}#/clips?day=2026-11-21`);
  await page.reload();
  await page.getByText('3 clips').waitFor();
  await page.getByRole('button', { name: /^Pin the clip from 14:12/ }).click();
  await page.getByText(/Pinned clips now take [\d.]+ MB, 0 % of the quota\./).waitFor();
  await page.getByText(', pinned').waitFor();
  await page.getByRole('button', { name: /^Delete the clip from 14:12/ }).click();
  await page.getByText('2 clips').waitFor();
  await page.reload();
  await page.getByText('Deleted a clip of Front door; gone for good at').waitFor();
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByText('3 clips').waitFor();
  await page.getByRole('button', { name: 'Undo' }).waitFor({ state: 'detached' });
});

test('when the session is over, the next press leads to the log-in', async () => {
  await logIn();
  await openFirstRequest();
  await page.getByRole('button', { name: 'Decline' }).waitFor();
  await context.clearCookies();
  await page.getByRole('button', { name: 'Decline' }).click();
  await page.getByRole('heading', { name: 'Log in' }).waitFor();
  expect(service.calls).toEqual([]);
});

test('a viewer sees that deciding is not theirs', async () => {
  await logIn('guest');
  await openFirstRequest();
  await page.getByText('Deciding is for an owner’s log-in').waitFor();
  expect(await page.getByRole('button', { name: /Approve|Decline|Look at/ }).count()).toBe(0);
  await page.getByRole('link', { name: 'Agencies' }).click();
  await page.getByRole('checkbox', { name: 'May ask me' }).waitFor();
  await expect.poll(() => page.getByRole('checkbox', { name: 'May ask me' }).isDisabled()).toBe(true);
});
