/** `latchkey retention`: what would go under other rules, shown before anything does; `--write` then changes the configuration. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { AgentError } from '../base/errors.ts';
import { readFileLimited, writeFileDurable } from '../base/files.ts';
import { parseConfig } from '../config/loader.ts';
import type { Config } from '../config/schema.ts';
import { type PurgePlan, planPurge } from '../recorder/clip/purge-plan.ts';
import { quotaOf } from '../recorder/shared-quota.ts';
import { ClipsReader } from '../store/clips-reader.ts';
import type { ClipRow } from '../store/clips-rows.ts';
import { type ConfigOption, findConfig, openConfig, withConfigOption } from './discovery.ts';
import { type CliIo, note, say, sayJson } from './io.ts';
import { example } from './program-line.ts';
import { byteSize, counted } from './terminal-text.ts';

interface RetentionOption extends ConfigOption {
  readonly maxBytes?: string;
  readonly maxDays?: string;
  readonly minFree?: string;
  readonly write?: boolean;
  readonly json?: boolean;
}

const dayMs = 86_400_000;
const units: Readonly<Record<string, number>> = { '': 1, KIB: 2 ** 10, MIB: 2 ** 20, GIB: 2 ** 30, TIB: 2 ** 40 };
const maxConfigBytes = 1 << 20;

/** Throws `retention/bad-size`. */
function size(text: string, option: string): number {
  const found = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text.trim());
  const unit = units[found?.[2]?.toUpperCase() ?? '?'];
  if (found !== null && unit !== undefined) return Math.floor(Number(found[1]) * unit);
  throw new AgentError('usage', 'retention/bad-size', `Cannot read ${option}: expected a size such as 4GiB`);
}

/** Throws `retention/bad-days`. */
function days(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && value <= 400) return Math.round(value * dayMs);
  throw new AgentError('usage', 'retention/bad-days', 'Cannot read --max-days: expected up to 400 days');
}

function wanted(option: RetentionOption, now: Config['retention']): Config['retention'] {
  return {
    maxBytes: option.maxBytes === undefined ? now.maxBytes : size(option.maxBytes, '--max-bytes'),
    maxAgeMs: option.maxDays === undefined ? now.maxAgeMs : days(option.maxDays),
    minFreeBytes: option.minFree === undefined ? now.minFreeBytes : size(option.minFree, '--min-free'),
  };
}

function clipsOf({ dataDir, cameras }: Config): Map<string, ClipRow[]> {
  return new Map(
    cameras.map(({ id }) => {
      const path = join(dataDir, 'cameras', id, 'clips.db');
      if (!existsSync(path)) return [id, []];
      using reader = ClipsReader.open(path);
      return [id, reader.listClips()];
    }),
  );
}

interface CameraPlan extends PurgePlan {
  readonly camera: string;
}

/** Free space is left out: it changes by the minute, and clips go for it as they always did. */
function plansOf(config: Config, rules: Config['retention'], wallMs: number): CameraPlan[] {
  const clips = clipsOf(config);
  const used = new Map([...clips].map(([id, rows]) => [id, rows.reduce((sum, { bytes }) => sum + bytes, 0)]));
  const total = [...used.values()].reduce((sum, bytes) => sum + bytes, 0);
  return [...clips].map(([camera, rows]) => {
    const maxBytes = quotaOf(rules.maxBytes, clips.size, total - (used.get(camera) ?? 0));
    return { camera, ...planPurge(rows, { ...rules, maxBytes }, wallMs) };
  });
}

function explain(plans: readonly CameraPlan[], io: CliIo): void {
  for (const { camera, tooOld, tooMany, keptCount, keptBytes, pinnedBytes, heldBytes } of plans) {
    const part = (clips: readonly ClipRow[], why: string): string => {
      const bytes = clips.reduce((sum, clip) => sum + clip.bytes, 0);
      const listed = clips.map(({ day }) => day).toSorted();
      return `${counted(clips.length, 'clip')} ${why} (${byteSize(bytes)}, of ${listed[0]} to ${listed.at(-1)})`;
    };
    const parts = [
      ...(tooOld.length > 0 ? [part(tooOld, 'as too old')] : []),
      ...(tooMany.length > 0 ? [part(tooMany, 'over the quota')] : []),
    ];
    say(io, `${camera}: ${parts.length === 0 ? 'nothing would go' : `${parts.join(' and ')} would go`}`);
    const kept = `${keptCount} ${keptCount === 1 ? 'clip stays' : 'clips stay'}, ${byteSize(keptBytes)}`;
    say(io, `  ${kept}; pinned by you ${byteSize(pinnedBytes)}, held for open requests ${byteSize(heldBytes)}`);
  }
}

/** Only what was asked for changes; whatever else stands in the file stays. */
function write(option: RetentionOption, rules: Config['retention'], io: CliIo): void {
  const path = findConfig(option, io);
  const raw: unknown = JSON.parse(readFileLimited(path, maxConfigBytes)?.toString('utf8') ?? 'null');
  const changed = { ...(raw as object), retention: rules };
  parseConfig(changed, dirname(path));
  writeFileDurable(path, `${JSON.stringify(changed, null, 2)}\n`, 0o644);
  note(io, `Written to ${path}. It counts from the next start of "latchkey run".`);
}

function showRetention(option: RetentionOption, io: CliIo): void {
  const config = openConfig(option, io);
  const rules = wanted(option, config.retention);
  // Rules that no start would accept are refused before anything is said about them.
  parseConfig({ ...config, retention: rules }, config.dataDir);
  const plans = plansOf(config, rules, Date.now());
  if (option.json === true) sayJson(io, { rules, cameras: plans.map((plan) => forJson(plan)) });
  else {
    const { maxBytes, maxAgeMs, minFreeBytes } = rules;
    say(
      io,
      `With at most ${byteSize(maxBytes)} for all cameras, ${Math.round((maxAgeMs / dayMs) * 10) / 10} days and ${byteSize(minFreeBytes)} left free:`,
    );
    explain(plans, io);
  }
  if (option.write === true) write(option, rules, io);
  else if (option.json !== true) note(io, 'Nothing was changed. --write puts these rules into the configuration.');
}

function forJson({ tooOld, tooMany, ...plan }: CameraPlan): object {
  const ids = (clips: readonly ClipRow[]): string[] => clips.map(({ clipId }) => clipId);
  return { ...plan, tooOld: ids(tooOld), tooMany: ids(tooMany) };
}

export function register(program: Command, io: CliIo): void {
  withConfigOption(program.command('retention'))
    .description('show which clips would go under other rules; changes nothing unless told to')
    .option('--max-bytes <size>', 'quota of all cameras together, such as 4GiB')
    .option('--max-days <days>', 'days that a clip is kept')
    .option('--min-free <size>', 'space to leave on the disk')
    .option('--write', 'put the rules into the configuration after showing what would go')
    .option('--json', 'print as JSON')
    .addHelpText('after', example('latchkey retention --max-bytes 4GiB --max-days 3'))
    .action((option: RetentionOption) => showRetention(option, io));
}
