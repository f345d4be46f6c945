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
console.log(`opened ${vault.pid}`);
const choice = redactionChoice.parse({ fill: 'people' });
const made = await vault.redactClip({ clipId: job.clipId, span: job.span, choice });
console.log('redacted');
const selection = [{ clipId: job.clipId, ...job.span, redactionId: made.redactionId }];
const { previewId } = await vault.preview({
  request,
  agency,
  floorS: 0,
  selection,
  discloseLineage: false,
  sound: false,
});
console.log('previewed');
const { passphrase } = job;
await vault.approve({ previewId, passphrase, agency, floorS: 0, releaseNotBeforeMs: Date.now() + 1000 });
console.log('approved');
