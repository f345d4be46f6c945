/** `latchkey requests check`: what a device would say to a request, or to any signed document, offline and without any installation. */
import type { Command } from 'commander';
import { AgentError } from '../base/errors.ts';
import { readFileLimited } from '../base/files.ts';
import { fromHex } from '../protocol/bytes.ts';
import type { AgencyDocument, RequestDocument } from '../protocol/documents.ts';
import { peekDocument } from '../protocol/envelope.ts';
import { areaContains, type Place } from '../protocol/geometry.ts';
import { type CheckedRequest, checkRequest, type RequestWarning } from '../protocol/request-check.ts';
import { maxGrantBytes } from '../protocol/share-names.ts';
import { readRootFile } from './agency-files.ts';
import { checkOther, type OtherKind, otherKindOf } from './document-check.ts';
import { type CliIo, say, sayJson } from './io.ts';
import { example } from './program-line.ts';
import { clean, table } from './terminal-text.ts';

interface CheckOption {
  readonly agency?: string;
  readonly root?: readonly string[];
  readonly grant?: string;
  readonly ownerRoot?: string;
  readonly at?: string;
  readonly place?: string;
  readonly topic?: string;
  readonly json?: boolean;
}

/** `IRRELEVANT`: acceptable, but the place lies outside its area, so that nobody there would be asked. */
type State = 'ACCEPTED' | 'REJECTED' | 'IRRELEVANT';

interface Read<T> {
  readonly document: T;
  readonly hash: string;
}

interface CheckVerdict {
  readonly state: State;
  /** The first rule broken, or null. */
  readonly code: string | null;
  readonly message: string | null;
  readonly atMs: number;
  /** False: what was read is only what somebody wrote. True: its signatures and every rule hold. */
  readonly verified: boolean;
  readonly signers: CheckedRequest['signers'] | null;
  readonly warnings: readonly RequestWarning[];
  readonly request: Read<RequestDocument> | null;
  readonly agency: Read<AgencyDocument> | null;
}

/** One byte more than the largest envelope may have, so that a larger one is refused as such, by its own code. */
const maxReadBytes = maxGrantBytes.envelope + 1;

function bytesOf(path: string): Buffer {
  let bytes: Buffer | undefined;
  try {
    bytes = readFileLimited(path, 1 << 20);
  } catch (thrown) {
    const message = thrown instanceof AgentError ? thrown.message : `Cannot read ${path}: it cannot be opened`;
    throw new AgentError('usage', 'requests/unreadable', message);
  }
  if (bytes === undefined) {
    throw new AgentError('usage', 'requests/unreadable', `Cannot read ${path}: there is no such file`);
  }
  return bytes.subarray(0, maxReadBytes);
}

function timeOf(text: string | undefined): number {
  if (text === undefined) return Date.now();
  const atMs = Date.parse(text);
  if (!Number.isNaN(atMs)) return atMs;
  throw new AgentError('usage', 'requests/bad-time', 'Cannot read --at: expected a time such as 2026-03-01T14:05:00Z');
}

function placeOf(text: string): Place {
  const [lat, lon, ...rest] = text
    .split(',')
    .map((part) => (/^-?\d+(?:\.\d+)?$/.test(part) ? Number(part) : Number.NaN));
  if (lat !== undefined && lon !== undefined && rest.length === 0 && Math.abs(lat) <= 90 && Math.abs(lon) <= 180) {
    return { lat_e6: Math.round(lat * 1e6), lon_e6: Math.round(lon * 1e6) };
  }
  const message = 'Cannot read --place: expected degrees such as 38.5800,-121.4900 (latitude, longitude)';
  throw new AgentError('usage', 'requests/bad-place', message);
}

/** What stands in the envelope, whoever signed it; null if it can't even be read. */
function peek<K extends 'request' | 'agency'>(kind: K, envelope: Uint8Array) {
  try {
    const { unverified, hash } = peekDocument(kind, envelope);
    return { document: unverified, hash };
  } catch (thrown) {
    if (thrown instanceof AgentError && thrown.kind === 'refused') return null;
    throw thrown;
  }
}

function ownerRootOf(path: string): Uint8Array {
  const text = bytesOf(path).toString('utf8').trim();
  if (/^[0-9a-f]{64}$/.test(text)) return fromHex(text);
  const message = 'Cannot read --owner-root: expected a file with 64 hexadecimal digits, as keys/owner-root.pub';
  throw new AgentError('usage', 'requests/bad-owner-root', message);
}

