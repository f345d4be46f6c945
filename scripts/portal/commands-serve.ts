import type { Command } from 'commander';
import { AgentError } from '../../agent/base/errors.ts';
import { maxEnvelopeBytes } from '../../agent/protocol/envelope.ts';
import { makeBroker, readBroker, runBroker } from './broker.ts';
import { addExample, collect, type Output, tell, wholeNumber } from './console.ts';
import { startIntake } from './intake.ts';
import { readIdentity, readRequired } from './key-files.ts';
import { openOffice } from './office.ts';
import { openShare } from './open-share.ts';
import { readKnownRequests } from './request-folder.ts';
import { readRoot } from './root.ts';

/** `portal broker`, `portal serve` and `portal open`. The first two run until `stop` is aborted. */
export function addServeCommands(program: Command, output: Output, stop: AbortSignal): void {
  addBroker(program, output, stop);
  addServe(program, output, stop);
  addOpen(program, output);
}

function aborted(stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (stop.aborted) resolve();
    stop.addEventListener('abort', () => resolve(), { once: true });
  });
}

function addBroker(program: Command, output: Output, stop: AbortSignal): void {
  const command = program
    .command('broker')
    .description('write a Mosquitto configuration: TLS, read-only devices, one writer')
    .requiredOption('--out <dir>', 'folder for configuration, certificates and passwords')
    .option('--port <n>', 'port; 0 takes a free one', '8883')
    .option('--bind <address>', 'address to listen on', '127.0.0.1')
    .option('--name <name>', 'name or address under which devices reach it; may be repeated', collect)
    .option('--run', 'start it (also one written earlier); Ctrl-C stops it')
    .option('--json', 'print JSON')
    .action(async (options: { out: string; port: string; bind: string; name?: string[]; run?: true; json?: true }) => {
      const made = options.run === true ? readBroker(options.out) : undefined;
      const files =
        made ??
        (await makeBroker({
          dir: options.out,
          port: wholeNumber(options.port, '--port', 65_535),
          bind: options.bind,
          ...(options.name === undefined ? {} : { names: options.name }),
        }));
      const lines = [
        `Wrote ${files.configPath}. Start it with: mosquitto -c ${files.configPath}`,
        `Devices: ${files.url}, authority ${files.caFile}, user device, password in ${files.device.passwordFile}`,
        `Agencies: user agency, password in ${files.agency.passwordFile}`,
      ];
      if (options.run !== true) return tell(output, options.json, files, lines);
      const running = await runBroker(files);
      tell(output, options.json, files, [...lines, 'It is running; Ctrl-C stops it.']);
      await Promise.race([aborted(stop), running.exited]);
      await running.stop();
    });
  addExample(command, 'portal broker --out broker --port 8883 --name broker.example --bind 0.0.0.0');
}

interface ServeOptions {
  readonly office?: string;
  readonly out?: string;
  readonly port: string;
  readonly bind: string;
  readonly requests?: string;
  readonly certificate?: string;
  readonly key?: string;
  readonly maxOpen: string;
  readonly json?: true;
}

function addServe(program: Command, output: Output, stop: AbortSignal): void {
  const command = program
    .command('serve')
    .description('receive shares for the requests in a folder')
    .option('--office <dir>', 'an office: its requests, its intake')
    .option('--out <dir>', 'or: folder for what arrives')
    .option('--requests <dir>', 'and folder with the signed requests')
    .option('--port <n>', 'port; 0 takes a free one', '8884')
    .option('--bind <address>', 'address to listen on', '127.0.0.1')
    .option('--certificate <file>', 'TLS certificate chain in PEM; without it only this machine can send')
    .option('--key <file>', 'its key')
    .option('--max-open <n>', 'open uploads per request', '200')
    .option('--json', 'print JSON')
    .action(async (options: ServeOptions) => {
      const { certificate, key } = options;
      const { dir, requests } = placesOf(options);
      const intake = await startIntake({
        dir,
        port: wholeNumber(options.port, '--port', 65_535),
        bind: options.bind,
        knownRequests: () => readKnownRequests(requests),
        maxOpenPerRequest: wholeNumber(options.maxOpen, '--max-open', 100_000),
        ...(certificate === undefined || key === undefined
          ? {}
          : { tls: { certificatePem: text(certificate), keyPem: text(key) } }),
        onShare: (share) => tell(output, options.json, share, [`Received share ${share.shareId}: ${share.dir}`]),
      });
      tell(output, options.json, { url: intake.url }, [`Receiving at ${intake.url}; Ctrl-C stops.`]);
      await aborted(stop);
      await intake.close();
    });
  addExample(command, 'portal serve --office office --port 8884 --certificate chain.pem --key key.pem');
}

function placesOf({ office, out, requests }: ServeOptions): { dir: string; requests: string } {
  if (office !== undefined) {
    const { intakeDir, signedDir } = openOffice(office);
    return { dir: intakeDir, requests: signedDir };
  }
  if (out !== undefined && requests !== undefined) return { dir: out, requests };
  throw new AgentError('usage', 'portal/no-office', 'Cannot receive shares: give --office, or --out and --requests');
}

interface OpenOptions {
  readonly identity: string;
  readonly out?: string;
  readonly request?: string;
  readonly agency?: string;
  readonly root?: string;
  readonly json?: true;
}

function addOpen(program: Command, output: Output): void {
  const command = program
    .command('open <share-dir>')
    .description('open a received share, verify it, and say what is proved')
    .requiredOption('--identity <file>', 'recipient.identity')
    .option('--out <dir>', 'write the files there')
    .option('--request <file>', "the agency's own copy of the signed request")
    .option('--agency <file>', "the agency's signed document, to check the request's signers")
    .option('--root <file>', 'root.json, for the same')
    .option('--json', 'print JSON')
    .action((shareDir: string, options: OpenOptions) => {
      const { request, agency, root } = options;
      const { verdict, files, outDir } = openShare({
        shareDir,
        identity: readIdentity(options.identity),
        outDir: options.out,
        request: request === undefined ? undefined : readRequired(request, maxEnvelopeBytes),
        signers:
          agency === undefined || root === undefined
            ? undefined
            : { agency: readRequired(agency, maxEnvelopeBytes), root: readRoot(root) },
      });
      const written = outDir === undefined ? [] : [`Wrote ${files.length} files to ${outDir}.`];
      tell(output, options.json, { verdict, files, outDir }, [...verdict.plainWords, ...written]);
      if (verdict.problems.length > 0) {
        throw new AgentError('refused', 'portal/not-proved', 'The share does not prove what it should: see above');
      }
    });
  addExample(
    command,
    'portal open intake/shares/0123456789abcdef0123456789abcdef --identity r/recipient.identity --out footage',
  );
}

function text(path: string): string {
  return readRequired(path, 1 << 20).toString('utf8');
}
