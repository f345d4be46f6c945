/** Choosing what is hidden, in a real browser: people kept, parts drawn by pointer and by numbers. */
import { expect, test } from 'vitest';
import { check, logIn, lookAtClips, openBrowser, openFirstRequest, page, service } from './fixture/stage.ts';

test.each([
  ['phone', { width: 375 }],
  ['wide-dark', { width: 1100, dark: true }],
] as const)('hide people, keep one, draw a part: %s', async (name, look) => {
  await openBrowser(look);
  await logIn();
  await openFirstRequest();
  await lookAtClips();
  await page.getByRole('checkbox').first().check();
  // The careful choice stands beforehand.
  await expect
    .poll(() => page.getByRole('radio', { name: 'Hide everybody whom you don’t keep' }).isChecked())
    .toBe(true);
  await page.getByRole('button', { name: 'Choose people and places' }).click();
  await page.getByLabel('Hide person 2').uncheck();
  await page.getByRole('button', { name: /^Show person 1/ }).click();
  const stage = page.locator('.redact-stage svg');
  await page.locator('.redact-stage .hidden-one').first().waitFor();
  await page.locator('.redact-stage .kept-one').first().waitFor();
  const area = await stage.boundingBox();
  if (area === null) throw new Error('the stage is not shown');
  const at = (x: number, y: number) => ({ x: x * area.width, y: y * area.height });
  await stage.dragTo(stage, { sourcePosition: at(0.4, 0.1), targetPosition: at(0.6, 0.4) });
  await page.getByRole('button', { name: 'Hide another part of the picture' }).click();
  await page.getByLabel('Width').nth(1).fill('10');
  await page.getByLabel('Width').nth(1).blur();
  await check(`${name}-redact`);
  await page.getByRole('button', { name: 'Show exactly what would be sent' }).click();
  await page.getByText('changed as you chose; your word, not proof').waitFor();
  const [chosen] = service.lastSelection;
  expect(chosen?.redact).toMatchObject({ fill: 'people', keep: [2], masks: true });
  const [drawn, numbered] = chosen?.redact?.regions ?? [];
  for (const [value, wanted] of [
    [drawn?.x, 0.4],
    [drawn?.y, 0.1],
    [drawn?.w, 0.2],
    [drawn?.h, 0.3],
  ] as const)
    expect(value).toBeCloseTo(wanted, 1);
  expect(numbered).toMatchObject({ w: 0.1, h: 0.3 });
});

test('send as recorded is one choice away, and says that it is provable', async () => {
  await logIn();
  await openFirstRequest();
  await lookAtClips();
  await page.getByRole('checkbox').first().check();
  await page.getByRole('radio', { name: 'Hide nobody' }).check();
  await page.getByRole('button', { name: 'Show exactly what would be sent' }).click();
  await page.getByText('as recorded; provably unaltered').waitFor();
  expect(service.lastSelection[0]).not.toHaveProperty('redact');
});
