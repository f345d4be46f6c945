/**
 * The main job on an embedded recorded stream: a person comes to the door, a clip is locked away, a signed request arrives
 * through a local broker, the owner's prompt opens, and after approval the agency opens and verifies the share. Everything
 * is real and everything is on this machine, in a temporary folder that is removed at the end.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentError } from '../../agent/base/errors.ts';
import type { ClipSummary, RequestState } from '../../agent/owner/service.ts';
import type { AgencySide } from './agency-side.ts';
import { startAgencySide } from './agency-side.ts';
import { type HouseSide, startHouse } from './house-side.ts';

export interface DemoOptions {
  /** Approves by itself. */
  readonly yes: boolean;
  /** Keeps the temporary folder and says where it is. */
  readonly keep: boolean;
  readonly say: (line: string) => void;
  /** Opens the owner's terminal prompt and resolves when it was left. */
  readonly openPrompt: (configPath: string, reminder: string) => Promise<void>;
}

export interface DemoSummary {
  readonly personEvents: number;
  readonly clipSeconds: number;
  readonly requestState: RequestState;
  readonly shareBytes: number;
  readonly verified: boolean;
  readonly seconds: number;
}

const region = 'US-CA';
const place = { latE6: 37_774_900, lonE6: -122_419_400 };
const stream = join(import.meta.dirname, '../../test-fixtures/streams/porch-day.mp4');
/** The stream lasts 20 s; a clip that hasn't closed long after it never will. */
const clipWaitMs = 90_000;
const shareWaitMs = 60_000;

function within<T>(waitMs: number, what: string, wanted: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        new AgentError(
          'unavailable',
          'demo/timeout',
          `The demo waited ${waitMs / 1000} s for ${what}, and it did not come`,
        ),
      );
    }, waitMs);
  });
  return Promise.race([wanted, late]).finally(() => clearTimeout(timer));
}

async function recordVisit(house: HouseSide, say: (line: string) => void): Promise<number> {
  let personEvents = 0;
  let personSeen = false;
  let closed: () => void = () => {};
  const clip = new Promise<void>((resolve) => {
    closed = resolve;
  });
  await house.onRecorderEvent(({ event }) => {
    if (event === 'event-opened') say('    something moves at the door: an event opens');
    // A visitor who is lost from sight for a moment is still the same visit.
    if (event === 'person' && !personSeen) {
      personSeen = true;
      personEvents += 1;
      say('    a person is at the door');
    }
    if (event === 'event-closed') personSeen = false;
    if (event === 'clip-closed') {
      say('    the clip is closed and locked to the owner and to the paper key');
      closed();
    }
  });
  await within(clipWaitMs, 'a clip of the visitor', clip);
  return personEvents;
}

