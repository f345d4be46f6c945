import type { Command } from 'commander';
import { writeFileDurable } from '../../agent/base/files.ts';
import { maxEnvelopeBytes, peekDocument } from '../../agent/protocol/envelope.ts';
import { keyIdOf } from '../../agent/protocol/keys.ts';
import { addExample, type Output, tell } from './console.ts';
import { readRequired, readSigningKey, type SigningRole } from './key-files.ts';
import { type Published, type PublishTarget, publishAgency, publishRequest, publishRevocation } from './publish.ts';
import { makeRevocation } from './revoke.ts';
import { readRoot } from './root.ts';
import { takePlace } from './sequence.ts';

/** `portal request publish`, `portal agency publish` and `portal revoke`. */
export function addPublishCommands(program: Command, request: Command, output: Output): void {
  addPublish(
    request,
    'publish <file>',
    'put a signed request on the broker until it expires',
    output,
    async (file, common) => {
      return publishRequest({ ...common, request: readRequired(file, maxEnvelopeBytes) });
    },
  );
  const agency = program.commands.find((command) => command.name() === 'agency');
  if (agency !== undefined) addAgencyPublish(agency, output);
  addRevoke(program, output);
}

export interface BrokerFlags {
  readonly broker: string;
  readonly caFile?: string;
  readonly username?: string;
  readonly passwordFile?: string;
  readonly agency: string;
  readonly root: string;
  readonly json?: true;
}

type Common = Parameters<typeof publishAgency>[0];

export function withBroker(command: Command): Command {
  return command
    .requiredOption('--broker <url>', 'mqtts://HOST:PORT')
    .option('--ca-file <file>', "the broker's authority")
    .option('--username <name>', 'user that may write')
    .option('--password-file <file>', 'its password')
    .requiredOption('--root <file>', 'root.json')
    .option('--json', 'print JSON');
}

export function targetOf(flags: Omit<BrokerFlags, 'agency' | 'root' | 'json'>): PublishTarget {
  const { broker: url, caFile, username, passwordFile } = flags;
  return { url, caFile, username, passwordFile };
}

function commonOf(flags: BrokerFlags): Common {
  return {
    broker: targetOf(flags),
    agency: readRequired(flags.agency, maxEnvelopeBytes),
    root: readRoot(flags.root),
    nowMs: Date.now(),
  };
}

export function tellPublished(output: Output, json: true | undefined, published: Published): void {
  const days = (published.expiresInS / 86_400).toFixed(1);
  tell(output, json, published, [`Published for ${days} days:`, ...published.topics.map((topic) => `  ${topic}`)]);
}

function addPublish(
  parent: Command,
  name: string,
  description: string,
  output: Output,
  publish: (file: string, common: Common) => Promise<Published>,
): void {
  const command = withBroker(parent.command(name).description(description))
    .requiredOption('--agency <file>', "the agency's signed document")
    .action(async (file: string, flags: BrokerFlags) => {
      tellPublished(output, flags.json, await publish(file, commonOf(flags)));
    });
  addExample(
    command,
    'portal request publish request.json --agency agency.json --root root/root.json --broker mqtts://127.0.0.1:8883 ' +
      '--ca-file broker/ca.pem --username agency --password-file broker/agency.password',
  );
}

function addAgencyPublish(agency: Command, output: Output): void {
  const command = withBroker(
    agency.command('publish <file>').description("put the agency's signed document on the broker"),
  ).action(async (file: string, flags: Omit<BrokerFlags, 'agency'>) => {
    tellPublished(output, flags.json, await publishAgency(commonOf({ ...flags, agency: file })));
  });
  addExample(
    command,
    'portal agency publish agency.json --root root/root.json --broker mqtts://127.0.0.1:8883 --ca-file broker/ca.pem ' +
      '--username agency --password-file broker/agency.password',
  );
}

interface RevokeFlags extends BrokerFlags {
  readonly request?: string;
  readonly reason: string;
  readonly as: SigningRole;
  readonly keys: string;
  readonly sequence: string;
  readonly out?: string;
}

function addRevoke(program: Command, output: Output): void {
  const command = withBroker(
    program.command('revoke').description('take a request back, or, without --request, the key that signs'),
  )
    .requiredOption('--agency <file>', "the agency's signed document")
    .option('--request <id>', 'id of the request')
    .requiredOption('--reason <text>', 'why')
    .requiredOption('--as <role>', 'officer, approver or outcome')
    .requiredOption('--keys <dir>', 'folder with that key')
    .option('--sequence <file>', "the agency's place in its chain of documents", 'sequence.json')
    .option('--out <file>', 'keep the signed revocation')
    .action(async (flags: RevokeFlags) => {
      const common = commonOf(flags);
      const key = readSigningKey(flags.as, flags.keys);
      const { agency } = peekDocument('agency', common.agency).unverified;
      const kind = flags.request === undefined ? 'key' : 'request';
      const target = flags.request ?? keyIdOf(key.publicKey);
      const { reason } = flags;
      const made = takePlace(flags.sequence, (place) => makeRevocation({ agency, kind, target, reason, place, key }));
      if (flags.out !== undefined) writeFileDurable(flags.out, made.envelope);
      tellPublished(output, flags.json, await publishRevocation({ ...common, revocation: made.envelope }));
    });
  addExample(
    command,
    'portal revoke --request 0123456789abcdef0123456789abcdef --reason "Case closed" --as officer --keys desk-of-officer ' +
      '--agency agency.json --root root/root.json --broker mqtts://127.0.0.1:8883 --ca-file broker/ca.pem ' +
      '--username agency --password-file broker/agency.password',
  );
}
