import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import { systemClock } from '../../agent/base/clock.ts';
import { silentLog } from '../../agent/base/log.ts';
import { type OutboxOptions, watchOutbox } from '../../agent/courier/outbox.ts';
import { readShareStatus, type ShareStatus } from '../../agent/courier/share-status.ts';
import { sha256Hex, toHex } from '../../agent/protocol/bytes.ts';
import { signEnvelope } from '../../agent/protocol/envelope.ts';
import { generateSigningKey } from '../../agent/protocol/keys.ts';
import { eventually } from '../eventually.ts';
import { type ScriptedAnswer, type ScriptedRequest, type ScriptedServer, startScriptedServer } from './http-script.ts';

/** A data directory with an outbox as the owner program leaves it, a courier's outbox watcher, and upload servers. */
export const ownerRoot = generateSigningKey();
export const shareId = 'ab'.repeat(16);
export const requestId = 'cd'.repeat(16);
export const nowS = (): number => Math.floor(Date.now() / 1000);
export let root: string;
export let dataDir: string;
let stop: AbortController;
export const open: (() => Promise<void>)[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'outbox-'));
  dataDir = join(root, 'data');
  mkdirSync(join(dataDir, 'keys'), { recursive: true });
  writeFileSync(join(dataDir, 'keys', 'owner-root.pub'), `${toHex(ownerRoot.publicKey)}\n`);
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  for (const close of open.splice(0).toReversed()) await close();
  rmSync(root, { recursive: true, force: true });
});

export function run(change: Partial<OutboxOptions> = {}): () => Promise<void> {
  const own = new AbortController();
  const done = watchOutbox({
    dataDir,
    uploads: { allowPrivateAddresses: true },
    signal: AbortSignal.any([own.signal, stop.signal]),
    clock: systemClock,
    log: silentLog,
    pollMs: 20,
    retry: { firstMs: 5, maxMs: 20 },
    ...change,
  });
  const end = (): Promise<void> => {
    own.abort();
    return done;
  };
  open.push(end);
  return end;
}

export interface Share {
  readonly body: Buffer;
  readonly header: Buffer;
  readonly dir: string;
  release(): void;
  withdraw(): void;
}

export interface ShareChange {
  readonly bodyBytes?: number;
  readonly deadline?: number;
  readonly releaseNotBefore?: number;
  readonly signer?: typeof ownerRoot;
  readonly shareId?: string;
  readonly files?: (dir: string) => void;
}

/** What the owner program leaves in the outbox, complete in one rename. */
export function putShare(endpoint: string, change: ShareChange = {}): Share {
  const body = randomBytes(change.bodyBytes ?? 50_000);
  const header = randomBytes(300);
  const dispatch = signEnvelope(
    'dispatch',
    {
      grant_hash: '0'.repeat(64),
      share_id: change.shareId ?? shareId,
      request_id: requestId,
      body: { bytes: body.length, sha256: sha256Hex(body) },
      header: { bytes: header.length, sha256: sha256Hex(header) },
      endpoint,
      release_not_before: change.releaseNotBefore ?? nowS() - 10,
      deadline: change.deadline ?? nowS() + 600,
    },
    [change.signer ?? ownerRoot],
  );
  const made = join(root, 'made');
  mkdirSync(made);
  writeFileSync(join(made, 'dispatch.json'), dispatch);
  writeFileSync(join(made, 'body.age'), body);
  change.files?.(made);
  const dir = join(dataDir, 'spool', 'outbox', shareId);
  mkdirSync(join(dataDir, 'spool', 'outbox'), { recursive: true });
  renameSync(made, dir);
  return {
    body,
    header,
    dir,
    release: () => {
      writeFileSync(join(root, 'header'), header);
      renameSync(join(root, 'header'), join(dir, 'header.age'));
    },
    withdraw: () => writeFileSync(join(dir, 'withdrawn'), ''),
  };
}

export const status = (): ShareStatus | undefined => readShareStatus(dataDir, shareId);
export const reaches = (state: ShareStatus['state'], code?: string): Promise<void> =>
  eventually(() => expect(status()).toMatchObject(code === undefined ? { state } : { state, code }));

export async function scripted(
  answer: (request: ScriptedRequest, index: number) => ScriptedAnswer,
): Promise<ScriptedServer> {
  const server = await startScriptedServer(answer);
  open.push(() => server.close());
  return server;
}

export const metadataOf = (request: ScriptedRequest): Record<string, string> =>
  Object.fromEntries(
    (request.headers['upload-metadata'] ?? '').split(',').map((pair) => {
      const [name = '', value = ''] = pair.split(' ');
      return [name, Buffer.from(value, 'base64').toString()];
    }),
  );

/** Keeps what it is given in memory, unless the script interferes. */
export function memoryServer(interfere: (request: ScriptedRequest, index: number) => ScriptedAnswer | undefined): {
  answer: (request: ScriptedRequest, index: number) => ScriptedAnswer;
  uploads: Map<string, Buffer>;
} {
  const uploads = new Map<string, Buffer>();
  return {
    uploads,
    answer: (request, index) => {
      const path = request.method === 'POST' ? `/files/${uploads.size + 1}` : request.path;
      if (request.method === 'POST') uploads.set(path, Buffer.alloc(0));
      const other = interfere(request, index);
      if (other !== undefined) return other;
      if (request.method === 'POST') return { status: 201, headers: { Location: path } };
      if (request.method === 'PATCH')
        uploads.set(path, Buffer.concat([uploads.get(path) ?? Buffer.alloc(0), request.body]));
      return {
        status: request.method === 'HEAD' ? 200 : 204,
        headers: { 'Upload-Offset': String(uploads.get(path)?.length) },
      };
    },
  };
}
