/** `latchkey requests approve`: choose clips, see exactly what would be sent, and sign for it with the passphrase. */
import { AgentError } from '../base/errors.ts';
import type { ClipSummary, RequestDetail, Selection } from '../owner/service.ts';
import { findId } from './clip-ids.ts';
import { type ConfigOption, openConfig } from './discovery.ts';
import { type CliIo, columnsOf, note, say, sayJson } from './io.ts';
import { type OwnerClient, withOwner } from './owner-client.ts';
import { obtainPassphrase, type PassphraseOption } from './passphrase-entry.ts';
import { Prompter } from './prompter.ts';
import { type RedactOption, withRedaction } from './redact-options.ts';
import { banner, clipText, previewRows, requestRows, wholeSelection } from './request-text.ts';
import { clean, labelled, localTime } from './terminal-text.ts';

export interface ApproveOption extends ConfigOption, PassphraseOption, RedactOption {
  readonly clip?: readonly string[];
  readonly yes?: boolean;
  readonly sound?: boolean;
  readonly oneDevice?: boolean;
  readonly json?: boolean;
}

function time(text: string): number {
  const wallMs = /^\d{12,14}$/.test(text) ? Number(text) : Date.parse(text);
  if (Number.isNaN(wallMs)) {
    const message = 'Cannot read the time: expected 2026-03-01T14:05:00Z or Unix milliseconds';
    throw new AgentError('usage', 'requests/bad-time', message);
  }
  return wallMs;
}

/** `ID` is the whole clip, `ID,FROM,TO` a part of it. */
export function parseSelection(text: string, clips: readonly ClipSummary[], request: RequestDetail): Selection {
  const [given = '', from, to, ...more] = text.split(',');
  const clipId = findId(given, clips.map((each) => each.clipId)); // biome-ignore format: one question
  const clip = clips.find((candidate) => candidate.clipId === clipId);
  if (clip === undefined) {
    const message = 'Cannot choose the clip: the window of this request meets no clip of that id';
    throw new AgentError('usage', 'requests/no-such-clip', message);
  }
  const whole = wholeSelection(clip, request);
  if (from === undefined) return whole;
  const selection = { clipId: clip.clipId, fromMs: time(from), toMs: time(to ?? '') };
  const inside = selection.fromMs >= whole.fromMs && selection.toMs <= whole.toMs && selection.fromMs < selection.toMs;
  if (!inside || more.length > 0) {
    const range = `${localTime(whole.fromMs)} to ${localTime(whole.toMs)}`;
    throw new AgentError('usage', 'requests/outside-clip', `Cannot choose that part: the clip offers ${range}`);
  }
  return selection;
}

async function chooseClips(
  option: ApproveOption,
  clips: readonly ClipSummary[],
  request: RequestDetail,
  io: CliIo,
  prompter: Prompter,
): Promise<Selection[]> {
  if (option.clip !== undefined) return option.clip.map((text) => parseSelection(text, clips, request));
  clips.forEach((clip, i) => note(io, `  ${i + 1}  ${clipText(clip)}`));
  return prompter.askUntil('Which clips, by number (nothing is chosen for you)', '', (answer) => {
    const numbers = answer.split(/[\s,]+/).filter((part) => part !== '');
    const chosen = numbers.map((part) => clips[Number(part) - 1]);
    if (chosen.length === 0 || chosen.includes(undefined)) {
      throw new AgentError('usage', 'requests/nothing-chosen', `Cannot go on: give numbers from 1 to ${clips.length}`);
    }
    return [...new Set(chosen)].flatMap((clip) => (clip === undefined ? [] : [wholeSelection(clip, request)]));
  });
}

/** The passphrase is asked for once: it unlocks deciding where that is needed and signs. */
async function approveWith(
  owner: OwnerClient,
  requestId: string,
  option: ApproveOption,
  io: CliIo,
  prompter: Prompter,
): Promise<void> {
  const passphrase = await obtainPassphrase(option, io, prompter);
  if ((await owner.call('health')).lock !== 'deciding') await owner.call('unlockDeciding', { passphrase });
  const { request, clips } = await owner.call('review', { requestId });
  if (clips.length === 0) {
    throw new AgentError('refused', 'requests/no-clips', 'Cannot approve: no clip meets the window of this request');
  }
  note(io, banner);
  for (const line of labelled(requestRows(request), columnsOf(io.stderr))) note(io, line);
  const selection = withRedaction(await chooseClips(option, clips, request, io, prompter), option, time);
  const redacting = selection.filter(({ redact }) => redact !== undefined).length;
  if (redacting > 0) note(io, `Filling ${redacting} of ${selection.length} clips; this takes a while …`);
  const preview = await owner.call('preview', {
    requestId,
    selection,
    sound: option.sound === true,
    discloseLineage: option.oneDevice === true,
  });
  note(io, 'Exactly this would be sent:');
  for (const line of labelled(previewRows(preview), columnsOf(io.stderr))) note(io, line);
  if (option.yes !== true && !(await prompter.confirm('Approve this share?'))) {
    throw new AgentError('refused', 'requests/not-confirmed', 'Nothing was shared: the share was not confirmed');
  }
  const share = await owner.call('approve', { requestId, previewId: preview.previewId, passphrase });
  if (option.json === true) return sayJson(io, share);
  say(io, `Approved. Nothing is readable by anybody before ${localTime(share.releaseNotBeforeMs)};`);
  if (share.waitsFor !== undefined) {
    say(
      io,
      `and not before ${clean(share.waitsFor)} has confirmed it: "latchkey requests confirm ${requestId} --as …".`,
    );
  }
  say(io, `until then "latchkey requests withdraw ${requestId}" takes it back.`);
}

export async function approve(requestId: string, option: ApproveOption, io: CliIo): Promise<void> {
  const config = openConfig(option, io);
  using prompter = new Prompter(io);
  await withOwner(config, (owner) => approveWith(owner, requestId, option, io, prompter));
}
