import type { Command } from 'commander';
import { AgentError } from '../../agent/base/errors.ts';
import { actorHere, withOffice } from './commands-office.ts';
import { tellPublished } from './commands-publish.ts';
import { addExample, collect, type Output, tell, wholeNumber } from './console.ts';
import { checkCustody } from './custody-check.ts';
import { openDesk } from './desks.ts';
import { readIdentity, readSigningKey } from './key-files.ts';
import { openOffice } from './office.ts';
import { issueNotice, outcomesDue, reportOutcome } from './office-outcomes.ts';
import { deleteShare, listShares, openOfficeShare, readDemands } from './office-shares.ts';
import { outcomeUses } from './outcome.ts';

/** `portal share | demand | outcome | notice | custody`: what comes after a request was published. */
export function addCaseCommands(program: Command, output: Output): void {
  const share = program.command('share').description('what owners sent to an office');
  addShareList(share, output);
  addShareOpen(share, output);
  addShareDelete(share, output);
  addDemands(program, output);
  const outcome = program.command('outcome').description('what the footage led to');
  addDue(outcome, output);
  addReport(outcome, output);
  addNotice(program, output);
  addCustody(program, output);
}

interface Options {
  readonly office: string;
  readonly json?: true;
}

const exampleId = '0123456789abcdef0123456789abcdef';

function addShareList(share: Command, output: Output): void {
  const command = withOffice(share.command('list').description('shares and where each stands')).action(
    (options: Options) => {
      const shares = listShares(openOffice(options.office));
      const standing = ({ deletedAtMs, demanded, lastOpened }: (typeof shares)[number]): string => {
        if (deletedAtMs !== undefined) return 'deleted';
        if (demanded !== undefined) return 'its owner demands deletion';
        if (lastOpened === undefined) return 'not opened yet';
        return lastOpened.problemCount === 0 ? 'holds' : 'NOT PROVED';
      };
      const lines = shares.map(
        (one) => `${one.shareId}  ${new Date(one.receivedAtMs).toISOString()}  ${standing(one)}`,
      );
      tell(output, options.json, shares, lines.length === 0 ? ['Nothing has arrived yet.'] : lines);
    },
  );
  addExample(command, 'portal share list --office office');
}

function addShareOpen(share: Command, output: Output): void {
  const command = withOffice(share.command('open <share-id>').description('open, verify, and log that it was opened'))
    .requiredOption('--identity <file>', 'recipient.identity')
    .option('--out <dir>', 'copy the files there; the chain of custody says so')
    .action((shareId: string, options: Options & { identity: string; out?: string }) => {
      const by = { actor: actorHere(), nowMs: Date.now(), outDir: options.out };
      const identity = readIdentity(options.identity);
      const { verdict, files } = openOfficeShare(openOffice(options.office), shareId, identity, by);
      tell(output, options.json, { verdict, files }, verdict.plainWords);
      if (verdict.problems.length === 0) return;
      throw new AgentError('refused', 'portal/not-proved', 'The share does not prove what it should: see above');
    });
  addExample(command, `portal share open ${exampleId} --office office --identity evidence/recipient.identity`);
}

function addShareDelete(share: Command, output: Output): void {
  const command = withOffice(share.command('delete <share-id>').description('delete a share for good'))
    .requiredOption('--ground <why>', 'retention_due, owner_request, terms_breach or not_needed')
    .action((shareId: string, options: Options & { ground: string }) => {
      if (!/^[a-z_]{1,20}$/.test(options.ground)) {
        throw new AgentError('usage', 'portal/not-confirmed', 'Cannot delete the share: the ground is none');
      }
      const by = { actor: actorHere(), nowMs: Date.now(), ground: options.ground };
      const copies = deleteShare(openOffice(options.office), shareId, by);
      const left = copies.map((copy) => `A copy was made and is still to be deleted: ${copy}`);
      tell(output, options.json, { shareId, copies }, [
        `Deleted share ${shareId}. Report it with the request's outcome.`,
        ...left,
      ]);
    });
  addExample(command, `portal share delete ${exampleId} --office office --ground retention_due`);
}

function addDemands(program: Command, output: Output): void {
  const command = withOffice(program.command('demands').description("read owners' new demands that shares be deleted"))
    .requiredOption('--identity <file>', 'recipient.identity')
    .action((options: Options & { identity: string }) => {
      const by = { actor: actorHere(), nowMs: Date.now() };
      const demands = readDemands(openOffice(options.office), readIdentity(options.identity), by);
      const lines = demands.map(
        ({ shareId, ground, code }) => `${shareId ?? 'no share'}  ${ground ?? `NOT a demand: ${code}`}`,
      );
      tell(output, options.json, demands, lines.length === 0 ? ['No new demand has come.'] : lines);
    });
  addExample(command, 'portal demands --office office --identity evidence/recipient.identity');
}

