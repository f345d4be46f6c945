import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { AgentError } from '../../agent/base/errors.ts';
import { maxEnvelopeBytes } from '../../agent/protocol/envelope.ts';
import { type BrokerFlags, targetOf, tellPublished, withBroker } from './commands-publish.ts';
import { type DraftOptions, draftFieldsOf, withDraftOptions } from './commands-request.ts';
import { addExample, type Output, tell, wholeNumber } from './console.ts';
import { type DeskRole, openDesk, readDesks } from './desks.ts';
import { readIdentity, readRequired, readSigningKey } from './key-files.ts';
import { makeOffice, openOffice } from './office.ts';
import {
  draftRequest,
  listRequests,
  publish,
  readRequest,
  revoke,
  signAsApprover,
  signAsOfficer,
} from './office-requests.ts';
import { readRoot } from './root.ts';
import { startConsole } from './web/server.ts';

/** `portal office …` and `portal console`: what an agency's desks do together, at the command line and on a page. */
export function addOfficeCommands(program: Command, output: Output, stop: AbortSignal): void {
  const office = program.command('office').description("the folder that an agency's desks share, and its requests");
  addMake(office, output);
  addDraft(office, output);
  addList(office, output);
  addSign(office, output);
  addPublish(office, output);
  addRevoke(office, output);
  addConsole(program, output, stop);
}

/** In the chain of custody. */
export function actorHere(): string {
  return userInfo().username;
}

export function roleOf(text: string): DeskRole {
  if (text === 'officer' || text === 'approver') return text;
  throw new AgentError('usage', 'portal/unknown-role', `Cannot act as "${text}": officer or approver`);
}

function addMake(office: Command, output: Output): void {
  const command = withBroker(office.command('make').description('make the folder that both desks share'))
    .requiredOption('--out <dir>', 'the folder; give it to the group of both users, with the set-group-id bit')
    .requiredOption('--agency <file>', "the agency's signed document")
    .option('--desks <file>', 'JSON with the folders of both roles: {"officer": [...], "approver": [...]}')
    .option('--trial', 'one person plays both parts: for trying out only')
    .action((flags: BrokerFlags & { out: string; desks?: string; trial?: true }) => {
      if (flags.desks === undefined && flags.trial !== true) {
        const why = 'say with --desks where the keys of both roles are';
        throw new AgentError('usage', 'portal/no-desks', `Cannot make the office: ${why}`);
      }
      const made = makeOffice({
        dir: flags.out,
        agency: readRequired(flags.agency, maxEnvelopeBytes),
        root: readRoot(flags.root),
        desks: flags.desks === undefined ? undefined : readDesks(flags.desks),
        broker: targetOf(flags),
        nowMs: Date.now(),
      });
      tell(output, flags.json, { dir: made.dir, agency: made.agency.agency, trial: made.desks === undefined }, [
        `Made the office ${made.dir} of ${made.agency.name}.`,
        made.desks === undefined
          ? 'For trying out: one person plays both parts, and every page says so.'
          : 'Let both users in: chgrp -R GROUP and chmod -R g+rwX,o= on it, chmod g+s on its folders.',
      ]);
    });
  addExample(
    command,
    'portal office make --out office --agency agency.json --root root/root.json --desks desks.json ' +
      '--broker mqtts://127.0.0.1:8883 --ca-file broker/ca.pem --username agency --password-file broker/agency.password',
  );
}

interface OfficeOptions {
  readonly office: string;
  readonly json?: true;
}

export function withOffice(command: Command): Command {
  return command.requiredOption('--office <dir>', 'the office').option('--json', 'print JSON');
}

function addDraft(office: Command, output: Output): void {
  const command = withOffice(
    withDraftOptions(office.command('draft').description('write a draft that devices would accept')),
  ).action((options: OfficeOptions & DraftOptions) => {
    const { document, hash } = draftRequest(openOffice(options.office), draftFieldsOf(options), Date.now());
    tell(output, options.json, { requestId: document.request_id, hash }, [
      `Wrote the draft ${document.request_id}. An officer signs it next.`,
    ]);
  });
  addExample(
    command,
    'portal office draft --office office --region US-CA --circle 37.7749,-122.4194 --radius 300 ' +
      '--from 2026-11-20T18:00:00Z --to 2026-11-20T19:00:00Z --case-number 26-1042 --incident burglary --opened 2026-11-20 ' +
      '--statement "A door was forced." --officer-name "J. Doe" --badge 77 --phone "+1 555 0100" --authority "Penal Code 459"',
  );
}

