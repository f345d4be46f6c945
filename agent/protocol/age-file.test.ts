import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Decrypter, Encrypter } from 'age-encryption';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AgentError } from '../base/errors.ts';
import {
  createSealer,
  generateIdentity,
  openBody,
  openFile,
  openFileKey,
  openWithPassphrase,
  parseIdentity,
  parseRecipient,
  recipientOf,
  rewrapHeader,
  type SealedFile,
  sealBytes,
  sealWithPassphrase,
  splitFile,
} from './age-file.ts';
import { encodeBech32 } from './bech32.ts';

const chunk = 64 * 1024;
const owner = generateIdentity();
const recovery = generateIdentity();
const stranger = generateIdentity();
const both = [owner.recipient, recovery.recipient];

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'age-file-'));
  writeFileSync(join(dir, 'owner.key'), `${owner.identity}\n`);
  writeFileSync(join(dir, 'recovery.key'), `${recovery.identity}\n`);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 255);
}

function whole(sealed: SealedFile): Buffer {
  return Buffer.concat([sealed.header, sealed.body]);
}

function stockAge(args: readonly string[], input: Uint8Array): Buffer {
  const done = spawnSync('age', [...args], { input, maxBuffer: 1 << 24 });
  if (done.status !== 0) throw new Error(`age: ${done.stderr.toString()}`);
  return done.stdout;
}

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (thrown) {
    if (thrown instanceof AgentError) return thrown.code;
    throw thrown;
  }
  return 'opened';
}

async function codeLater(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (thrown) {
    if (thrown instanceof AgentError) return thrown.code;
    throw thrown;
  }
  return 'opened';
}

describe('against stock age', () => {
  test.each([0, 1, chunk - 1, chunk, chunk + 1, 3 * chunk])('%i bytes, both directions, each key', async (length) => {
    const plain = pattern(length);
    const sealed = sealBytes(both, plain);
    for (const key of ['owner.key', 'recovery.key']) {
      expect(stockAge(['-d', '-i', join(dir, key)], whole(sealed)).equals(plain)).toBe(true);
    }
    const theirs = stockAge(['-r', owner.recipient, '-r', recovery.recipient], plain);
    for (const { identity } of [owner, recovery]) {
      expect(Buffer.from(openFile(splitFile(theirs), parseIdentity(identity))).equals(plain)).toBe(true);
    }
  });

  test('any number of bytes around a chunk, in pieces or at once, both directions, and under another header', () => {
    const fresh = generateIdentity();
    writeFileSync(join(dir, 'fresh.key'), `${fresh.identity}\n`);
    const length = fc
      .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: -2, max: 2 }))
      .map(([chunks, more]) => Math.max(0, chunks * chunk + more));
    fc.assert(
      fc.property(length, fc.integer({ min: 0, max: 100_000 }), (bytes, cut) => {
        const plain = pattern(bytes);
        const sealer = createSealer(both);
        const pieces = [sealer.update(plain.subarray(0, cut)), sealer.update(plain.subarray(cut)), sealer.final()];
        const rewrapped = rewrapHeader(sealer.header, parseIdentity(owner.identity), [fresh.recipient]);
        const body = Buffer.concat(pieces);
        for (const [header, key] of [
          [sealer.header, 'owner.key'],
          [rewrapped, 'fresh.key'],
        ] as const) {
          expect(stockAge(['-d', '-i', join(dir, key)], Buffer.concat([header, body])).equals(plain)).toBe(true);
        }
        expect(codeOf(() => openFile({ header: rewrapped, body }, parseIdentity(owner.identity)))).toBe(
          'age/wrong-key',
        );
        const theirs = splitFile(stockAge(['-r', owner.recipient], plain));
        expect(Buffer.from(openFile(theirs, parseIdentity(owner.identity))).equals(plain)).toBe(true);
      }),
      { numRuns: 12 },
    );
  });

  test('identities are those of age-keygen', () => {
    const made = spawnSync('age-keygen', [], { encoding: 'utf8' });
    const identity = /AGE-SECRET-KEY-1\S+/.exec(made.stdout)?.[0] ?? '';
    const recipient = /age1\S+/.exec(made.stdout)?.[0] ?? '';
    expect(recipientOf(identity)).toBe(recipient);
    const ours = spawnSync('age-keygen', ['-y'], { input: owner.identity, encoding: 'utf8' });
    expect(ours.stdout.trim()).toBe(owner.recipient);
  });

  test('a passphrase file passes to and from another implementation', async () => {
    const plain = pattern(chunk + 5);
    const ours = await sealWithPassphrase('six words', plain, 10);
    const opener = new Decrypter();
    opener.addPassphrase('six words');
    expect(Buffer.from(await opener.decrypt(ours)).equals(plain)).toBe(true);
    const maker = new Encrypter();
    maker.setPassphrase('six words');
    maker.setScryptWorkFactor(10);
    const theirs = await maker.encrypt(plain);
    expect(Buffer.from(await openWithPassphrase('six words', theirs)).equals(plain)).toBe(true);
  });
});

