/** The owner program: joins inbox, consent, release, vault, web page and control socket, and runs their timers. */
import { watch } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { type ClockTrust, clockTrust } from '../base/clock-trust.ts';
import { ControlClient, ControlServer } from '../base/control.ts';
import { asAgentError } from '../base/errors.ts';
import { removeDurable, removeTemporaries } from '../base/files.ts';
import type { Log } from '../base/log.ts';
import type { Config } from '../config/schema.ts';
import { tightenLimits } from '../protocol/limits.ts';
import { LedgerDb } from '../store/ledger-db.ts';
import { accountMethods } from './account-door.ts';
import { Aftermath } from './aftermath.ts';
import { AgencyBook } from './agency-book.ts';
import { AccountDesk } from './api/account-desk.ts';
import { isOwner } from './api/accounts.ts';
import { Logins } from './api/logins.ts';
import { startApi } from './api/server.ts';
import type { Change } from './api/types.ts';
import { Consent } from './consent.ts';
import { DayHolds } from './day-holds.ts';
import { Decisions } from './decisions.ts';
import { Digest } from './digest.ts';
import { ownerMethods } from './door.ts';
import { House } from './house.ts';
import { Intake } from './intake.ts';
import { Release } from './release.ts';
import { SafeguardKeeper } from './safeguards.ts';
import type { Health, SafeguardSummary } from './service.ts';
import { VaultHost } from './vault-host.ts';

const tickMs = 500;
const forgetMs = 3600 * 1000;

export interface OwnerOptions {
  readonly config: Config;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
  /** Every verdict on a message by its code; tests listen. */
  readonly onVerdict?: (code: string) => void;
  /** How far the clock is believed; by default what the system says and the configuration allows. */
  readonly trust?: () => ClockTrust;
}

async function ask(dataDir: string, socket: string, method: string, params: unknown): Promise<unknown> {
  using client = await ControlClient.connect(join(dataDir, 'run', socket));
  return await client.call(method, params);
}

/** The clock, never below what has been seen: a rolled-back clock revives nothing. */
function flooredNow(clock: Clock, db: LedgerDb): () => number {
  return () => Math.max(clock.wallMs(), db.clockFloorS * 1000);
}

function describeSafeguards({ inForce, coming }: SafeguardKeeper): SafeguardSummary {
  if (coming === undefined) return inForce;
  const { leftMs, ...wanted } = coming;
  return { ...inForce, coming: { ...wanted, inMs: Math.ceil(leftMs) } };
}

async function readHealth(
  config: Config,
  clock: ClockTrust,
): Promise<Omit<Health, 'lock' | 'pendingCount' | 'safeguards'>> {
  const cameras = await Promise.all(
    config.cameras.map(async ({ id, name }) => {
      try {
        const status = (await ask(config.dataDir, `recorder-${id}.sock`, 'status', {})) as { state?: unknown };
        return { cameraId: id, name, state: typeof status.state === 'string' ? status.state : 'unknown' };
      } catch {
        return { cameraId: id, name, state: 'not-running' };
      }
    }),
  );
  let broker: Health['broker'] = config.broker === null ? 'not-configured' : 'unavailable';
  if (config.broker !== null) {
    try {
      const status = (await ask(config.dataDir, 'courier.sock', 'status', {})) as { broker?: unknown };
      if (status.broker === 'connected') broker = 'connected';
    } catch {
      broker = 'unavailable';
    }
  }
  return { cameras, broker, clock };
}