/** Reads the request as it reached the owner; it is matched to this house without any key. */
async function waitForRequest(house: HouseSide, requestId: string): Promise<void> {
  const look = async (): Promise<void> => {
    for (;;) {
      const list = await house.owner.call('listRequests');
      if (list.some((r) => r.requestId === requestId)) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  await within(30_000, 'the request to arrive', look());
}

async function approveAll(house: HouseSide, requestId: string, say: (line: string) => void): Promise<void> {
  await house.owner.call('unlockDeciding', { passphrase: house.passphrase });
  const { clips } = await house.owner.call('review', { requestId });
  const whole = (clip: ClipSummary) => ({ clipId: clip.clipId, fromMs: clip.startMs, toMs: clip.endMs });
  const preview = await house.owner.call('preview', { requestId, selection: clips.filter((c) => !c.cut).map(whole) });
  for (const medium of preview.media) {
    const seconds = ((medium.toMs - medium.fromMs) / 1000).toFixed(1);
    say(`    previewed ${medium.name}: ${seconds} s, ${medium.bytes} bytes, SHA-256 ${medium.sha256.slice(0, 16)}…`);
  }
  await house.owner.call('approve', { requestId, previewId: preview.previewId, passphrase: house.passphrase });
}

async function stateOf(house: HouseSide, requestId: string): Promise<RequestState> {
  return (await house.owner.call('showRequest', { requestId })).state;
}

async function waitForEnd(house: HouseSide, requestId: string): Promise<RequestState> {
  for (let tries = 0; ; tries += 1) {
    const state = await stateOf(house, requestId);
    const onTheWay = state === 'COOLING' || state === 'BODY_UP' || state === 'RELEASE';
    if (!onTheWay || tries > 100) return state;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function decide(options: DemoOptions, house: HouseSide, agency: AgencySide, requestId: string): Promise<void> {
  const { say } = options;
  if (options.yes) {
    say('5 · the owner looks at the exact bytes and approves (--yes)');
    await approveAll(house, requestId, say);
    return;
  }
  say('5 · the owner decides, here or on the web page; doing nothing is an answer too');
  say(`    web page    ${house.webUrl}  (account "owner", password ${house.webPassword})`);
  say(`    passphrase  ${house.passphrase}`);
  say(`    the request is from ${agency.agencyName}; in the prompt, Enter opens it`);
  await options.openPrompt(house.configPath, `In this demo it is: ${house.passphrase.replaceAll('-', ' ')}`);
}

async function play(options: DemoOptions, dir: string, startedMs: number): Promise<DemoSummary> {
  const { say } = options;
  say('1 · an agency makes its keys and starts a broker and an intake, all on this machine');
  await using agency = await startAgencySide(join(dir, 'agency'), region);
  say('2 · a house is set up: keys made here, recorder, courier and owner started');
  await using house = await startHouse({ dir: join(dir, 'house'), stream, region, place, broker: agency.broker });
  const { name, threshold, keys } = agency.root.file;
  await house.owner.call('addRoot', { passphrase: house.passphrase, root: { name, threshold, keysHex: keys } });
  say(`    the owner pinned the root ${agency.rootFingerprint.slice(0, 19)}… after comparing it`);
  say('3 · the camera looks at the porch (20 s, in real time)');
  const windowFrom = Math.floor(Date.now() / 1000) - 1800;
  const personEvents = await recordVisit(house, say);
  await enableWhenKnown(house, agency.agencyId);
  say('4 · officer and approver sign a request for the last half hour; it arrives through the broker');
  const now = Math.floor(Date.now() / 1000);
  const { requestId } = await agency.ask({ place, window: { from: windowFrom, to: now } });
  await waitForRequest(house, requestId);
  await decide(options, house, agency, requestId);

  let state = await stateOf(house, requestId);
  const said = state;
  if (state !== 'COOLING' && state !== 'BODY_UP' && state !== 'RELEASE' && state !== 'SHARED') {
    say(`    nothing left the house: the request is ${said}`);
    return summary({ personEvents, state, startedMs });
  }
  const received = await within(shareWaitMs, 'the share to arrive', agency.share);
  state = await waitForEnd(house, requestId);
  say('6 · the agency opens the share with its key and verifies it');
  const opened = agency.open(received, join(dir, 'opened'));
  for (const line of opened.verdict.plainWords) say(`    ${line}`);
  const { request, clips } = { request: await house.owner.call('showRequest', { requestId }), clips: opened.verdict };
  const { claimed } = clips.time;
  return summary({
    personEvents,
    state,
    startedMs,
    clipSeconds: claimed.to - claimed.from,
    shareBytes: request.share?.bytes ?? 0,
    verified: clips.problems.length === 0 && clips.media.every((m) => m.unaltered === 'unaltered'),
  });
}

function summary(s: {
  personEvents: number;
  state: RequestState;
  startedMs: number;
  clipSeconds?: number;
  shareBytes?: number;
  verified?: boolean;
}): DemoSummary {
  return {
    personEvents: s.personEvents,
    clipSeconds: s.clipSeconds ?? 0,
    requestState: s.state,
    shareBytes: s.shareBytes ?? 0,
    verified: s.verified ?? false,
    seconds: Math.round((performance.now() - s.startedMs) / 100) / 10,
  };
}

/** The agency's document comes through the broker too; only the owner enables it. */
async function enableWhenKnown(house: HouseSide, agency: string): Promise<void> {
  const look = async (): Promise<void> => {
    while (!(await house.owner.call('listAgencies')).some((a) => a.agency === agency)) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  await within(30_000, "the agency's document", look());
  await house.owner.call('setAgencyEnabled', { agency, enabled: true });
}

export async function runDemo(options: DemoOptions): Promise<DemoSummary> {
  const startedMs = performance.now();
  // A short path: a Unix socket's name has room for about a hundred bytes.
  const dir = mkdtempSync(join(tmpdir(), 'lkdemo-'));
  const remove = (): void => rmSync(dir, { recursive: true, force: true });
  const onExit = (): void => {
    if (!options.keep) remove();
  };
  process.once('exit', onExit);
  try {
    return await play(options, dir, startedMs);
  } finally {
    process.removeListener('exit', onExit);
    if (options.keep) options.say(`kept: ${dir}`);
    else remove();
  }
}
