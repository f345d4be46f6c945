/** A request, its clips and its preview as lines of text: the same words in `requests` and in the full-screen prompt. */
import type {
  ClipSummary,
  Preview,
  RequestDetail,
  RequestState,
  RequestSummary,
  Selection,
  ShareSummary,
} from '../owner/service.ts';
import { byteSize, clean, localTime, seconds } from './terminal-text.ts';

/** Stands above every request and can't be changed by an agency. */
export const banner = 'This is voluntary. You may say no, or nothing at all. This is not a warrant.';

const stateText: Readonly<Record<RequestState, string>> = {
  PENDING: 'waiting for you, or for nothing',
  DECLINED: 'declined',
  REVIEWING: 'being reviewed',
  SEALING: 'being sealed',
  COOLING: 'approved, cooling off: can be withdrawn',
  BODY_UP: 'approved, being sent without its key: can be withdrawn',
  RELEASE: 'being released',
  SHARED: 'shared',
  WITHDRAWN: 'withdrawn',
  REVOKED: 'withdrawn by the agency',
  EXPIRED: 'expired',
  FAILED: 'failed: nothing was shared',
};

const warningText: Readonly<Record<string, string>> = {
  'assembly-wording': 'Its wording suggests a protest or other lawful assembly.',
  'recipient-changed': "The agency's encryption key changed recently.",
};

export function describeState(state: RequestState): string {
  return stateText[state] ?? clean(state);
}

export function describeWarning(code: string): string {
  return warningText[code] ?? clean(code);
}

function degrees(e6: number): string {
  return (e6 / 1e6).toFixed(4);
}

function areaText(area: RequestDetail['area']): string {
  if (area.kind === 'circle') return `${area.radiusM} m around ${degrees(area.latE6)}, ${degrees(area.lonE6)}`;
  return `polygon of ${area.pointsE6.length} corners: ${area.pointsE6.map(([lat, lon]) => `${degrees(lat)}, ${degrees(lon)}`).join('; ')}`;
}

/** Label and value; agency text is cleaned here and nowhere else. */
export function requestRows(request: RequestDetail): [string, string][] {
  const { contact, terms } = request;
  return [
    ['Agency', clean(request.agencyName)],
    ['Case', `${clean(request.caseNumber)} (${clean(request.incident)})`],
    ['They say', clean(request.statement)],
    ['Authority', clean(request.legalAuthority)],
    ['Contact', `${clean(contact.name)}, badge ${clean(contact.badge)}, ${clean(contact.phone)}`],
    ['Window', `${localTime(request.windowFromMs)} to ${localTime(request.windowToMs)}`],
    ['Area', areaText(request.area)],
    [
      'Terms',
      `delete within ${terms.deleteByDays} days; no biometrics; passed on: ${terms.thirdParty === 'none' ? 'to nobody' : 'to a court only'}; outcome within ${terms.outcomeDueDays} days`,
    ],
    ['Sound', request.asksForSound ? 'asked for; it goes along only if you keep it' : 'not asked for, and not sent'],
    [
      'Signed by',
      `officer ${clean(request.signers.officerKeyId)} and approver ${clean(request.signers.approverKeyId)}`,
    ],
    ['Expires', localTime(request.expiresAtMs)],
    ...request.related.map((id): [string, string] => ['See also', `${clean(id)}: same case, overlapping area`]),
    ...(request.share === undefined ? [] : shareRows(request.share)),
    ['State', describeState(request.state)],
    ...request.warnings.map((code): [string, string] => ['Note', describeWarning(code)]),
  ];
}

const outcomeText = {
  due: 'not due yet',
  overdue: 'OVERDUE',
  open: 'reported: still open',
  closed: 'reported: closed',
};
const deletionText = {
  due: 'not due yet',
  demanded: 'demanded',
  overdue: 'OVERDUE',
  confirmed: 'the agency says that it was deleted',
};

function shareRows({ waitsFor, after }: ShareSummary): [string, string][] {
  const rows: [string, string][] = [];
  if (waitsFor !== undefined) rows.push(['Waits for', `${clean(waitsFor)}, who must confirm it`]);
  if (after === undefined) return rows;
  return [
    ...rows,
    ['Shared', localTime(after.sharedAtMs)],
    ['Outcome', `${outcomeText[after.outcome]}; by ${localTime(after.outcomeDueMs)}`],
    ['Deletion', `${deletionText[after.deletion]}; by ${localTime(after.deleteDueMs)}`],
  ];
}

export function summaryRow(request: RequestSummary): string[] {
  return [
    clean(request.requestId),
    request.state,
    clean(request.agencyName, 40),
    clean(request.caseNumber, 40),
    localTime(request.windowFromMs),
  ];
}

/** All of a clip that the request's window covers: no more can be asked for or given. */
export function wholeSelection(clip: ClipSummary, request: RequestSummary): Selection {
  return {
    clipId: clip.clipId,
    fromMs: Math.max(clip.startMs, request.windowFromMs),
    toMs: Math.min(clip.endMs, request.windowToMs),
  };
}

export function clipText(clip: ClipSummary): string {
  const labels = clip.labels.map((label) => clean(label)).join(', ');
  const cut = clip.cut ? ', cut by a power loss: cannot be proved unaltered' : '';
  return `${localTime(clip.startMs)}  ${seconds(clip.endMs - clip.startMs)}  ${clean(clip.cameraName)}  ${labels}${cut}`;
}

export function previewRows(preview: Preview): [string, string][] {
  return [
    ...preview.media.map((media): [string, string] => [
      'File',
      `${clean(media.name)}  ${byteSize(media.bytes)}  ${localTime(media.fromMs)}, ${seconds(media.toMs - media.fromMs)}, ${media.kind}`,
    ]),
    ['Share', `${byteSize(preview.shareBytes)}, encrypted, padded`],
    ...(preview.lineageDisclosed
      ? [['Discloses', 'that your clips of this month come from one device'] satisfies [string, string]]
      : []),
    ['To', clean(preview.agencyName)],
    ['Their key', clean(preview.recipientKeyId)],
    ['Sent to', clean(preview.endpoint)],
    ['Not before', localTime(preview.releaseNotBeforeMs)],
    ['At the latest', localTime(preview.latestArrivalMs)],
  ];
}
