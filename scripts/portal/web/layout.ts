import { html, type Markup } from './html.ts';
import type { Desk, Reply } from './visit.ts';

/** The frame of every page. */
const links = [
  ['/', 'Shares'],
  ['/requests', 'Requests'],
  ['/outcomes', 'Outcomes'],
  ['/deletions', 'Deletions'],
  ['/notices', 'Notices'],
  ['/custody', 'Custody'],
] as const;

export function layout(reply: Reply & { readonly kind: 'page' }, desk: Desk, formSecret: string, path: string): string {
  const { agency, desks } = desk.office;
  const trial =
    desks === undefined
      ? html`<p class="trial">Trial: one person plays officer and approver. Never ask real owners like this.</p>`
      : undefined;
  const link = ([href, text]: (typeof links)[number]): Markup => {
    const here = href === '/' ? path === '/' || path.startsWith('/shares') : path.startsWith(href);
    return html`<li><a href="${href}"${here ? html` aria-current="page"` : undefined}>${text}</a></li>`;
  };
  return document(
    `${reply.title} - ${agency.name}`,
    html`<header><div class="bar"><p class="who"><strong>${agency.name}</strong> <span>${desk.role}'s desk</span></p>
<form method="post" action="/logout"><input type="hidden" name="form_secret" value="${formSecret}"><button class="quiet">Log out</button></form></div>
<nav aria-label="Main"><ul>${links.map(link)}</ul></nav></header>
<main id="main">${trial}${reply.main}</main>`,
  );
}

export function loginPage(refusal: string | undefined): string {
  const said = refusal === undefined ? undefined : html`<p class="problem" role="alert">${refusal}</p>`;
  return document(
    'Log in',
    html`<main id="main"><h1>Portal console</h1>${said}
<form method="post" action="/login"><div class="field"><label for="token">Token</label>
<p class="hint" id="token-hint">It is printed where the console was started.</p>
<input id="token" name="token" type="password" autocomplete="off" required aria-describedby="token-hint"></div>
<button>Log in</button></form></main>`,
  );
}

function document(title: string, body: Markup): string {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><link rel="stylesheet" href="/style.css"><link rel="icon" href="data:,"></head>
<body><a class="skip" href="#main">Skip to the content</a>${body}</body></html>
`.text;
}
