import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { AgentError, asAgentError } from '../base/errors.ts';
import { readFileLimited } from '../base/files.ts';
import type { Log } from '../base/log.ts';
import { fromHex } from '../protocol/bytes.ts';
import { checkDispatch } from '../protocol/dispatch.ts';
import type { DispatchDocument } from '../protocol/documents.ts';
import { maxEnvelopeBytes } from '../protocol/envelope.ts';
import { CheckedFile } from './checked-file.ts';
import { readShareStatus, type ShareStatus, writeShareStatus } from './share-status.ts';
import { TusClient, type UploadOptions } from './tus-client.ts';
import { type RetryPace, uploadFile } from './upload.ts';

/**
 * One share from its dispatch to its end: dispatch verified and body hashed before anything is connected, body, then the
 * header once the owner has released it. Every step stands in the status file before the next one is taken.
 */
export interface ShareContext {
  readonly dataDir: string;
  readonly shareId: string;
  readonly uploads: UploadOptions;
  readonly retry: RetryPace;
  readonly pollMs: number;
  readonly clock: Clock;
  readonly log: Log;
  /** The program stops: leave everything as it is. */
  readonly signal: AbortSignal;
  /** The owner has withdrawn the share: take back what can be taken back. */
  readonly withdrawn: AbortSignal;
}

/** How long the files of a folder that just appeared may be incomplete. */
const graceMs = 5000;
const terminateTries = 3;

export async function sendShare(context: ShareContext): Promise<void> {
  const worker = new ShareWorker(context);
  try {
    await worker.send();
  } catch (thrown) {
    if (context.signal.aborted) return;
    if (context.withdrawn.aborted) return worker.terminate();
    worker.fail(asAgentError(thrown));
  }
}

class ShareWorker {
  readonly #context: ShareContext;
  readonly #dir: string;
  readonly #stop: AbortSignal;
  #status: ShareStatus;
  #endpoint: string | undefined;

  constructor(context: ShareContext) {
    this.#context = context;
    this.#dir = join(context.dataDir, 'spool', 'outbox', context.shareId);
    this.#stop = AbortSignal.any([context.signal, context.withdrawn]);
    const { code: _code, ...status } = readShareStatus(context.dataDir, context.shareId) ?? {
      state: 'uploading',
      offsetBytes: 0,
    };
    this.#status = status;
  }

