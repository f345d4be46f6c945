/** For tests that trace or kill it: opens a vault, redacts one clip, previews and approves, and says each. Arguments: a JSON file. */
import { readFileSync } from 'node:fs';
import { VaultClient } from '../agent/vault/client.ts';
import { redactionChoice } from '../agent/vault/redact/choice.ts';

const job = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as {
  dataDir: string;
  passphrase: string;
  clipId: string;
  span: { fromMs: number; toMs: number };
  requestHex: string;
  agencyHex: string;
};
const [request, agency] = [job.requestHex, job.agencyHex].map((hex) => new Uint8Array(Buffer.from(hex, 'hex')));
if (request === undefined || agency === undefined) throw new Error('no request');
await using vault = await VaultClient.start(job.dataDir);
await vault.openDeciding(job.passphrase);
process.stdout.write(`opened ${vault.pid}\n`);
const choice = redactionChoice.parse({ fill: 'people' });
const made = await vault.redactClip({ clipId: job.clipId, span: job.span, choice });
process.stdout.write('redacted\n');
const selection = [{ clipId: job.clipId, ...job.span, redactionId: made.redactionId }];
const { previewId } = await vault.preview({
  request,
  agency,
  floorS: 0,
  selection,
  discloseLineage: false,
  sound: false,
});
process.stdout.write('previewed\n');
const { passphrase } = job;
await vault.approve({ previewId, passphrase, agency, floorS: 0, releaseNotBeforeMs: Date.now() + 1000 });
process.stdout.write('approved\n');