test('pieces of any size seal to the same plaintext', () => {
  const identity = parseIdentity(owner.identity);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 90_000 }), { maxLength: 5 }), (sizes) => {
      const sealer = createSealer(both);
      const pieces = sizes.map((size) => pattern(size));
      const body = Buffer.concat([...pieces.map((piece) => sealer.update(piece)), sealer.final()]);
      const plain = openBody(openFileKey(sealer.header, identity), body);
      expect(Buffer.from(plain).equals(Buffer.concat(pieces))).toBe(true);
    }),
    { numRuns: 40 },
  );
});

test('every sealing has its own file key, nonce and ephemeral shares', () => {
  const identity = parseIdentity(owner.identity);
  const [a, b] = [sealBytes(both, pattern(10)), sealBytes(both, pattern(10))];
  expect(openFileKey(a.header, identity)).not.toEqual(openFileKey(b.header, identity));
  expect(Buffer.from(a.body.subarray(0, 16)).equals(b.body.subarray(0, 16))).toBe(false);
});

test('no chunk index is sealed twice under one file key, in pieces or at once', () => {
  const identity = parseIdentity(owner.identity);
  const seen = new Set<string>();
  const sizes = fc.array(fc.integer({ min: 0, max: 150_000 }), { maxLength: 4 });
  fc.assert(
    fc.property(sizes, (pieces) => {
      const plain = pattern(pieces.reduce((sum, size) => sum + size, 0));
      const sealer = createSealer(both);
      let at = 0;
      const parts = pieces.map((size) => sealer.update(plain.subarray(at, (at += size))));
      const inPieces = { header: sealer.header, body: Buffer.concat([...parts, sealer.final()]) };
      // Nothing more under this key: an index could only come again.
      expect(() => sealer.update(plain)).toThrow(RangeError);
      expect(() => sealer.final()).toThrow(RangeError);
      for (const { header, body } of [inPieces, sealBytes(both, plain)]) {
        const fileKey = openFileKey(header, identity);
        const [key, nonce] = [Buffer.from(fileKey).toString('hex'), Buffer.from(body.subarray(0, 16)).toString('hex')];
        expect(seen.has(key) || seen.has(nonce)).toBe(false);
        seen.add(key).add(nonce);
        // One chunk for every 64 KiB begun, none empty but that of an empty file; each opens at its own index alone.
        const chunkCount = Math.max(1, Math.ceil(plain.length / chunk));
        expect(body.length).toBe(16 + plain.length + chunkCount * 16);
        expect(Buffer.from(openBody(fileKey, body)).equals(plain)).toBe(true);
      }
    }),
    { numRuns: 40 },
  );
});

