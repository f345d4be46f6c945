/** `latchkey requests`: who asks, for what, and the owner's answer; every one of them may be left unanswered. */
import { type Command, Option } from 'commander';
import type { DemandGround } from '../owner/service.ts';
import { readNamedFile } from './agency-files.ts';
import { type ApproveOption, approve } from './approve.ts';
import { ownIds } from './clip-ids.ts';
import { type ConfigOption, openConfig, withConfigOption } from './discovery.ts';
import { type CliIo, columnsOf, say, sayJson } from './io.ts';
import { withOwner } from './owner-client.ts';
import { obtainPassphrase, type PassphraseOption } from './passphrase-entry.ts';
import { example } from './program-line.ts';
import { Prompter } from './prompter.ts';
import { peopleLines, redactWords } from './redact-options.ts';
import { banner, clipText, describeState, requestRows, summaryRow } from './request-text.ts';
import { registerCheck } from './requests-check.ts';
import { clean, labelled, localTime, table } from './terminal-text.ts';

interface JsonOption extends ConfigOption {
  readonly json?: boolean;
}

async function list(option: JsonOption, io: CliIo): Promise<void> {
  const requests = await withOwner(openConfig(option, io), (owner) => owner.call('listRequests'));
  if (option.json === true) return sayJson(io, requests);
  if (requests.length === 0) say(io, 'No requests.');
  for (const line of table(requests.map(summaryRow))) say(io, line);
}

async function show(requestId: string, option: JsonOption, io: CliIo): Promise<void> {
  const request = await withOwner(openConfig(option, io), (owner) => owner.call('showRequest', { requestId }));
  if (option.json === true) return sayJson(io, request);
  say(io, banner);
  for (const line of labelled(requestRows(request), columnsOf(io.stdout))) say(io, line);
}

async function review(requestId: string, option: JsonOption, io: CliIo): Promise<void> {
  const { request, clips } = await withOwner(openConfig(option, io), (owner) => owner.call('review', { requestId }));
  if (option.json === true) return sayJson(io, { request, clips });
  say(io, banner);
  for (const line of labelled(requestRows(request), columnsOf(io.stdout))) say(io, line);
  say(io, clips.length === 0 ? 'No clip meets the window.' : 'Clips that meet the window (none is chosen for you):');
  for (const clip of clips) say(io, `  ${clean(clip.clipId)}  ${clipText(clip)}`);
}

async function people(given: string, option: JsonOption, io: CliIo): Promise<void> {
  const found = await withOwner(openConfig(option, io), async (owner) => {
    const [clipId = given] = await ownIds(owner, [given]);
    return owner.call('findPeople', { clipId });
  });
  if (option.json === true) return sayJson(io, found);
  for (const line of peopleLines(found)) say(io, line);
}

async function answer(method: 'decline' | 'withdraw', requestId: string, option: JsonOption, io: CliIo): Promise<void> {
  const { state } = await withOwner(openConfig(option, io), (owner) => owner.call(method, { requestId }));
  if (option.json === true) sayJson(io, { requestId, state });
  else say(io, `The request is ${describeState(state)}.`);
}

interface ConfirmOption extends JsonOption {
  readonly as: string;
  readonly passwordFile?: string;
}

/** Two people, two secrets: who approved knows the passphrase, who confirms has a log-in of their own. */
async function confirm(requestId: string, option: ConfirmOption, io: CliIo): Promise<void> {
  using prompter = new Prompter(io);
  const password =
    option.passwordFile === undefined
      ? await prompter.secret(`Password of ${clean(option.as)}`)
      : readNamedFile(option.passwordFile, 2048, 'password').replace(/\r?\n$/, '');
  const { shareId: _, ...share } = await withOwner(openConfig(option, io), (owner) =>
    owner.confirm({ requestId, name: option.as, password }),
  );
  if (option.json === true) return sayJson(io, { requestId, ...share });
  say(io, `Confirmed. It may leave from ${localTime(share.releaseNotBeforeMs)} on; until then it can be withdrawn.`);
}

interface DemandOption extends JsonOption, PassphraseOption {
  readonly ground: DemandGround;
}

