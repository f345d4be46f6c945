/** A clip named as people name it: by its whole id, or by the first digits of it where only one begins so. */
import { AgentError } from '../base/errors.ts';
import type { ClipSummary } from '../owner/service.ts';
import type { OwnerClient } from './owner-client.ts';
import { clean } from './terminal-text.ts';

const wholeId = /^[0-9a-f]{32}$/;
const partMs = 30 * 86_400_000;
export const farBackMs = 400 * 86_400_000;

/** The list is asked for in parts, because an answer has a bounded size: shorter ones where there are many clips. */
export async function listClips(owner: OwnerClient, fromMs: number, toMs: number): Promise<readonly ClipSummary[]> {
  const found = new Map<string, ClipSummary>();
  for (let at = fromMs; at < toMs; at += partMs) {
    for (const clip of await listPart(owner, at, Math.min(toMs, at + partMs)))
      if (!found.has(clip.clipId)) found.set(clip.clipId, clip);
  }
  return [...found.values()];
}

async function listPart(owner: OwnerClient, fromMs: number, toMs: number): Promise<readonly ClipSummary[]> {
  try {
    return await owner.call('listClips', { fromMs, toMs });
  } catch (thrown) {
    const tooMany = thrown instanceof AgentError && thrown.code === 'owner/long-list' && toMs - fromMs > 1;
    if (!tooMany) throw thrown;
    const middleMs = Math.floor((fromMs + toMs) / 2);
    return [...(await listPart(owner, fromMs, middleMs)), ...(await listPart(owner, middleMs, toMs))];
  }
}

/** Undefined where none begins so. Throws `clips/ambiguous`. */
export function findId(given: string, ids: readonly string[]): string | undefined {
  if (ids.includes(given)) return given;
  const [found, ...more] = /^[0-9a-f]+$/.test(given) ? ids.filter((id) => id.startsWith(given)) : [];
  if (more.length === 0) return found;
  const message = `Cannot tell which clip is meant: ${more.length + 1} ids begin with ${clean(given)}. Give more digits`;
  throw new AgentError('usage', 'clips/ambiguous', message);
}

/** Ids that are whole stay as they are: whoever is asked next knows best what there is. Throws `clips/none-there`. */
export async function wholeIds(
  given: readonly string[],
  known: () => Promise<readonly { readonly clipId: string }[]>,
): Promise<readonly string[]> {
  if (given.every((id) => wholeId.test(id))) return given;
  const ids = (await known()).map(({ clipId }) => clipId);
  return given.map((id) => {
    const found = wholeId.test(id) ? id : findId(id, ids);
    if (found !== undefined) return found;
    throw new AgentError('usage', 'clips/none-there', `Cannot choose the clip: there is none of id ${clean(id)}`);
  });
}

/** Of all clips that can be listed now. */
export async function ownIds(owner: OwnerClient, given: readonly string[]): Promise<readonly string[]> {
  return wholeIds(given, () => listClips(owner, Date.now() - farBackMs, Date.now()));
}