describe('what cannot be opened', () => {
  const identity = parseIdentity(owner.identity);

  test('another key', () => {
    const { header } = sealBytes(both, pattern(10));
    expect(codeOf(() => openFileKey(header, parseIdentity(stranger.identity)))).toBe('age/wrong-key');
  });

  test('any flipped bit', () => {
    const sealed = whole(sealBytes(both, pattern(100)));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: sealed.length * 8 - 1 }), (bit) => {
        const bent = Buffer.from(sealed);
        bent.writeUInt8(bent.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
        // A flip in the owner's stanza can't be told from a file for somebody else.
        expect(codeOf(() => openFile(splitFile(bent), identity))).toMatch(/^age\/(damaged|wrong-key|truncated)$/);
      }),
      { numRuns: 600 },
    );
    const bent = Buffer.from(sealed);
    bent.writeUInt8(bent.readUInt8(bent.length - 1) ^ 1, bent.length - 1);
    expect(codeOf(() => openFile(splitFile(bent), identity))).toBe('age/damaged');
  });

  test('any flipped bit of a file of several chunks', () => {
    const { header, body } = sealBytes(both, pattern(2 * chunk + 1));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: body.length * 8 - 1 }), (bit) => {
        const bent = Buffer.from(body);
        bent.writeUInt8(bent.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
        expect(codeOf(() => openFile({ header, body: bent }, identity))).toBe('age/damaged');
      }),
      { numRuns: 150 },
    );
  });

  test('a file cut anywhere; at a chunk boundary it is known to be cut', () => {
    const sealed = whole(sealBytes(both, pattern(2 * chunk + 10)));
    const { header } = splitFile(sealed);
    for (const at of [0, 5, 30, header.length - 1, header.length, header.length + 20]) {
      expect(codeOf(() => openFile(splitFile(sealed.subarray(0, at)), identity))).toBe('age/truncated');
    }
    for (const chunks of [1, 2]) {
      const cut = sealed.subarray(0, header.length + 16 + chunks * (chunk + 16));
      expect(codeOf(() => openFile(splitFile(cut), identity))).toBe('age/truncated');
    }
    expect(codeOf(() => openFile(splitFile(sealed.subarray(0, -1)), identity))).toBe('age/damaged');
  });

  test('chunks swapped, and bytes appended', () => {
    const { header, body } = sealBytes(both, pattern(3 * chunk));
    const size = chunk + 16;
    const parts = [0, 1, 2].map((i) => body.subarray(16 + i * size, 16 + (i + 1) * size));
    const swapped = Buffer.concat([body.subarray(0, 16), parts[1] ?? body, parts[0] ?? body, parts[2] ?? body]);
    expect(codeOf(() => openFile({ header, body: swapped }, identity))).toBe('age/damaged');
    expect(codeOf(() => openFile({ header, body: Buffer.concat([body, body]) }, identity))).toBe('age/damaged');
  });

  test('something that is no age file', () => {
    expect(codeOf(() => splitFile(Buffer.from('hello, world, this is text')))).toBe('age/damaged');
  });

  test('a wrong passphrase, a damaged file and one that asks for too much work are told apart', async () => {
    const file = Buffer.from(await sealWithPassphrase('right', pattern(50), 10));
    expect(await codeLater(openWithPassphrase('wrong', file))).toBe('vault/wrong-passphrase');
    expect(await codeLater(openWithPassphrase('right', file.subarray(0, -1)))).toBe('age/damaged');
    expect(await codeLater(openWithPassphrase('right', file.subarray(0, 60)))).toBe('age/truncated');
    expect(await codeLater(openWithPassphrase('right', whole(sealBytes(both, pattern(1)))))).toBe('age/damaged');
    const greedy = Buffer.from(file.toString('latin1').replace(/ 10\n/, ' 22\n'), 'latin1');
    expect(await codeLater(openWithPassphrase('right', greedy))).toBe('age/work-factor');
  });
});

describe('keys that cannot be used', () => {
  test('misspelt, mixed case, of another kind', () => {
    const mixed = `A${owner.recipient.slice(1)}`;
    for (const bad of ['', 'age1', `${owner.recipient}q`, mixed, owner.identity, owner.recipient.toUpperCase()]) {
      expect(codeOf(() => parseRecipient(bad))).toBe('age/bad-recipient');
    }
    for (const bad of ['', owner.recipient, owner.identity.toLowerCase(), `${owner.identity}Q`]) {
      expect(codeOf(() => parseIdentity(bad))).toBe('age/bad-identity');
    }
  });

  test('none, the same twice, or a point of small order', () => {
    expect(codeOf(() => sealBytes([], pattern(1)))).toBe('age/bad-recipient');
    expect(codeOf(() => sealBytes([owner.recipient, owner.recipient], pattern(1)))).toBe('age/bad-recipient');
    const zero = encodeBech32('age', new Uint8Array(32));
    expect(parseRecipient(zero)).toHaveLength(32);
    expect(codeOf(() => sealBytes([zero], pattern(1)))).toBe('age/bad-recipient');
  });
});