function addDue(outcome: Command, output: Output): void {
  const command = withOffice(outcome.command('due').description('outcomes that are owed')).action(
    (options: Options) => {
      const due = outcomesDue(openOffice(options.office), Date.now()).map(({ request, shares, dueAtMs, state }) => {
        return { requestId: request.requestId, state, dueAtMs, shares: shares.length };
      });
      const lines = due.map(
        (one) => `${one.requestId}  ${one.state}  ${new Date(one.dueAtMs).toISOString().slice(0, 10)}`,
      );
      tell(output, options.json, due, lines.length === 0 ? ['No request has been published yet.'] : lines);
    },
  );
  addExample(command, 'portal outcome due --office office');
}

interface ReportOptions extends Options {
  readonly keys: string;
  readonly use?: readonly string[];
  readonly closed?: true;
  readonly disclosed?: readonly string[];
}

function addReport(outcome: Command, output: Output): void {
  const command = withOffice(
    outcome.command('report <request-id>').description('publish what a request led to, and which shares were deleted'),
  )
    .requiredOption('--keys <dir>', 'folder with the outcome key')
    .option('--use <what>', `${outcomeUses.join(', ')}; may be repeated`, collect)
    .option('--disclosed <to>', 'to whom footage was passed on; may be repeated', collect)
    .option('--closed', 'the case is closed')
    .action(async (requestId: string, options: ReportOptions) => {
      const use = (options.use ?? []).map((text) => {
        const known = outcomeUses.find((one) => one === text);
        if (known !== undefined) return known;
        throw new AgentError('usage', 'portal/unknown-use', `Cannot report "${text}": it is not one of the uses`);
      });
      const report = {
        requestId,
        status: options.closed === true ? 'closed' : 'open',
        use,
        disclosures: options.disclosed ?? [],
        key: readSigningKey('outcome', options.keys),
      } as const;
      const by = { actor: actorHere(), nowMs: Date.now() };
      tellPublished(output, options.json, await reportOutcome(openOffice(options.office), report, by));
    });
  addExample(command, `portal outcome report ${exampleId} --office office --keys outcome --use charge --closed`);
}

interface NoticeOptions extends Options {
  readonly keys: string;
  readonly region: string;
  readonly headline: string;
  readonly text: string;
  readonly days: string;
}

function addNotice(program: Command, output: Output): void {
  const command = withOffice(
    program.command('notice').description('publish an alert to a region; nobody can answer it'),
  )
    .requiredOption('--keys <dir>', "folder with an officer's key")
    .requiredOption('--region <code>', 'ISO 3166-2')
    .requiredOption('--headline <text>', 'up to 120 characters')
    .requiredOption('--text <text>', 'up to 1,000 characters')
    .option('--days <n>', 'shown for so many days, at most 14', '3')
    .action(async (options: NoticeOptions) => {
      const office = openOffice(options.office);
      const { region, headline, text } = options;
      const fields = { region, headline, text, days: wholeNumber(options.days, '--days', 100_000) };
      const key = openDesk('officer', options.keys, office.desks);
      tellPublished(output, options.json, await issueNotice(office, fields, key, Date.now()));
    });
  addExample(
    command,
    'portal notice --office office --keys desk --region US-CA --headline "Parcel thefts" --text "On 5th Street."',
  );
}

function addCustody(program: Command, output: Output): void {
  const custody = program.command('custody').description('who received, opened, copied or deleted what');
  const command = withOffice(
    custody.command('verify').description('check the chain, and that the shares on the disk are those of the chain'),
  )
    .option('--head <hash>', 'the newest entry as noted down earlier: shows that nothing was cut off')
    .option('--list', 'print the entries as well')
    .action(async (options: Options & { head?: string; list?: true }) => {
      const report = await checkCustody(openOffice(options.office).intakeDir, options.head);
      const { entries, head, sharesHeld, sharesDeleted } = report;
      const listed = entries.map(
        (e) => `${e.seq}  ${new Date(e.at_ms).toISOString()}  ${e.event}  ${e.share_id}  ${e.actor}`,
      );
      const summary = { head, entries: entries.length, sharesHeld, sharesDeleted };
      tell(output, options.json, options.list === true ? { ...summary, list: entries } : summary, [
        ...(options.list === true ? listed : []),
        `It holds: ${entries.length} entries, ${sharesHeld.length} ${sharesHeld.length === 1 ? 'share' : 'shares'} as received, ${sharesDeleted.length} deleted.`,
        `Newest entry, to be noted down elsewhere: ${head ?? 'none yet'}`,
      ]);
    });
  addExample(command, 'portal custody verify --office office');
}