/** Anything but a request. The exit status tells as for a request. */
function checkDocument(kind: OtherKind, envelope: Uint8Array, option: CheckOption, io: CliIo): void {
  const verdict = checkOther(kind, envelope, {
    atMs: timeOf(option.at),
    roots: (option.root ?? []).map((file) => readRootFile(file).pinned),
    ...(option.agency === undefined ? {} : { agency: bytesOf(option.agency) }),
    ...(option.topic === undefined ? {} : { topic: option.topic }),
    ...(option.ownerRoot === undefined ? {} : { ownerRoot: ownerRootOf(option.ownerRoot) }),
    ...(option.grant === undefined ? {} : { grant: bytesOf(option.grant) }),
  });
  if (option.json === true) sayJson(io, verdict);
  else {
    const rows = [
      ['Verdict', verdict.state],
      ['Kind', kind],
    ];
    if (!verdict.verified) rows.push(['Beware', 'what follows is only what somebody wrote']);
    if (verdict.hash !== null) rows.push(['Hash', verdict.hash]);
    rows.push([
      'Document',
      verdict.document === null ? 'not readable' : clean(JSON.stringify(verdict.document), 40_000),
    ]);
    for (const line of table(rows)) say(io, line);
  }
  if (verdict.code !== null) throw new AgentError('refused', verdict.code, verdict.message ?? '');
}

function verdictOf(path: string, option: CheckOption): { verdict: CheckVerdict; refusal: AgentError | undefined } {
  const atMs = timeOf(option.at);
  const place = option.place === undefined ? undefined : placeOf(option.place);
  const request = bytesOf(path);
  if (option.agency === undefined || option.root === undefined) {
    throw new AgentError('usage', 'requests/missing-option', 'Cannot check a request: give --agency and --root too');
  }
  const agency = bytesOf(option.agency);
  const roots = option.root.map((file) => readRootFile(file).pinned);
  let checked: CheckedRequest | undefined;
  let refusal: AgentError | undefined;
  try {
    const topic = option.topic === undefined ? {} : { topic: option.topic };
    checked = checkRequest({ request, agency, roots, nowMs: atMs, ...topic });
  } catch (thrown) {
    if (!(thrown instanceof AgentError && thrown.kind === 'refused')) throw thrown;
    refusal = thrown;
  }
  const outside = checked !== undefined && place !== undefined && !areaContains(checked.request.area, place);
  if (outside) refusal = new AgentError('refused', 'request/outside', 'The place lies outside the area of the request');
  const verdict: CheckVerdict = {
    state: checked === undefined ? 'REJECTED' : outside ? 'IRRELEVANT' : 'ACCEPTED',
    code: refusal?.code ?? null,
    message: refusal?.message ?? null,
    atMs,
    verified: checked !== undefined,
    signers: checked?.signers ?? null,
    warnings: checked?.warnings ?? [],
    request: peek('request', request),
    agency: peek('agency', agency),
  };
  return { verdict, refusal };
}

function rowsOf({ state, verified, request, agency, warnings, signers }: CheckVerdict): string[][] {
  const rows = [['Verdict', state], ...warnings.map((warning) => ['Warning', warning])];
  if (!verified) rows.push(['Beware', 'what follows is only what somebody wrote']);
  if (agency !== null) rows.push(['Agency', `${clean(agency.document.name)} (${agency.document.agency})`]);
  if (signers !== null) rows.push(['Signed by', `${signers.officerKeyId} and ${signers.approverKeyId}`]);
  if (request === null) return [...rows, ['Request', 'not readable']];
  const { document, hash } = request;
  const utc = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
  return [
    ...rows,
    ['Request', document.request_id],
    ['Hash', hash],
    ['Case', `${clean(document.case.number)}, ${clean(document.case.incident)}`],
    ['Statement', clean(document.case.statement)],
    ['Window', `${utc(document.window.from)} to ${utc(document.window.to)}`],
    ['Area', JSON.stringify(document.area)],
    ['Expires', utc(document.expires_at)],
  ];
}

function check(path: string, option: CheckOption, io: CliIo): void {
  const other = otherKindOf(bytesOf(path));
  if (other !== undefined) return checkDocument(other, bytesOf(path), option, io);
  const { verdict, refusal } = verdictOf(path, option);
  if (option.json === true) sayJson(io, verdict);
  else for (const line of table(rowsOf(verdict))) say(io, line);
  if (refusal !== undefined) throw refusal;
}

function repeated(text: string, all: readonly string[] | undefined): string[] {
  return [...(all ?? []), text];
}

export function registerCheck(requests: Command, io: CliIo): void {
  requests
    .command('check <file>')
    .description('say what a device would answer to a request or any signed document; offline, needs no installation')
    .option('--agency <file>', 'the signed document of the agency that asks, alerts, revokes or reports')
    .option('--root <file>', 'a root that vouches for the agency; may be repeated', repeated)
    .option('--grant <file>', 'for a demand: the grant that it is about')
    .option('--owner-root <file>', "for a dispatch: the device's keys/owner-root.pub")
    .option('--at <time>', 'the moment to look at it (default: now)')
    .option('--place <lat,lon>', 'where the camera is, in degrees')
    .option('--topic <topic>', 'the MQTT topic under which it was received')
    .option('--json', 'print the verdict as JSON')
    .addHelpText(
      'after',
      `\nExit status: 0 if a device there would ask its owner, 5 if not.\n${example(
        'latchkey requests check request.json --agency agency.json --root root.json',
        'latchkey requests check request.json --agency agency.json --root root.json --place 38.58,-121.49 --json',
      )}`,
    )
    .action((file: string, option: CheckOption) => check(file, option, io));
}
