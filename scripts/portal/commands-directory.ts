import { join } from 'node:path';
import type { Command } from 'commander';
import { ensurePrivateDir, writeFileDurable } from '../../agent/base/files.ts';
import { maxEnvelopeBytes } from '../../agent/protocol/envelope.ts';
import { type BrokerFlags, targetOf, tellPublished, withBroker } from './commands-publish.ts';
import { addExample, collect, type Output, tell, wholeNumber } from './console.ts';
import { directoryEntries, makeDirectory } from './directory.ts';
import { readRequired, readSigningKey } from './key-files.ts';
import { publishDirectory } from './publish.ts';
import { readRoot } from './root.ts';

/** `portal directory make | publish`: what a root says of the agencies of a region. */
export function addDirectoryCommands(program: Command, output: Output): void {
  const directory = program.command('directory').description("the root's list of the agencies of a region");
  addMake(directory, output);
  addPublish(directory, output);
}

interface MakeOptions {
  readonly region: string;
  readonly directoryVersion: string;
  readonly days: string;
  readonly root: string;
  readonly rootKey: readonly string[];
  readonly out: string;
  readonly json?: true;
}

function addMake(directory: Command, output: Output): void {
  const command = directory
    .command('make <agencies...>')
    .description("list agencies' documents in signed pages")
    .requiredOption('--region <code>', 'ISO 3166-2')
    .requiredOption('--directory-version <n>', 'never falls')
    .option('--days <n>', 'days until it expires', '30')
    .requiredOption('--root <file>', 'root.json')
    .requiredOption('--root-key <dir>', 'folder with a root key; needed twice', collect)
    .requiredOption('--out <dir>', 'folder for the pages')
    .option('--json', 'print JSON')
    .action((files: string[], options: MakeOptions) => {
      const pages = makeDirectory({
        draft: {
          region: options.region,
          version: wholeNumber(options.directoryVersion, '--directory-version', 100_000_000),
          days: wholeNumber(options.days, '--days', 10_000),
          entries: directoryEntries(files.map((file) => readRequired(file, maxEnvelopeBytes))),
        },
        root: readRoot(options.root),
        rootKeys: options.rootKey.map((dir) => readSigningKey('root', dir)),
        nowMs: Date.now(),
      });
      ensurePrivateDir(options.out);
      const paths = pages.map((_, i) => join(options.out, `page-${i + 1}.json`));
      for (const [i, path] of paths.entries()) writeFileDurable(path, pages[i] ?? '');
      tell(output, options.json, { paths, agencies: files.length }, [
        `Wrote ${paths.length} pages with ${files.length} agencies to ${options.out}.`,
      ]);
    });
  addExample(
    command,
    'portal directory make agency.json --region US-CA --directory-version 1 --root root/root.json --root-key root/root-1 --root-key root/root-2 --out directory',
  );
}

function addPublish(directory: Command, output: Output): void {
  const command = withBroker(
    directory.command('publish <pages...>').description('put all pages of a directory on the broker'),
  ).action(async (files: string[], flags: Omit<BrokerFlags, 'agency'>) => {
    const pages = files.map((file) => readRequired(file, maxEnvelopeBytes));
    const published = await publishDirectory({
      broker: targetOf(flags),
      root: readRoot(flags.root),
      pages,
      nowMs: Date.now(),
    });
    tellPublished(output, flags.json, published);
  });
  addExample(
    command,
    'portal directory publish directory/page-1.json --root root/root.json --broker mqtts://127.0.0.1:8883 ' +
      '--ca-file broker/ca.pem --username agency --password-file broker/agency.password',
  );
}
