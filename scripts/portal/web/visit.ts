import { AgentError } from '../../../agent/base/errors.ts';
import type { SigningKey } from '../../../agent/protocol/keys.ts';
import type { DeskRole } from '../desks.ts';
import type { Office } from '../office.ts';
import { html, type Markup, type Value } from './html.ts';

/** What a page gets and what it answers. */
export interface Desk {
  readonly office: Office;
  readonly role: DeskRole;
  /** Who stands in the chain of custody. */
  readonly actor: string;
  readonly nowMs: () => number;
  /** Opened for each use and not kept; throws if this account may not use it. */
  readonly key: () => SigningKey;
  readonly outcomeKey: (() => SigningKey) | undefined;
  readonly identity: (() => string) | undefined;
}

export interface Visit {
  readonly desk: Desk;
  readonly form: Form;
  readonly formSecret: string;
  /** What the pattern of the route caught. */
  readonly id: string;
  readonly name: string;
}

export type Reply =
  | { readonly kind: 'page'; readonly title: string; readonly main: Markup; readonly status?: number }
  | { readonly kind: 'see'; readonly location: string }
  | { readonly kind: 'file'; readonly name: string; readonly bytes: Uint8Array };

export type Handler = (visit: Visit) => Reply | Promise<Reply>;

/** The fields of a posted form; each read is of a text without white space around it. */
export class Form {
  readonly #fields: URLSearchParams;

  constructor(body: string) {
    this.#fields = new URLSearchParams(body);
  }

  text(name: string): string {
    return (this.#fields.get(name) ?? '').trim().replaceAll(/\s+/g, ' ');
  }

  all(name: string): string[] {
    return this.#fields.getAll(name);
  }

  has(name: string): boolean {
    return this.#fields.has(name);
  }

  number(name: string, label: string): number {
    const text = this.text(name);
    if (/^\d{1,7}$/.test(text)) return Number(text);
    throw new AgentError(
      'usage',
      'portal/bad-number',
      `Cannot use "${text.slice(0, 20)}" for ${label}: a number is needed`,
    );
  }
}

export function page(title: string, main: Markup, status = 200): Reply {
  return { kind: 'page', title, main, status };
}

/** A form that posts to `action`; the secret shows that it comes from a page of this console. */
export function postForm(visit: Visit, action: string, content: Markup): Markup {
  return html`<form method="post" action="${action}"><input type="hidden" name="form_secret" value="${visit.formSecret}">${content}</form>`;
}

export function problem(error: AgentError | undefined): Markup | undefined {
  if (error === undefined) return undefined;
  return html`<div class="problem" role="alert" tabindex="-1"><p>${error.message}</p><p class="hint">Code: <code>${error.code}</code></p></div>`;
}

export interface Field {
  readonly label: string;
  readonly name: string;
  readonly hint?: string;
  readonly type?: string;
  readonly value?: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

export function field({ label, name, hint, type = 'text', value = '', attributes = {} }: Field): Markup {
  const more = Object.entries(attributes).map(([key, text]) => html` ${key}="${text}"`);
  const described = hint === undefined ? undefined : html` aria-describedby="${name}-hint"`;
  return html`<div class="field"><label for="${name}">${label}</label>
${hint === undefined ? undefined : html`<p class="hint" id="${name}-hint">${hint}</p>`}
<input id="${name}" name="${name}" type="${type}" value="${value}" required${described}${more}></div>`;
}

export function facts(rows: readonly (readonly [string, Value])[]): Markup {
  return html`<dl>${rows.map(([term, value]) => html`<div><dt>${term}</dt><dd>${value}</dd></div>`)}</dl>`;
}