function addList(office: Command, output: Output): void {
  const command = withOffice(office.command('list').description('requests and where each stands')).action(
    (options: OfficeOptions) => {
      const requests = listRequests(openOffice(options.office), Date.now());
      tell(
        output,
        options.json,
        requests.map(({ requestId, state, document }) => ({ requestId, state, caseNumber: document.case.number })),
        requests.length === 0
          ? ['No request has been written yet.']
          : requests.map(({ requestId, state, document }) => `${requestId}  ${state}  ${document.case.number}`),
      );
    },
  );
  addExample(command, 'portal office list --office office');
}

function addSign(office: Command, output: Output): void {
  const command = withOffice(office.command('sign <request-id>').description("sign at one's own desk"))
    .requiredOption('--as <role>', 'officer or approver')
    .requiredOption('--keys <dir>', 'folder with that key')
    .action((requestId: string, options: OfficeOptions & { as: string; keys: string }) => {
      const at = openOffice(options.office);
      const role = roleOf(options.as);
      const seen = { requestId, hash: readRequest(at, requestId, Date.now())?.hash ?? '' };
      const key = openDesk(role, options.keys, at.desks);
      if (role === 'officer') signAsOfficer(at, seen, key, Date.now());
      else signAsApprover(at, seen, key, Date.now());
      tell(output, options.json, { ...seen, role }, [`Signed request ${requestId} as ${role}.`]);
    });
  addExample(command, 'portal office sign 0123456789abcdef0123456789abcdef --office office --as officer --keys desk');
}

function addPublish(office: Command, output: Output): void {
  const command = withOffice(
    office.command('publish <request-id>').description('put a request that both signed on the broker'),
  ).action(async (requestId: string, options: OfficeOptions) => {
    tellPublished(output, options.json, await publish(openOffice(options.office), requestId, Date.now()));
  });
  addExample(command, 'portal office publish 0123456789abcdef0123456789abcdef --office office');
}

function addRevoke(office: Command, output: Output): void {
  const command = withOffice(office.command('revoke <request-id>').description('take a published request back'))
    .requiredOption('--as <role>', 'officer or approver')
    .requiredOption('--keys <dir>', 'folder with that key')
    .requiredOption('--reason <text>', 'why')
    .action(async (requestId: string, options: OfficeOptions & { as: string; keys: string; reason: string }) => {
      const at = openOffice(options.office);
      const key = openDesk(roleOf(options.as), options.keys, at.desks);
      tellPublished(output, options.json, await revoke(at, requestId, { reason: options.reason, key }, Date.now()));
    });
  addExample(
    command,
    'portal office revoke 0123456789abcdef0123456789abcdef --office office --as officer --keys desk --reason "Case closed"',
  );
}

interface ConsoleOptions extends OfficeOptions {
  readonly as: string;
  readonly keys: string;
  readonly outcomeKeys?: string;
  readonly identity?: string;
  readonly port: string;
}

function addConsole(program: Command, output: Output, stop: AbortSignal): void {
  const command = withOffice(program.command('console').description('a page for one desk, on this machine only'))
    .requiredOption('--as <role>', 'officer or approver')
    .requiredOption('--keys <dir>', 'folder with that key')
    .option('--outcome-keys <dir>', 'folder with the outcome key, to report outcomes')
    .option('--identity <file>', 'recipient.identity, to open shares')
    .option('--port <n>', 'port; 0 takes a free one', '8885')
    .action(async (options: ConsoleOptions) => {
      const at = openOffice(options.office);
      const role = roleOf(options.as);
      const { outcomeKeys, identity } = options;
      // Said at the start, not only when somebody wants to sign.
      openDesk(role, options.keys, at.desks);
      const running = await startConsole({
        desk: {
          office: at,
          role,
          actor: actorHere(),
          nowMs: Date.now,
          key: () => openDesk(role, options.keys, at.desks),
          outcomeKey: outcomeKeys === undefined ? undefined : () => readSigningKey('outcome', outcomeKeys),
          identity: identity === undefined ? undefined : () => readIdentity(identity),
        },
        port: wholeNumber(options.port, '--port', 65_535),
      });
      tell(output, options.json, { url: running.url, token: running.token }, [
        `The ${role}'s console is at ${running.url}; Ctrl-C stops it.`,
        `Token: ${running.token}`,
      ]);
      await new Promise<void>((resolve) => {
        if (stop.aborted) resolve();
        stop.addEventListener('abort', () => resolve(), { once: true });
      });
      await running.close();
    });
  addExample(
    command,
    'portal console --office office --as officer --keys desk --identity evidence/recipient.identity --outcome-keys outcome',
  );
}
