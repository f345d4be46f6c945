import type { Command } from 'commander';
import { AgentError } from '../../agent/base/errors.ts';
import { writeFileDurable } from '../../agent/base/files.ts';
import { makeAgency } from './agency.ts';
import { addExample, collect, type Output, tell, wholeNumber } from './console.ts';
import {
  makeRecipient,
  makeSigningKey,
  readPublicKey,
  readRecipient,
  readSigningKey,
  signingRoles,
} from './key-files.ts';
import { makeRoot, readRoot } from './root.ts';

/** `portal keys`, `portal root make` and `portal agency make`. */
export function addKeyCommands(program: Command, output: Output): void {
  addKeys(program, output);
  const root = program.command('root').description('the root that vouches for agencies');
  addRootMake(root, output);
  const agency = program.command('agency').description('the document of an agency');
  addAgencyMake(agency, output);
}

function addKeys(program: Command, output: Output): void {
  const command = program
    .command('keys <role>')
    .description(`make a key: ${[...signingRoles, 'recipient'].join(', ')}`)
    .requiredOption('--out <dir>', 'folder for the key; officer and approver need different ones')
    .option('--json', 'print JSON')
    .action((role: string, options: { out: string; json?: true }) => {
      const signing = signingRoles.find((known) => known === role);
      if (signing === undefined && role !== 'recipient') {
        throw new AgentError('usage', 'portal/unknown-role', `Cannot make a key for "${role}": there is no such role`);
      }
      const made = signing === undefined ? makeRecipient(options.out) : makeSigningKey(signing, options.out);
      tell(output, options.json, made, [`Made the ${role} key ${made.kid} in ${options.out}.`]);
    });
  addExample(command, 'portal keys officer --out desk-of-officer');
}

function addRootMake(root: Command, output: Output): void {
  const command = root
    .command('make')
    .description('make the three keys of a root and the file that owners pin')
    .requiredOption('--name <text>', 'who stands behind the root')
    .requiredOption('--out <dir>', 'folder; the three keys get a folder each inside')
    .option('--json', 'print JSON')
    .action((options: { name: string; out: string; json?: true }) => {
      const made = makeRoot({ name: options.name, dir: options.out });
      tell(output, options.json, made, [
        `Made a root of three keys; any two of them sign. Owners pin ${made.path}.`,
        `Give each of these folders to another person: ${made.keyDirs.join(', ')}`,
        `Fingerprint that owners compare: ${made.fingerprint}`,
      ]);
    });
  addExample(command, 'portal root make --name "State registry" --out root');
}

interface AgencyOptions {
  readonly id: string;
  readonly name: string;
  readonly kind: 'agency' | 'group';
  readonly region: readonly string[];
  readonly endpoint: string;
  readonly officer: readonly string[];
  readonly approver: readonly string[];
  readonly outcome?: readonly string[];
  readonly recipient: string;
  readonly root: string;
  readonly rootKey: readonly string[];
  readonly out: string;
  readonly agencyVersion: string;
  readonly days: string;
  readonly json?: true;
}

function addAgencyMake(agency: Command, output: Output): void {
  const command = agency
    .command('make')
    .description("write an agency's document and sign it with two of the root's keys")
    .requiredOption('--id <id>', 'lower-case letters, digits and hyphens')
    .requiredOption('--name <text>', 'as owners see it')
    .option('--kind <kind>', 'agency, or group (may only issue notices)', 'agency')
    .requiredOption('--region <code>', 'ISO 3166-2; may be repeated', collect)
    .requiredOption('--endpoint <url>', 'where shares are sent')
    .requiredOption('--officer <file>', 'officer.pub.json; may be repeated', collect)
    .requiredOption('--approver <file>', 'approver.pub.json; may be repeated', collect)
    .option('--outcome <file>', 'outcome.pub.json; may be repeated', collect)
    .requiredOption('--recipient <file>', 'recipient.pub.json')
    .requiredOption('--root <file>', 'root.json')
    .requiredOption('--root-key <dir>', 'folder with a root key; needed twice', collect)
    .option('--agency-version <n>', 'rises with every document of the agency', '1')
    .option('--days <n>', 'days until it expires', '365')
    .requiredOption('--out <file>', 'the signed document')
    .option('--json', 'print JSON')
    .action((options: AgencyOptions) => {
      const read = (role: 'officer' | 'approver' | 'outcome') => (path: string) => readPublicKey(role, path);
      const made = makeAgency({
        draft: {
          id: options.id,
          name: options.name,
          kind: options.kind,
          regions: options.region,
          version: wholeNumber(options.agencyVersion, '--agency-version', 1_000_000),
          validDays: wholeNumber(options.days, '--days', 100_000),
          officers: options.officer.map(read('officer')),
          approvers: options.approver.map(read('approver')),
          outcomes: (options.outcome ?? []).map(read('outcome')),
          recipient: readRecipient(options.recipient),
          endpoint: options.endpoint,
        },
        rootKeys: options.rootKey.map((dir) => readSigningKey('root', dir)),
        root: readRoot(options.root),
        nowMs: Date.now(),
      });
      writeFileDurable(options.out, made.envelope, 0o644);
      tell(output, options.json, { agency: made.agency, hash: made.agencyHash, path: options.out }, [
        `Wrote ${options.out}: ${made.agency.name}, version ${made.agency.version}, for ${made.agency.regions.join(', ')}.`,
      ]);
    });
  addExample(
    command,
    'portal agency make --id west-city-pd --name "West City Police" --region US-CA --endpoint https://intake.example/files ' +
      '--officer o/officer.pub.json --approver a/approver.pub.json --recipient r/recipient.pub.json ' +
      '--root root/root.json --root-key root/root-1 --root-key root/root-2 --out agency.json',
  );
}
