import type { Command } from 'commander';
import { AgentError } from '../../agent/base/errors.ts';
import { writeFileDurable } from '../../agent/base/files.ts';
import { type Area, parseDocument, type RequestDocument } from '../../agent/protocol/documents.ts';
import { maxEnvelopeBytes, peekDocument } from '../../agent/protocol/envelope.ts';
import { addExample, collect, type Output, tell, wholeNumber } from './console.ts';
import { type Desks, openDesk, readDesks } from './desks.ts';
import { readRequired } from './key-files.ts';
import type { DraftFields } from './office-requests.ts';
import {
  checkSignedRequest,
  cosignRequest,
  parseMoment,
  parsePlace,
  requestHashOf,
  signRequest,
  writeRequest,
} from './request.ts';
import { readRoot } from './root.ts';
import { takePlace } from './sequence.ts';

/** `portal request write | sign | check`. */
export function addRequestCommands(program: Command, output: Output): Command {
  const request = program.command('request').description('ask owners for footage');
  addWrite(request, output);
  addSign(request, output);
  addCheck(request, output);
  return request;
}

/** What a draft is written from, at the command line. */
export interface DraftOptions {
  readonly region: string;
  readonly circle?: string;
  readonly radius?: string;
  readonly point?: readonly string[];
  readonly from: string;
  readonly to: string;
  readonly caseNumber: string;
  readonly incident: string;
  readonly opened: string;
  readonly statement: string;
  readonly officerName: string;
  readonly badge: string;
  readonly phone: string;
  readonly authority: string;
  readonly audio?: true;
  readonly days: string;
  readonly deleteByDays: string;
  readonly outcomeDueDays: string;
  readonly thirdParty: string;
}

interface WriteOptions extends DraftOptions {
  readonly agency: string;
  readonly sequence: string;
  readonly out: string;
  readonly json?: true;
}

export function withDraftOptions(command: Command): Command {
  return command
    .requiredOption('--region <code>', 'ISO 3166-2')
    .option('--circle <lat,lon>', 'centre of the area, in degrees')
    .option('--radius <m>', 'radius of the circle in metres')
    .option('--point <lat,lon>', 'corner of a polygon; 3 to 16 of them', collect)
    .requiredOption('--from <time>', 'start of the window, ISO 8601 with zone')
    .requiredOption('--to <time>', 'end of the window')
    .requiredOption('--case-number <text>', 'case number')
    .requiredOption('--incident <text>', 'kind of incident')
    .requiredOption('--opened <date>', 'day on which the case was opened, YYYY-MM-DD')
    .requiredOption('--statement <text>', 'what happened and what is looked for')
    .requiredOption('--officer-name <text>', 'whom the owner may ask')
    .requiredOption('--badge <text>', 'badge number')
    .requiredOption('--phone <text>', 'telephone number')
    .requiredOption('--authority <text>', 'the law under which the agency may ask')
    .option('--audio', 'ask for sound as well')
    .option('--days <n>', 'days until the request expires', '7')
    .option('--delete-by-days <n>', 'footage is deleted after so many days', '90')
    .option('--outcome-due-days <n>', 'an outcome is reported within so many days', '60')
    .option('--third-party <who>', 'none, or court_only', 'none');
}

export function draftFieldsOf(options: DraftOptions): DraftFields {
  return {
    region: options.region,
    area: areaOf(options),
    case: {
      number: options.caseNumber,
      incident: options.incident,
      opened_on: options.opened,
      statement: options.statement,
    },
    contact: { name: options.officerName, badge: options.badge, phone: options.phone },
    window: { from: parseMoment(options.from), to: parseMoment(options.to) },
    authority: options.authority,
    audio: options.audio ?? false,
    lifetimeDays: wholeNumber(options.days, '--days', 100_000),
    terms: {
      delete_by_days: wholeNumber(options.deleteByDays, '--delete-by-days', 100_000),
      outcome_due_days: wholeNumber(options.outcomeDueDays, '--outcome-due-days', 100_000),
      third_party: options.thirdParty,
    },
  };
}