async function demand(requestId: string, option: DemandOption, io: CliIo): Promise<void> {
  using prompter = new Prompter(io);
  const config = openConfig(option, io);
  const share = await withOwner(config, async (owner) => {
    const passphrase = await obtainPassphrase(option, io, prompter);
    if ((await owner.call('health')).lock !== 'deciding') await owner.call('unlockDeciding', { passphrase });
    return owner.call('demandDeletion', { requestId, ground: option.ground, passphrase });
  });
  if (option.json === true) return sayJson(io, share);
  say(io, 'The demand is signed and on its way. Whether it was deleted is what the agency reports.');
}

function repeated(text: string, all: readonly string[] | undefined): string[] {
  return [...(all ?? []), text];
}

export function register(program: Command, io: CliIo): void {
  const requests = program.command('requests').description('read and answer requests for footage');
  const add = (usage: string, description: string, ...lines: readonly string[]): Command =>
    withConfigOption(requests.command(usage).description(description))
      .option('--json', 'print as JSON')
      .addHelpText('after', example(...lines));
  const id = '7d0c8a51e94b4f0bb7a2f3c9d1e60a44';
  add('list', 'list requests that concern this device', 'latchkey requests list').action((option: JsonOption) =>
    list(option, io),
  );
  add('show <id>', 'show one request', `latchkey requests show ${id}`).action((requestId: string, option: JsonOption) =>
    show(requestId, option, io),
  );
  add(
    'review <id>',
    'list the clips that meet its window (needs "unlock --deciding")',
    `latchkey requests review ${id}`,
  ).action((requestId: string, option: JsonOption) => review(requestId, option, io));
  add(
    'approve <id>',
    'choose clips, see exactly what would be sent, and approve with the passphrase',
    `latchkey requests approve ${id}`,
    `latchkey requests approve ${id} --clip 5f0e,2026-03-01T14:05:00Z,2026-03-01T14:05:40Z --passphrase-file p --yes`,
  )
    .option('--sound', 'keep the sound, where the request asks for it')
    .option('--one-device', 'prove that the clips come from one device; lets the agency link your shares of the month')
    .addOption(
      new Option('--redact <what>', 'fill people, all that moves, or just the privacy masks, with black').choices(
        redactWords,
      ),
    )
    .option('--keep <[clip,]person>', 'do not fill this person of "requests people"; may be repeated', repeated)
    .option('--region <[clip,]x,y,w,h[,from,to]>', 'fill this part too, in per cent; may be repeated', repeated)
    .option('--clip <id[,from,to]>', 'a clip, or a part of it; may be repeated', repeated)
    .option('--passphrase-file <file>', 'read the passphrase from a file')
    .option('--yes', 'do not ask for confirmation')
    .action((requestId: string, option: ApproveOption) => approve(requestId, option, io));
  add(
    'people <clip>',
    'list the people in a clip, to be filled or kept (needs "unlock --deciding")',
    'latchkey requests people 0c7e1f5a94',
  ).action((clipId: string, option: JsonOption) => people(clipId, option, io));
  add('decline <id>', 'say no; nobody outside learns of it', `latchkey requests decline ${id}`).action(
    (requestId: string, option: JsonOption) => answer('decline', requestId, option, io),
  );
  add('withdraw <id>', 'take an approval back before its key is released', `latchkey requests withdraw ${id}`).action(
    (requestId: string, option: JsonOption) => answer('withdraw', requestId, option, io),
  );
  add('confirm <id>', 'say yes as the second approver, by your log-in', `latchkey requests confirm ${id} --as grandma`)
    .requiredOption('--as <name>', 'your log-in')
    .option('--password-file <file>', 'read its password from a file')
    .action((requestId: string, option: ConfirmOption) => confirm(requestId, option, io));
  add(
    'demand <id>',
    'demand that what was shared be deleted (needs "unlock --deciding")',
    `latchkey requests demand ${id} --ground owner_request`,
  )
    .addOption(
      new Option('--ground <ground>', 'why').choices(['owner_request', 'terms_breach']).default('owner_request'),
    )
    .option('--passphrase-file <file>', 'read the passphrase from a file')
    .action((requestId: string, option: DemandOption) => demand(requestId, option, io));
  registerCheck(requests, io);
}