  async send(): Promise<void> {
    const { clock, log, shareId } = this.#context;
    const dispatch = await this.#awaitDispatch();
    this.#endpoint = dispatch.endpoint;
    await this.#awaitBody();
    using client = new TusClient(dispatch.endpoint, this.#context.uploads);
    if (this.#status.state === 'uploading') {
      await using body = await CheckedFile.open(join(this.#dir, 'body.age'), dispatch.body);
      while (clock.wallMs() < dispatch.release_not_before * 1000) await this.#pause();
      const { bodyUrl, offsetBytes } = this.#status;
      await this.#upload(
        client,
        body,
        dispatch,
        'body',
        bodyUrl === undefined ? undefined : { url: bodyUrl, offsetBytes },
      );
      this.#write({ state: 'body-done', offsetBytes: dispatch.body.bytes });
      log.info('share body sent', { share: shareId.slice(0, 8), bytes: dispatch.body.bytes });
    }
    await this.#awaitHeader(dispatch);
    await using header = await CheckedFile.open(join(this.#dir, 'header.age'), dispatch.header);
    const { headerUrl, offsetBytes } = this.#status;
    const resume = headerUrl === undefined ? undefined : { url: headerUrl, offsetBytes };
    await this.#upload(client, header, dispatch, 'header', resume);
    this.#write({ state: 'done', offsetBytes: dispatch.header.bytes });
    log.info('share sent', { share: shareId.slice(0, 8) });
  }

  /** Best effort: a server may refuse, and the share is unreadable without its header anyway. */
  async terminate(): Promise<void> {
    const { shareId, log, signal, clock, uploads } = this.#context;
    const urls = [this.#status.headerUrl, this.#status.bodyUrl].filter((url) => url !== undefined);
    try {
      if (urls.length > 0) {
        this.#endpoint ??= this.#readDispatch()?.endpoint;
        if (this.#endpoint !== undefined) {
          using client = new TusClient(this.#endpoint, uploads);
          for (const url of urls) if (client.owns(url)) await this.#terminateOne(client, url);
        }
      }
    } catch (thrown) {
      log.error('share termination failed', thrown, { share: shareId.slice(0, 8) });
    }
    if (signal.aborted) return;
    this.#write({ state: 'terminated', offsetBytes: this.#status.offsetBytes });
    log.info('share terminated', { share: shareId.slice(0, 8), durationMs: clock.monotonicMs() });
  }

  fail(error: AgentError): void {
    this.#write({ state: 'failed', code: error.code, offsetBytes: this.#status.offsetBytes });
    this.#context.log.error('share failed', error, { share: this.#context.shareId.slice(0, 8) });
  }

  async #terminateOne(client: TusClient, url: string): Promise<void> {
    const { signal, clock, retry } = this.#context;
    for (let left = terminateTries; left > 0; left--) {
      try {
        return await client.terminate(url, signal);
      } catch (thrown) {
        if (left === 1 || !asAgentError(thrown).retryable) throw thrown;
        await clock.sleep(retry.firstMs, signal);
      }
    }
  }

  async #upload(
    client: TusClient,
    file: CheckedFile,
    dispatch: DispatchDocument,
    part: 'body' | 'header',
    resume: { url: string; offsetBytes: number } | undefined,
  ): Promise<void> {
    const { retry, clock, log } = this.#context;
    const { share_id, request_id } = dispatch;
    const state = part === 'body' ? 'uploading' : 'body-done';
    await uploadFile({
      client,
      file,
      metadata: { share_id, part, request_id },
      resume,
      onProgress: (url, offsetBytes) =>
        this.#write({ state, offsetBytes, ...(part === 'body' ? { bodyUrl: url } : { headerUrl: url }) }),
      deadlineMs: dispatch.deadline * 1000,
      retry,
      signal: this.#stop,
      clock,
      log,
    });
  }

  /** Waits for what is not there yet; after the grace time the status says so, and waiting goes on. */
  async #awaitDispatch(): Promise<DispatchDocument> {
    const sinceMs = this.#context.clock.monotonicMs();
    let said = false;
    for (;;) {
      const dispatch = this.#readDispatch();
      if (dispatch !== undefined) return dispatch;
      if (!said && this.#context.clock.monotonicMs() - sinceMs >= graceMs) {
        this.fail(new AgentError('refused', 'courier/no-dispatch', 'Cannot send the share: nothing permits it'));
        said = true;
      }
      await this.#pause();
    }
  }

  async #awaitBody(): Promise<void> {
    const sinceMs = this.#context.clock.monotonicMs();
    while (!existsSync(join(this.#dir, 'body.age')) && this.#context.clock.monotonicMs() - sinceMs < graceMs) {
      await this.#pause();
    }
    // A share that was refused for want of a dispatch begins anew once there is one.
    if (this.#status.state === 'failed') this.#status = { ...this.#status, state: 'uploading' };
  }

  async #awaitHeader(dispatch: DispatchDocument): Promise<void> {
    while (!existsSync(join(this.#dir, 'header.age'))) {
      if (this.#context.clock.wallMs() >= dispatch.deadline * 1000) {
        throw new AgentError('refused', 'upload/deadline', 'Cannot upload: the time to send this share is over');
      }
      await this.#pause();
    }
  }

  #readDispatch(): DispatchDocument | undefined {
    const bytes = readFileLimited(join(this.#dir, 'dispatch.json'), maxEnvelopeBytes);
    const keyText = readFileLimited(join(this.#context.dataDir, 'keys', 'owner-root.pub'), 1024)
      ?.toString('utf8')
      .trim();
    if (bytes === undefined || keyText === undefined || !/^[0-9a-f]{64}$/.test(keyText)) return undefined;
    const { document } = checkDispatch(bytes, fromHex(keyText));
    if (document.share_id !== this.#context.shareId) {
      throw new AgentError('refused', 'courier/other-share', 'Cannot send the share: its dispatch is for another one');
    }
    return document;
  }

  #pause(): Promise<void> {
    return this.#context.clock.sleep(this.#context.pollMs, this.#stop);
  }

  #write(change: Partial<ShareStatus> & Pick<ShareStatus, 'state' | 'offsetBytes'>): void {
    const { code: _code, ...kept } = this.#status;
    this.#status = { ...kept, ...change };
    writeShareStatus(this.#context.dataDir, this.#context.shareId, this.#status);
  }
}
