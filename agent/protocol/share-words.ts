import type { ShareProblem, ShareVerdict } from './share-verdict.ts';

/** The verdicts of a share in sentences for an officer or a court: what is proved, what is claimed, what can't be known. */
const problemWords: Readonly<Record<ShareProblem, string>> = {
  'request-differs': 'NOT PROVED: the share does not answer this request.',
  'request-signature': 'NOT PROVED: the request inside is not validly signed by two people of the agency.',
  'grant-signature': "NOT PROVED: the owner's receipt is not validly signed. Rely on nothing in this share.",
  'grant-beyond-request': 'NOT PROVED: the receipt grants something that the request did not ask for.',
  'manifest-signature': "NOT PROVED: a clip's record is not validly signed.",
  'manifest-missing': "NOT PROVED: a clip's record that the receipt names is missing.",
  'manifest-extra': "NOT PROVED: there is a clip's record that the receipt does not name.",
  'media-missing': 'NOT PROVED: a file that the receipt names is missing.',
  'media-extra': 'NOT PROVED: there is a video or audio file that the receipt does not name.',
  'media-altered': 'NOT PROVED: a file differs from what was recorded or granted.',
};

export function plainWordsOf(verdict: Omit<ShareVerdict, 'plainWords'>): string[] {
  const { time } = verdict;
  const words = verdict.problems.map((problem) => problemWords[problem]);
  if (verdict.requestMatches && verdict.grantSignature === 'valid') {
    words.push("Proved: the owner's signed receipt answers this request.");
  }
  if (verdict.requestSignature === 'not-checked') words.push('Not checked: who signed the request.');
  for (const medium of verdict.media) {
    if (medium.unaltered === 'unaltered') {
      words.push(
        `Proved: ${medium.name} is unaltered since its camera signed it (${medium.fragmentsProved} of ${medium.fragmentsTotal} pieces).`,
      );
    } else if (medium.unaltered === 'derived') {
      const kept = medium.fragmentsProved;
      const except =
        kept === 0 ? '' : `, but for ${kept} ${kept === 1 ? 'piece that is' : 'pieces that are'} as recorded`;
      words.push(
        `Claimed: ${medium.name} was edited by the owner before sharing; its pictures are not proved${except}.`,
      );
    } else {
      words.push(
        `NOT PROVED: ${medium.name} (${medium.fragmentsProved} of ${medium.fragmentsTotal} pieces are as recorded).`,
      );
    }
  }
  words.push(
    `Claimed: recorded from ${utc(time.claimed.from * 1000)} to ${utc(time.claimed.to * 1000)} by the device's clock, ${
      time.clock === 'synchronised' ? 'which was synchronised' : 'which was NOT synchronised'
    }.`,
  );
  if (!time.withinClips) words.push('Note: the claimed times are not those that the clips were signed with.');
  if (time.receivedAtMs !== null) words.push(`Known: received at ${utc(time.receivedAtMs)}.`);
  words.push(lineageWords(verdict));
  words.push('Cannot be known: whether the signer was an honest camera.');
  return words;
}

function lineageWords({ lineage, monthKey }: Omit<ShareVerdict, 'plainWords'>): string {
  if (lineage === 'same-device') {
    return `Claimed: its clips come from one device; other shares under month key ${monthKey?.slice(0, 16)} come from it too.`;
  }
  if (lineage === 'broken') return 'NOT PROVED: that its clips come from one device, although the share says so.';
  return 'Not disclosed: whether this and other shares come from one device.';
}

function utc(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
