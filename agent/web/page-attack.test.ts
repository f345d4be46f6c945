/** What others try with the page: hostile text, DNS rebinding, another port of the same machine. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { hostileText } from '../owner/api/fixture/memory-service.ts';
import { api, check, context, logIn, page, service } from './fixture/stage.ts';

test('hostile agency text is text: no markup, no link, no title, no request', async () => {
  await logIn();
  await page.getByText(hostileText).first().waitFor();
  await check('inbox-hostile');
  await page.locator(`a[href="#/requests/${'b'.repeat(32)}"]`).click();
  await page.getByRole('heading', { name: 'A request for footage' }).waitFor();
  await page.getByRole('heading', { name: 'Who asks' }).waitFor();
  await expect.poll(() => page.getByText(hostileText).count()).toBeGreaterThan(5);
  expect(await page.locator('main img, main script').count()).toBe(0);
  expect(await page.locator('main a').evaluateAll((links) => links.map((a) => a.getAttribute('href')))).toEqual([
    '#/requests',
  ]);
  expect(await page.title()).toBe('Requests · Latchkey');
  await page.getByText('Attending one is lawful').waitFor();
  await check('review-hostile');
});

test('a foreign name that resolves to this device gets nothing but 421, also from a browser that is logged in', async () => {
  await logIn();
  const { port } = new URL(api.url);
  const other = await context.newPage();
  const answer = await other.goto(`https://rebound.example:${port}/`);
  expect(answer?.status()).toBe(421);
  const status = await other.evaluate(() => fetch('/api/health').then((response) => response.status));
  expect(status).toBe(421);
});

test('a page on another port of this machine can neither decide nor read for a logged-in owner', async () => {
  await logIn();
  const attacker = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>other</title>');
  });
  await new Promise<void>((resolve) => attacker.listen(0, '127.0.0.1', resolve));
  try {
    const other = await context.newPage();
    await other.goto(`http://127.0.0.1:${(attacker.address() as AddressInfo).port}/`);
    const got = await other.evaluate(
      async ([url, id]) => {
        const decline = `${url}api/requests/${id}/decline`;
        const plain = { method: 'POST', body: '{}', credentials: 'include' } as const;
        const tell = (promise: Promise<Response>): Promise<string> =>
          promise.then(
            (response) => `${response.type} ${response.status}`,
            () => 'blocked',
          );
        const form = document.createElement('form');
        const frame = document.createElement('iframe');
        frame.name = 'frame';
        document.body.append(frame, form);
        Object.assign(form, { action: decline, method: 'post', target: 'frame', enctype: 'text/plain' });
        form.submit();
        await new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }));
        return [
          await tell(fetch(decline, { ...plain, mode: 'no-cors' })),
          await tell(fetch(decline, { ...plain, headers: { 'content-type': 'application/json' } })),
          await tell(fetch(`${url}api/requests`, { credentials: 'include' })),
          await tell(fetch(`${url}api/requests`, { credentials: 'include', mode: 'no-cors' })),
        ];
      },
      [api.url, 'a'.repeat(32)] as const,
    );
    expect(got.slice(1)).toEqual(['blocked', 'blocked', 'blocked']);
    expect(service.calls).toEqual([]);
  } finally {
    attacker.close();
  }
});
