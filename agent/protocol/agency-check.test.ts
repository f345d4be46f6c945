import { describe, expect, it } from 'vitest';
import {
  sampleAgency,
  sampleEnvelope,
  sampleKeys,
  sampleNowMs,
  sampleNowS,
  sampleRoot,
} from '../../test-fixtures/vectors/samples.ts';
import { checkAgency, openAgency } from './agency-check.ts';
import { encodeBech32 } from './bech32.ts';
import { fromHex } from './bytes.ts';
import type { AgencyDocument } from './documents.ts';
import { keyIdOf, recipientKeyId } from './keys.ts';

function codeOf(run: () => unknown): string {
  try {
    run();
    return 'accepted';
  } catch (thrown) {
    return (thrown as { code?: string }).code ?? String(thrown);
  }
}

const check = (changes: Partial<AgencyDocument>): string =>
  codeOf(() => checkAgency({ agency: sampleEnvelope('agency', changes), roots: [sampleRoot], nowMs: sampleNowMs }));

const withKey = (change: Partial<AgencyDocument['keys'][number]>): Partial<AgencyDocument> => ({
  keys: sampleAgency.keys.map((key, i) => (i === 0 ? { ...key, ...change } : key)),
});

const smallOrderKey = `01${'00'.repeat(31)}`;
const weakRecipient = encodeBech32('age', new Uint8Array(32));

describe('an agency document', () => {
  it('is opened by two of the three keys of any pinned root', () => {
    const { root1, root2, root3, stranger } = sampleKeys;
    const envelope = sampleEnvelope('agency', {}, [root1, root3]);
    const foreign = { keys: [stranger.publicKey], threshold: 1 };
    expect(openAgency(envelope, [foreign, sampleRoot]).agency).toEqual(sampleAgency);
    const under = (signers: (typeof root1)[], roots = [sampleRoot]): string =>
      codeOf(() => openAgency(sampleEnvelope('agency', {}, signers), roots));
    expect(under([root2, root3])).toBe('accepted');
    expect(under([root1])).toBe('envelope/not-enough-signers');
    expect(under([root1, root1])).toBe('envelope/not-enough-signers');
    expect(under([root1, stranger])).toBe('envelope/not-enough-signers');
    expect(under([root1, root2], [])).toBe('agency/no-root');
    expect(codeOf(() => openAgency(Buffer.from('{'), [sampleRoot]))).toBe('envelope/not-json');
  });

  const cases: [string, Partial<AgencyDocument>, string][] = [
    ['a second before it expires', { expires_at: sampleNowS + 1 }, 'accepted'],
    ['expired', { expires_at: sampleNowS }, 'agency/expired'],
    ['suspended', { status: 'suspended' }, 'agency/not-active'],
    ['retired', { status: 'retired' }, 'agency/not-active'],
    ['with a false key id', withKey({ kid: '0123456789abcdef' }), 'agency/key-id'],
    ['with a key in two roles', withKey(sampleAgency.keys[1] ?? {}), 'agency/key-twice'],
    [
      'with a key of small order',
      withKey({ x: smallOrderKey, kid: keyIdOf(fromHex(smallOrderKey)) }),
      'keys/small-order',
    ],
    [
      'with a weak recipient',
      { recipient: { age: weakRecipient, kid: recipientKeyId(weakRecipient), since: 0 } },
      'keys/recipient-low-order',
    ],
    [
      'with a misspelt recipient',
      { recipient: { ...sampleAgency.recipient, age: `${sampleAgency.recipient.age.slice(0, -1)}q` } },
      'keys/recipient-malformed',
    ],
    [
      "with another recipient's key id",
      { recipient: { ...sampleAgency.recipient, kid: '0123456789abcdef' } },
      'agency/recipient-key-id',
    ],
  ];
  it.each(cases)('%s', (_name, changes, code) => {
    expect(check(changes)).toBe(code);
  });

  it('can be stored while suspended or expired', () => {
    const envelope = sampleEnvelope('agency', { status: 'suspended', expires_at: 0 });
    expect(codeOf(() => openAgency(envelope, [sampleRoot]))).toBe('accepted');
  });
});
