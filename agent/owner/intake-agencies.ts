/** Documents of agencies, and the directories that list them. Neither ever enables an agency. */
import { AgentError } from '../base/errors.ts';
import { type CheckedAgency, openAgency, openUnderAnyRoot, rootIdOf } from '../protocol/agency-check.ts';
import { checkDirectoryPage, joinDirectory, requireNewerPage } from '../protocol/directory-check.ts';
import type { AgencyDocument } from '../protocol/documents.ts';
import { lacksSigners, peekDocument } from '../protocol/envelope.ts';
import type { Topic } from '../protocol/topics.ts';
import type { AgencyRow } from '../store/ledger-rows.ts';
import { type IntakeDesk, refused } from './intake-parts.ts';

export class AgencyDesk {
  readonly #desk: IntakeDesk;

  constructor(desk: IntakeDesk) {
    this.#desk = desk;
  }

  /** Keeps a newer document, and returns whose it is. */
  importAgency(envelope: Uint8Array): string {
    const { db, verdict } = this.#desk;
    const { agency, agencyHash, rootId } = this.#open(envelope);
    const fresh = db.putAgency({
      agency: agency.agency,
      version: agency.version,
      envelope,
      docHash: agencyHash,
      rootId,
      recipientSeenS: this.#recipientSeenS(agency),
    });
    if (fresh) verdict('agency-updated');
    return agency.agency;
  }

  /** Every root may vouch for agencies of its own, none for those of another: their keys and recipient would change hands. */
  #open(envelope: Uint8Array): CheckedAgency {
    const { db, roots } = this.#desk;
    const checked = openAgency(envelope, roots());
    const firstRootId = db.agency(checked.agency.agency)?.root_id ?? null;
    if (firstRootId === null || firstRootId === checked.rootId) return checked;
    try {
      return openAgency(
        envelope,
        roots().filter((root) => rootIdOf(root) === firstRootId),
      );
    } catch (thrown) {
      if (!lacksRoot(thrown)) throw thrown;
      throw refused('agency/other-root', 'another root vouched for this agency first');
    }
  }

  /** What the document says of its recipient's age is a claim: the delay counts from when the change was seen here. */
  #recipientSeenS(agency: AgencyDocument): number | null {
    const { db, clockTrusted, nowS } = this.#desk;
    const row = db.agency(agency.agency);
    if (row === undefined || row.version >= agency.version) return null;
    const { unverified: known } = peekDocument('agency', row.envelope);
    if (known.recipient.age === agency.recipient.age) return row.recipient_seen_s;
    if (!clockTrusted()) throw refused('agency/held-for-clock', 'its recipient changed, and when is unknown');
    return nowS();
  }

  /** Returns the agency whose document was taken up. */
  takeAgency(topic: Extract<Topic, { type: 'ag' }>, topicText: string, envelope: Uint8Array): string | undefined {
    try {
      const { agency } = openAgency(envelope, this.#desk.roots());
      if (agency.agency !== topic.agency || !agency.regions.includes(topic.region))
        throw refused('agency/topic-mismatch', 'it was published under another agency or region');
      return this.importAgency(envelope);
    } catch (thrown) {
      // The broker sends a document once; the root that vouches for it may be pinned later, or the time known.
      const held = thrown instanceof AgentError && thrown.code === 'agency/held-for-clock';
      if (!held && !lacksRoot(thrown)) throw thrown;
      const { agency } = topic;
      this.#desk.wait({ agency, topic: topicText, envelope, code: thrown.code, signed: held });
      return undefined;
    }
  }

  /** One page; with the last one of its version the directory is complete, takes the place of the one before, and true is returned. */
  takeDirectory(topicText: string, envelope: Uint8Array): boolean {
    const { db, roots, nowMs, verdict, clockTrusted } = this.#desk;
    if (!clockTrusted()) {
      openUnderAnyRoot('directory', envelope, roots());
      const code = 'directory/held-for-clock';
      this.#desk.wait({ agency: 'directory', topic: topicText, envelope, code, signed: true });
      return false;
    }
    const check = (page: Uint8Array, topic?: string) =>
      checkDirectoryPage({ page, roots: roots(), nowMs: nowMs(), ...(topic === undefined ? {} : { topic }) });
    const next = check(envelope, topicText);
    const { region, version } = next.page;
    const known = db.published.directoryPages(region, next.rootId);
    const complete = db.published.directory(region, next.rootId);
    if (version < Math.max(complete?.version ?? 0, ...known.map((k) => k.version))) {
      throw refused('directory/older', 'a newer version is known');
    }
    const same = known.find((k) => k.version === version && k.page === next.page.page);
    if (same !== undefined) {
      try {
        requireNewerPage({ ...next, pageHash: peekDocument('directory', same.envelope).hash }, next);
      } catch (thrown) {
        db.keepEvidence(`root:${next.rootId}`, same.envelope, envelope, this.#desk.nowS());
        throw thrown;
      }
      return false;
    }
    db.published.putDirectoryPage({
      region,
      rootId: next.rootId,
      version,
      page: next.page.page,
      pageHash: next.pageHash,
      envelope,
    });
    verdict('directory-page');
    const stored = db.published.directoryPages(region, next.rootId).filter((k) => k.version === version);
    if (stored.length < next.page.pages) return false;
    const pages = stored.map((k) => check(k.envelope));
    const { documents } = joinDirectory(pages);
    const expiresAtS = Math.min(...pages.map(({ page }) => page.expires_at));
    db.published.putDirectory({ region, root_id: next.rootId, version, expires_at_s: expiresAtS }, documents);
    verdict('directory-complete');
    return true;
  }

  /**
   * What a directory in force says about the document that is known here: a newer one was withheld (`agency-outdated`), or the
   * root vouches for the agency no longer (`agency-unlisted`). Without one nothing is said: whoever can withhold a document can
   * withhold a directory too, and asking on must not depend on it.
   */
  doubt(row: AgencyRow, region: string): 'agency-outdated' | 'agency-unlisted' | undefined {
    const { db, nowS } = this.#desk;
    if (row.root_id === null) return undefined;
    const directory = db.published.directory(region, row.root_id);
    if (directory === undefined || directory.expires_at_s <= nowS()) return undefined;
    const listed = db.published.listedHash(region, row.root_id, row.agency);
    if (listed === undefined) return 'agency-unlisted';
    // A directory that lists what was replaced since is behind; one that lists what was never seen here is ahead.
    return listed === row.doc_hash || db.isPastDocument(row.agency, listed) ? undefined : 'agency-outdated';
  }
}

function lacksRoot(thrown: unknown): thrown is AgentError {
  return thrown instanceof AgentError && (thrown.code === 'agency/no-root' || lacksSigners(thrown));
}
