/**
 * The newest version of each agency's document that this vault has seen, kept under the passphrase. An owner program that was
 * taken over can't pass off an older one, whose keys or recipient may have been given up since. Only who can also put back an
 * older vault file can.
 */
import { AgentError } from '../base/errors.ts';
import { openAgency, type PinnedRoot } from '../protocol/agency-check.ts';
import type { AgencyDocument } from '../protocol/documents.ts';

export type Floors = Readonly<Record<string, number>>;

const maxFloors = 1000;

function floorOf(floors: Floors, agency: string): number {
  return Object.hasOwn(floors, agency) ? (floors[agency] ?? 0) : 0;
}

/** Throws `vault/older-agency`. */
export function requireFloor(floors: Floors, { agency, version }: AgencyDocument): void {
  if (version >= floorOf(floors, agency)) return;
  throw new AgentError(
    'refused',
    'vault/older-agency',
    'Cannot go on: a newer document of this agency is known, and this is an older one',
  );
}

export function raiseFloor(floors: Floors, { agency, version }: Pick<AgencyDocument, 'agency' | 'version'>): Floors {
  const known = floorOf(floors, agency);
  if (known >= version || (known === 0 && Object.keys(floors).length >= maxFloors)) return floors;
  return { ...floors, [agency]: version };
}

/** Floors after a look at these documents; what no pinned root vouches for is passed over. */
export function raiseFloors(floors: Floors, envelopes: readonly Uint8Array[], roots: readonly PinnedRoot[]): Floors {
  let raised = floors;
  for (const envelope of envelopes) {
    try {
      raised = raiseFloor(raised, openAgency(envelope, roots).agency);
    } catch {
      // Whoever hands in something else gains nothing by it.
    }
  }
  return raised;
}

/** The higher one of each. */
export function joinFloors(a: Floors, b: Floors): Floors {
  return Object.entries(b).reduce((all, [agency, version]) => raiseFloor(all, { agency, version }), a);
}
