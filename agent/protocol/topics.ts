import { refusal } from './refuse.ts';

/** MQTT topics of the protocol: `latchkey/1/{region}/…`. What a topic says must equal what the payload says. */
export type Topic =
  | { readonly type: 'rq'; readonly region: string; readonly agency: string; readonly requestId: string }
  | { readonly type: 'rv' | 'oc' | 'nt'; readonly region: string; readonly agency: string; readonly seq: number }
  | { readonly type: 'ag'; readonly region: string; readonly agency: string }
  | { readonly type: 'dir'; readonly region: string; readonly page: number };

const region = '([A-Z]{2}-[A-Z0-9]{1,3})';
const agency = '([a-z0-9-]{3,40})';
const natural = '([1-9][0-9]{0,14})';
const topicPattern = new RegExp(
  `^latchkey/1/${region}/(?:rq/${agency}/([0-9a-f]{32})|(rv|oc|nt)/${agency}/${natural}|ag/${agency}|dir/${natural})$`,
);
const regionPattern = new RegExp(`^${region}$`);

export function topicOf(topic: Topic): string {
  const text = `latchkey/1/${topic.region}/${tailOf(topic)}`;
  if (!topicPattern.test(text)) throw malformed();
  return text;
}

function tailOf(topic: Topic): string {
  if (topic.type === 'rq') return `rq/${topic.agency}/${topic.requestId}`;
  if (topic.type === 'ag') return `ag/${topic.agency}`;
  if (topic.type === 'dir') return `dir/${topic.page}`;
  return `${topic.type}/${topic.agency}/${topic.seq}`;
}

/** Reads a topic; throws `topic/malformed` for anything that `topicOf` would not write. */
export function parseTopic(text: string): Topic {
  const match = text.length <= 200 ? topicPattern.exec(text) : null;
  if (match === null) throw malformed();
  const [, inRegion = '', rqAgency, requestId, sequenced, seqAgency, seq, agAgency, page] = match;
  if (rqAgency !== undefined && requestId !== undefined) {
    return { type: 'rq', region: inRegion, agency: rqAgency, requestId };
  }
  if (seqAgency !== undefined) {
    return { type: sequenced as 'rv' | 'oc' | 'nt', region: inRegion, agency: seqAgency, seq: Number(seq) };
  }
  if (agAgency !== undefined) return { type: 'ag', region: inRegion, agency: agAgency };
  return { type: 'dir', region: inRegion, page: Number(page) };
}

/**
 * Whether `text` is where a document belongs, in one of `regions`: a copy under a foreign topic would outlive the one that
 * its publisher can replace.
 */
export function isTopicIn(text: string, regions: readonly string[], belongs: (region: string) => Topic): boolean {
  return regions.some((each) => topicOf(belongs(each)) === text);
}

/** The only subscription of a device: everything for its region, so that no filter tells what concerns it. */
export function regionFilter(inRegion: string): string {
  if (!regionPattern.test(inRegion)) throw malformed();
  return `latchkey/1/${inRegion}/#`;
}

function malformed(): Error {
  return refusal('topic/malformed', 'Cannot use the topic: it is not one of the protocol');
}
