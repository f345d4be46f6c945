/** Has the vault redact what the owner chose to redact, before a preview is built from it. */
import { AgentError } from '../base/errors.ts';
import type { Config } from '../config/schema.ts';
import type { RedactionChoice, VaultClient } from '../vault/client.ts';
import type { Redaction, Selection } from './service.ts';

interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface VaultSelection extends Span {
  readonly clipId: string;
  readonly redactionId?: string;
}

/** One clip after the other: each takes the whole machine. Nothing outside the request's window is touched. */
export async function redactSelection(
  vault: VaultClient,
  config: Config,
  chosen: { readonly window: Span; readonly selection: readonly Selection[] },
): Promise<VaultSelection[]> {
  const { window, selection } = chosen;
  const cameras = selection.some(({ redact }) => redact?.masks === true) ? await camerasOf(vault, window) : new Map();
  const onlyMasks = selection.filter(({ redact }) => redact?.masks === true && redact.fill === 'none');
  requireMasks(onlyMasks, (clipId) => masksOf(config, cameras.get(clipId)));
  const made: VaultSelection[] = [];
  for (const { clipId, fromMs, toMs, redact } of selection) {
    const zones = redact?.masks === true ? masksOf(config, cameras.get(clipId)) : [];
    const choice = redact && choiceOf(redact, zones);
    if (choice === undefined || fillsNothing(choice)) {
      made.push({ clipId, fromMs, toMs });
      continue;
    }
    const span = { fromMs: Math.max(fromMs, window.fromMs), toMs: Math.min(toMs, window.toMs) };
    const { redactionId } = await vault.redactClip({ clipId, span, choice });
    made.push({ clipId, fromMs, toMs, redactionId });
  }
  return made;
}

/** Asked to fill masks where no camera has one, nothing would be filled: that must not look as if it had been. */
function requireMasks(selection: readonly Selection[], masks: (clipId: string) => readonly unknown[]): void {
  const bare = selection.filter(({ redact }) => (redact?.regions ?? []).length === 0);
  if (bare.length === 0 || bare.some(({ clipId }) => masks(clipId).length > 0)) return;
  throw new AgentError(
    'usage',
    'redact/no-masks',
    'Cannot fill the privacy masks: none is configured for the cameras of these clips',
  );
}

async function camerasOf(vault: VaultClient, { fromMs, toMs }: Span): Promise<ReadonlyMap<string, string>> {
  return new Map((await vault.listClips(fromMs, toMs)).map(({ clipId, cameraId }) => [clipId, cameraId]));
}

function masksOf(config: Config, cameraId: string | undefined): RedactionChoice['zones'] {
  const masks = config.cameras.find(({ id }) => id === cameraId)?.privacyMasks ?? [];
  return masks.map((corners) => corners.map(([x, y]) => [x, y] satisfies [number, number]));
}

function choiceOf(redact: Redaction, zones: RedactionChoice['zones']): RedactionChoice {
  const { fill, keep = [], regions = [] } = redact;
  return { fill, keep: [...keep], regions: regions.map((region) => ({ ...region })), zones };
}

const fillsNothing = ({ fill, regions, zones }: RedactionChoice): boolean =>
  fill === 'none' && regions.length === 0 && zones.length === 0;
