/**
 * From the courier's inbox to a pending request: verify, apply policy, match the place. No key is needed, nothing outside
 * is touched, and whatever the verdict, nothing leaves the house because of it.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { asAgentError } from '../base/errors.ts';
import { ensurePrivateDir, readFileLimited, removeDurable } from '../base/files.ts';
import { parseTopic } from '../protocol/topics.ts';
import type { AgencyRow } from '../store/ledger-rows.ts';
import { AgencyDesk } from './intake-agencies.ts';
import { type IntakeDesk, type IntakeOptions, refused } from './intake-parts.ts';
import { PublishedDesk } from './intake-published.ts';
import { RequestDesk } from './intake-requests.ts';
import { isMuted } from './standing.ts';

const maxSpoolFileBytes = 80 * 1024;
/** A hostile message may cost a second of signature checks; between turns, locking and withdrawing must get through. */
const messagesPerTurnCount = 8;

const spooledSchema = z.object({
  topic: z.string().max(200),
  receivedAtMs: z.number(),
  envelope: z.base64().max(66_000),
});

export class Intake {
  readonly #options: IntakeOptions;
  readonly #inbox: string;
  readonly #agencies: AgencyDesk;
  readonly #requests: RequestDesk;
  readonly #published: PublishedDesk;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#inbox = join(options.dataDir, 'spool', 'inbox');
    ensurePrivateDir(this.#inbox);
    const nowS = (): number => Math.floor(options.nowMs() / 1000);
    const desk: IntakeDesk = {
      ...options,
      nowS,
      roots: () => options.house.roots,
      verdict: (code) => this.#verdict(code),
      wait: ({ code, ...waiting }) => {
        options.db.putWaiting({ ...waiting, receivedAtS: nowS() });
        this.#verdict(code);
      },
    };
    this.#agencies = new AgencyDesk(desk);
    this.#requests = new RequestDesk(desk, this.#agencies);
    this.#published = new PublishedDesk(desk);
  }

  /** Takes a few spooled messages, oldest first, and returns how many are left. A file goes only after what it said is durable. */
  takeInbox(): number {
    const names = readdirSync(this.#inbox).filter((name) => name.endsWith('.json') && !name.startsWith('.'));
    const turn = names.toSorted().slice(0, messagesPerTurnCount);
    for (const name of turn) {
      const path = join(this.#inbox, name);
      try {
        const spooled = parseSpooled(readFileLimited(path, maxSpoolFileBytes));
        if (spooled === undefined) this.#verdict('inbox/malformed');
        else this.take(spooled.topic, Buffer.from(spooled.envelope, 'base64'));
      } catch (thrown) {
        const error = asAgentError(thrown);
        if (error.retryable) throw error;
        this.#options.log.error('inbox-message-dropped', error);
      }
      removeDurable(path);
    }
    return names.length - turn.length;
  }

  /** One message as received. Never throws for what an outsider sent. */
  take(topicText: string, envelope: Uint8Array): void {
    try {
      this.#sort(topicText, envelope);
    } catch (thrown) {
      const error = asAgentError(thrown);
      if (error.kind !== 'refused' && error.kind !== 'corrupt' && error.kind !== 'usage') throw error;
      this.#verdict(error.code);
    }
  }

  #sort(text: string, envelope: Uint8Array): void {
    const topic = parseTopic(text);
    if (!this.#options.regions.includes(topic.region)) throw refused('inbox/other-region', 'the region is not ours');
    switch (topic.type) {
      case 'rq':
        return this.#requests.takeRequest(topic, text, envelope);
      case 'rv':
        return this.#requests.takeRevocation(topic, text, envelope);
      case 'nt':
        return this.#published.takeNotice(topic, text, envelope);
      case 'oc': {
        // It may be the report that an agency is muted for; only then is what waits worth another look.
        const wasMuted = this.#isMuted(topic.agency);
        this.#published.takeOutcome(topic, text, envelope);
        if (wasMuted && !this.#isMuted(topic.agency)) this.retryWaiting(topic.agency);
        return;
      }
      case 'dir': {
        const isComplete = this.#agencies.takeDirectory(text, envelope);
        for (const agency of isComplete ? this.#waitingAgencies() : []) this.retryWaiting(agency);
        return;
      }
      case 'ag': {
        const agency = this.#agencies.takeAgency(topic, text, envelope);
        if (agency !== undefined) this.retryWaiting(agency);
      }
    }
  }

  #waitingAgencies(): Set<string> {
    return new Set(this.#options.db.waiting().map(({ agency }) => agency));
  }

  #isMuted(agency: string): boolean {
    const { db, nowMs } = this.#options;
    const row = db.agency(agency);
    return row !== undefined && isMuted(db, row, Math.floor(nowMs() / 1000));
  }

  #verdict(code: string): void {
    this.#options.log.info('verdict', { code });
    this.#options.onVerdict?.(code);
  }

  /** Keeps a newer document; requests that waited for it are looked at again. */
  importAgency(envelope: Uint8Array): string {
    const agency = this.#agencies.importAgency(envelope);
    this.retryWaiting(agency);
    return agency;
  }

  /** Whether a directory in force casts doubt on the document that is known here. */
  doubt(row: AgencyRow, region: string): ReturnType<AgencyDesk['doubt']> {
    return this.#agencies.doubt(row, region);
  }

  /** Requests that came before their agency was known, enabled, listed, heard again, or the clock trusted. */
  retryWaiting(agency: string): void {
    const row = this.#options.db.agency(agency);
    if (row === undefined || row.enabled === 0 || !this.#options.clockTrusted()) return;
    this.#retake(agency);
  }

  /** After a root was pinned, or the clock believed: documents may have come before. */
  retryAll(): void {
    this.#retake();
  }

  #retake(agency?: string): void {
    const { db } = this.#options;
    for (const { envelope_hash: hash, topic, envelope } of db.waiting(agency)) {
      db.dropWaiting(hash);
      this.take(topic, envelope);
    }
  }
}

function parseSpooled(bytes: Buffer | undefined): z.infer<typeof spooledSchema> | undefined {
  try {
    return spooledSchema.parse(JSON.parse(bytes?.toString('utf8') ?? ''));
  } catch {
    return undefined;
  }
}
