/** `latchkey ledger`: who viewed, shared and decided, sealed to the owner; that nothing was taken out can be seen by anybody. */
import type { Command } from 'commander';
import { AgentError } from '../base/errors.ts';
import type { LedgerEntry, LedgerHead } from '../owner/service.ts';
import { type ConfigOption, openConfig, withConfigOption } from './discovery.ts';
import { type CliIo, say, sayJson } from './io.ts';
import { type OwnerClient, withOwner } from './owner-client.ts';
import { example } from './program-line.ts';
import { clean, localTime, table } from './terminal-text.ts';

interface JsonOption extends ConfigOption {
  readonly json?: boolean;
}

interface VerifyOption extends JsonOption {
  readonly head?: string;
}

/** One answer over the control socket stays well below its limit. */
const pageCount = 50;

async function* entriesFrom(owner: OwnerClient, from: number): AsyncGenerator<LedgerEntry> {
  for (let next = from; ; ) {
    const page = await owner.call('listLedger', { from: next, count: pageCount });
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < pageCount) return;
    next = last.entry + 1;
  }
}

async function all(owner: OwnerClient, from = 1): Promise<LedgerEntry[]> {
  const entries: LedgerEntry[] = [];
  for await (const entry of entriesFrom(owner, from)) entries.push(entry);
  return entries;
}

function summary({ actions, moreCount, readable }: LedgerEntry): string {
  if (!readable) return 'does not open with this key';
  const counts = new Map<string, number>();
  for (const action of actions) {
    const [verb = ''] = action.split(' ');
    counts.set(verb, (counts.get(verb) ?? 0) + 1);
  }
  const said = [...counts].map(([verb, count]) => `${clean(verb)} ${count}`).join(', ');
  return `${said === '' ? 'nothing done' : said}${moreCount > 0 ? `, and ${moreCount} more` : ''}`;
}

async function list(option: JsonOption, io: CliIo): Promise<void> {
  const entries = await withOwner(openConfig(option, io), (owner) => all(owner));
  if (option.json === true) return sayJson(io, entries);
  if (entries.length === 0)
    say(io, 'No entries yet. What is done while unlocked becomes one when the keys are locked again.');
  for (const line of table(entries.map((e) => [String(e.entry), localTime(e.atMs), summary(e)]))) say(io, line);
}

async function show(text: string, option: JsonOption, io: CliIo): Promise<void> {
  const number = /^[1-9]\d{0,9}$/.test(text) ? Number(text) : 0;
  const entry = await withOwner(openConfig(option, io), async (owner) =>
    number === 0 ? undefined : (await owner.call('listLedger', { from: number, count: 1 }))[0],
  );
  if (entry?.entry !== number) {
    throw new AgentError('usage', 'ledger/no-such-entry', 'Cannot show the entry: there is none of that number');
  }
  if (option.json === true) return sayJson(io, entry);
  say(io, `Entry ${entry.entry}, ${localTime(entry.atMs)}`);
  say(io, `Hash ${entry.hash}`);
  if (!entry.readable) say(io, '  does not open with this key');
  for (const action of entry.actions) say(io, `  ${clean(action)}`);
  if (entry.moreCount > 0) say(io, `  and ${entry.moreCount} more`);
}

/** `N:HASH`, as `verify` prints it: a head that was noted earlier, on paper or elsewhere. */
function parseHead(text: string): { entry: number; hash: string } {
  const match = /^([1-9]\d{0,9}):([0-9a-f]{64})$/.exec(text);
  if (match !== null) return { entry: Number(match[1]), hash: match[2] ?? '' };
  throw new AgentError(
    'usage',
    'ledger/bad-head',
    'Cannot read --head: expected NUMBER:HASH, as "ledger verify" prints it',
  );
}

async function requireHead(owner: OwnerClient, noted: { entry: number; hash: string }): Promise<void> {
  const [entry] = await owner.call('listLedger', { from: noted.entry, count: 1 });
  if (entry?.entry === noted.entry && entry.hash === noted.hash) return;
  throw new AgentError(
    'corrupt',
    'ledger/head-differs',
    'The ledger is not the one whose head was noted: entries were changed or taken out since',
  );
}

async function verify(option: VerifyOption, io: CliIo): Promise<void> {
  const noted = option.head === undefined ? undefined : parseHead(option.head);
  const head = await withOwner(openConfig(option, io), async (owner): Promise<LedgerHead> => {
    const found = await owner.call('ledgerHead');
    if (noted !== undefined && found.brokenAtEntry === undefined) await requireHead(owner, noted);
    return found;
  });
  if (option.json === true) sayJson(io, head);
  if (head.brokenAtEntry !== undefined) {
    const message = `The ledger is broken: entry ${head.brokenAtEntry} does not follow from the one before`;
    throw new AgentError('corrupt', 'ledger/broken', message);
  }
  if (option.json === true) return;
  say(io, `Whole: ${head.entryCount} ${head.entryCount === 1 ? 'entry' : 'entries'}, each covering all before it.`);
  if (head.entryCount === 0) return;
  say(io, `Head ${head.entryCount}:${head.headHash}`);
  say(io, 'Note it elsewhere: with "--head" it shows later that nothing before it was changed or taken out.');
}

async function exportAll(option: ConfigOption, io: CliIo): Promise<void> {
  await withOwner(openConfig(option, io), async (owner) => {
    for await (const entry of entriesFrom(owner, 1)) io.stdout.write(`${JSON.stringify(entry)}\n`);
  });
}

export function register(program: Command, io: CliIo): void {
  const ledger = program.command('ledger').description('read what was viewed, shared and decided on this device');
  const add = (usage: string, description: string, ...lines: readonly string[]): Command =>
    withConfigOption(ledger.command(usage).description(description)).addHelpText('after', example(...lines));
  add('list', 'one line for each session (needs "unlock")', 'latchkey ledger list')
    .option('--json', 'print as JSON')
    .action((option: JsonOption) => list(option, io));
  add('show <entry>', 'everything that one session did (needs "unlock")', 'latchkey ledger show 12')
    .option('--json', 'print as JSON')
    .action((entry: string, option: JsonOption) => show(entry, option, io));
  add(
    'verify',
    'check that every entry covers the one before',
    'latchkey ledger verify',
    'latchkey ledger verify --head 12:8f3c…',
  )
    .option('--head <number:hash>', 'a head that was noted earlier: it must still be there (needs "unlock")')
    .option('--json', 'print as JSON')
    .action((option: VerifyOption) => verify(option, io));
  add('export', 'all entries as JSON lines (needs "unlock")', 'latchkey ledger export > ledger.jsonl').action(
    (option: ConfigOption) => exportAll(option, io),
  );
}