function addWrite(request: Command, output: Output): void {
  const command = withDraftOptions(request.command('write').description('write a draft, unsigned'))
    .requiredOption('--agency <file>', "the agency's signed document")
    .option('--sequence <file>', "the agency's place in its chain of documents", 'sequence.json')
    .requiredOption('--out <file>', 'the draft')
    .option('--json', 'print JSON')
    .action((options: WriteOptions) => {
      const fields = {
        agency: peekDocument('agency', readRequired(options.agency, maxEnvelopeBytes)).unverified,
        ...draftFieldsOf(options),
        nowMs: Date.now(),
      };
      const { draft, hash } = takePlace(options.sequence, (place) => {
        const numbered = writeRequest({ ...fields, ...place });
        return { draft: numbered, hash: requestHashOf(numbered) };
      });
      writeFileDurable(options.out, `${JSON.stringify(draft, null, 2)}\n`);
      tell(output, options.json, { request: draft, hash, path: options.out }, [
        `Wrote the draft ${options.out}: request ${draft.request_id}, number ${draft.seq} of the agency.`,
        'It must now be signed by an officer, then by an approver.',
      ]);
    });
  addExample(
    command,
    'portal request write --agency agency.json --region US-CA --circle 37.7749,-122.4194 --radius 300 ' +
      '--from 2026-11-20T18:00:00Z --to 2026-11-20T19:00:00Z --case-number 26-1042 --incident burglary --opened 2026-11-20 ' +
      '--statement "A door was forced." --officer-name "J. Doe" --badge 77 --phone "+1 555 0100" --authority "Penal Code 459" --out draft.json',
  );
}

function areaOf(options: DraftOptions): Area {
  const { circle, radius, point } = options;
  if (circle !== undefined && radius !== undefined && point === undefined) {
    return { circle: { ...parsePlace(circle), radius_m: wholeNumber(radius, '--radius', 20_000) } };
  }
  if (circle === undefined && point !== undefined) {
    const points = point.map(parsePlace).map(({ lat_e6, lon_e6 }): [number, number] => [lat_e6, lon_e6]);
    return { polygon: { pts_e6: points } };
  }
  throw new AgentError(
    'usage',
    'portal/no-area',
    'Cannot write the request: give --circle and --radius, or --point three times or more',
  );
}

function addSign(request: Command, output: Output): void {
  const command = request
    .command('sign <file>')
    .description("sign: the officer a draft, then the approver the officer's envelope")
    .requiredOption('--as <role>', 'officer or approver')
    .requiredOption('--keys <dir>', 'folder with that key')
    .option('--desks <file>', 'JSON with the folders of both roles: {"officer": [...], "approver": [...]}')
    .option('--trial', 'one person plays both parts: for trying out only')
    .requiredOption('--out <file>', 'the signed envelope')
    .option('--json', 'print JSON')
    .action((file: string, options: DeskOptions & { as: string; out: string; json?: true }) => {
      const bytes = readRequired(file, maxEnvelopeBytes);
      if (options.as !== 'officer' && options.as !== 'approver') {
        throw new AgentError('usage', 'portal/unknown-role', `Cannot sign as "${options.as}": officer or approver`);
      }
      const key = openDesk(options.as, options.keys, desksOf(options));
      const signed = options.as === 'officer' ? signRequest(readDraft(bytes), key) : cosignRequest(bytes, key);
      writeFileDurable(options.out, signed);
      const { unverified, hash } = peekDocument('request', readRequired(options.out, maxEnvelopeBytes));
      tell(output, options.json, { requestId: unverified.request_id, hash, path: options.out }, [
        `Signed request ${unverified.request_id} as ${options.as}: ${options.out}.`,
      ]);
    });
  addExample(
    command,
    'portal request sign draft.json --as officer --keys desk-of-officer --desks desks.json --out half-signed.json',
  );
}

export interface DeskOptions {
  readonly keys: string;
  readonly desks?: string;
  readonly trial?: true;
}

function desksOf(options: DeskOptions): Desks | undefined {
  if (options.desks !== undefined) return readDesks(options.desks);
  if (options.trial === true) return undefined;
  const why = 'say with --desks where the keys of both roles are, so that it can be seen that you hold only one';
  throw new AgentError('usage', 'portal/no-desks', `Cannot sign: ${why}`);
}

function readDraft(bytes: Uint8Array): RequestDocument {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    throw new AgentError('usage', 'portal/malformed-file', 'Cannot sign the draft: it is not JSON');
  }
  return parseDocument('request', value);
}

function addCheck(request: Command, output: Output): void {
  const command = request
    .command('check <file>')
    .description('check a signed request as every device will')
    .requiredOption('--agency <file>', "the agency's signed document")
    .requiredOption('--root <file>', 'root.json')
    .option('--json', 'print JSON')
    .action((file: string, options: { agency: string; root: string; json?: true }) => {
      const checked = checkSignedRequest({
        request: readRequired(file, maxEnvelopeBytes),
        agency: readRequired(options.agency, maxEnvelopeBytes),
        root: readRoot(options.root),
        nowMs: Date.now(),
      });
      const { requestHash: hash, topic, warnings, signers } = checked;
      const warned = warnings.map((warning) => `Owners will be warned: ${warning}.`);
      tell(output, options.json, { requestId: checked.request.request_id, hash, topic, warnings, signers }, [
        'Devices will accept this request.',
        ...warned,
      ]);
    });
  addExample(command, 'portal request check request.json --agency agency.json --root root/root.json');
}