export async function runOwner(options: OwnerOptions): Promise<void> {
  const { config, clock, log, signal } = options;
  const { dataDir } = config;
  const limits = tightenLimits(config.limits);
  // Of this program and of the vaults that it starts.
  for (const room of ['.', 'viewing', 'tls']) removeTemporaries(join(dataDir, 'owner', room));
  removeTemporaries(join(dataDir, 'spool', 'notices'), 'digest.json');
  // Sealed for a person and never taken away.
  removeDurable(join(dataDir, 'owner', 'own'));
  const house = new House(dataDir);
  const db = new LedgerDb(join(dataDir, 'ledger.db'));
  const nowMs = flooredNow(clock, db);
  const trust = options.trust ?? (() => clockTrust(config.clock));
  const clockTrusted = (): boolean => trust() !== 'unsynchronised';
  const listeners = new Set<(change: Change) => void>();
  let control: ControlServer | undefined;
  const announce = (change: Change): void => {
    for (const listener of listeners) listener(change);
    control?.publish('change', { ...change });
  };

  const decisions = new Decisions(house.ownerRecipient);
  const vaults = new VaultHost({
    dataDir,
    clock,
    log,
    onUnlocked: (vault) => consent.restoreDecisions(vault),
    onLocking: (actions, lostCount) => consent.endSession(actions, lostCount),
    onLockState: (lock) => {
      announce({ kind: 'lock', lock });
    },
  });
  const askAgain = (): void => {
    ask(dataDir, 'courier.sock', 'forgetSeen', {}).catch((thrown: unknown) => {
      log.warn('messages-not-asked-for-again', { code: asAgentError(thrown).code });
    });
  };
  const safeguards = new SafeguardKeeper({
    db,
    configured: { coolingOffMs: config.coolingOffMs, secondApprover: config.secondApprover },
    monotonicMs: () => clock.monotonicMs(),
  });
  const intake = new Intake({
    dataDir,
    db,
    house,
    regions: config.regions,
    limits,
    log,
    nowMs,
    wallMs: () => clock.wallMs(),
    clockTrusted,
    onPending: () => holds.soon(),
    onRevoked: (requestHash) => consent.revoke(requestHash),
    ...(options.onVerdict === undefined ? {} : { onVerdict: options.onVerdict }),
  });
  const agencies = new AgencyBook({ db, intake, regions: config.regions, nowMs, onHeardAgain: askAgain });
  const consent: Consent = new Consent({
    config,
    db,
    house,
    intake,
    agencies,
    canConfirm: (name) => isOwner(dataDir, name),
    safeguards: () => describeSafeguards(safeguards),
    decisions,
    askRecorder: (camera, method, params) => ask(dataDir, `recorder-${camera}.sock`, method, params),
    vaults,
    clock,
    nowMs,
    clockTrusted,
    health: () => readHealth(config, trust()),
    onChange: (requestId, state) => announce({ kind: 'request', requestId, state }),
    discardUnknown: () => release.discardUnknown(),
    onRootPinned: askAgain,
  });
  const release: Release = new Release({
    dataDir,
    db,
    log,
    nowMs,
    monotonicMs: () => clock.monotonicMs(),
    clockTrusted,
    keepDemands: (shareId, held) => aftermath.keepDemands(shareId, held),
    onChange: (requestHash, state) => {
      const row = db.requests().find((r) => r.request_hash === requestHash);
      if (row !== undefined) announce({ kind: 'request', requestId: row.request_id, state });
    },
  });

  const aftermath = new Aftermath({ dataDir, db, log, nowMs, clockTrusted });
  const digest = new Digest(dataDir, db);
  const holds = new DayHolds({
    db,
    cameras: config.cameras.map(({ id }) => id),
    monotonicMs: () => clock.monotonicMs(),
    hold: (camera, params) => ask(dataDir, `recorder-${camera}.sock`, 'hold', params),
    onFailure: (camera, thrown) => log.warn('hold-not-placed', { camera, code: asAgentError(thrown).code }),
  });

  const logins = new Logins({ dataDir, clock });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => db.close());
  stack.defer(() => vaults.lock());
  const desk = new AccountDesk({
    dataDir,
    logins,
    secondApprover: () => safeguards.inForce.secondApprover,
    note: (action) => vaults.note(action),
  });
  const methods = { ...ownerMethods(consent, logins), ...accountMethods(desk) };
  control = stack.use(await ControlServer.listen(join(dataDir, 'run', 'owner.sock'), methods));
  const api = await startApi({
    service: consent,
    logins,
    dataDir,
    host: config.web.host,
    port: config.web.port,
    names: config.web.names,
    clock,
    log,
    signal,
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  });
  stack.defer(() => api.close());
  log.info('owner-ready', { port: Number(new URL(api.url).port) });

  let known = new Set(db.requests().map((r) => r.request_id));
  let trusted = clockTrusted();
  let forgottenMs = clock.monotonicMs();
  let left = 0;
  const tasks: readonly (() => void | Promise<void>)[] = [
    () => vaults.lockIfIdle(),
    () => {
      left = intake.takeInbox();
    },
    () => {
      const before = trusted;
      trusted = clockTrusted();
      if (before || !trusted) return;
      intake.retryAll();
    },
    // What is over is cleared away before the ledger forgets it.
    () => release.tick(),
    () => aftermath.tick(),
    () => safeguards.tick(),
    () => holds.tick(),
    () => {
      if (clockTrusted()) digest.tick(clock.wallMs());
    },
    () => consent.expireDue(),
    () => {
      const rows = db.requests();
      for (const row of rows) {
        if (!known.has(row.request_id)) announce({ kind: 'request', requestId: row.request_id, state: row.state });
      }
      known = new Set(rows.map((r) => r.request_id));
    },
    () => {
      if (clock.monotonicMs() - forgottenMs <= forgetMs) return;
      forgottenMs = clock.monotonicMs();
      db.forget(Math.floor(nowMs() / 1000));
      db.raiseClockFloor(Math.floor(clockTrusted() ? clock.wallMs() / 1000 : 0));
    },
  ];
  // Each by itself: a full disk under the inbox must not keep the vault open, or a share from being taken back.
  const tick = async (): Promise<void> => {
    left = 0;
    for (const task of tasks) {
      try {
        await task();
      } catch (thrown) {
        log.error('tick-failed', thrown);
      }
    }
  };
  // The watch only shortens the wait; the timer is what is relied on.
  let wake: (() => void) | undefined;
  const watcher = watch(join(dataDir, 'spool', 'inbox'), () => wake?.());
  stack.defer(() => watcher.close());
  while (!signal.aborted) {
    await tick();
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, left > 0 ? 0 : tickMs);
      wake = done;
      signal.addEventListener('abort', done, { once: true });
    });
  }
}
