import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type CertificateAndKey,
  certificateFingerprint,
  houseIpRanges,
  issueLeaf,
  leafExpiresAtMs,
  makeAuthority,
} from './certificates.ts';

const dir = mkdtempSync(join(tmpdir(), 'latchkey-certificates-'));
let authority: CertificateAndKey;

beforeAll(async () => {
  authority = await makeAuthority({
    name: "Latchkey: O'Hara, ground floor",
    permittedDnsNames: ['door.local'],
    permittedIpRanges: houseIpRanges,
    validDays: 3650,
  });
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function opensslVerify(issuer: CertificateAndKey, leaf: CertificateAndKey, ...more: string[]): string {
  writeFileSync(join(dir, 'ca.pem'), issuer.certificatePem);
  writeFileSync(join(dir, 'leaf.pem'), leaf.certificatePem);
  const args = ['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', join(dir, 'ca.pem'), ...more];
  const result = spawnSync('openssl', [...args, join(dir, 'leaf.pem')], { encoding: 'utf8' });
  return result.stdout + result.stderr;
}

test('a leaf for the house passes openssl, by name and by address', async () => {
  const leaf = await issueLeaf({
    authority,
    names: ['door.local'],
    addresses: ['192.168.1.20', '127.0.0.1', '::1', 'fe80::1'],
    validDays: 397,
  });
  expect(opensslVerify(authority, leaf, '-verify_hostname', 'door.local')).toContain('leaf.pem: OK');
  expect(opensslVerify(authority, leaf, '-verify_ip', '192.168.1.20')).toContain('leaf.pem: OK');
  expect(opensslVerify(authority, leaf, '-verify_ip', 'fe80::1')).toContain('leaf.pem: OK');
  expect(opensslVerify(authority, leaf, '-verify_ip', '192.168.1.21')).toContain('IP address mismatch');
});

test.each([
  ['a foreign name', ['bank.example'], []],
  ['a name that only ends alike', ['backdoor.local'], []],
  ['a public address', ['door.local'], ['8.8.8.8']],
  ['a public IPv6 address', ['door.local'], ['2001:db8::1']],
])('the constraint refuses %s', async (_what, names, addresses) => {
  const leaf = await issueLeaf({ authority, names, addresses, validDays: 30 });
  expect(opensslVerify(authority, leaf)).toContain('permitted subtree violation');
});

test('an empty list permits nothing of that kind', async () => {
  const noAddresses = await makeAuthority({
    name: 'names only',
    permittedDnsNames: ['door.local'],
    permittedIpRanges: [],
    validDays: 10,
  });
  const noNames = await makeAuthority({
    name: 'addresses only',
    permittedDnsNames: [],
    permittedIpRanges: ['127.0.0.0/8'],
    validDays: 10,
  });
  const byAddress = { names: [], addresses: ['127.0.0.1'], validDays: 5 };
  const byName = { names: ['door.local'], addresses: [], validDays: 5 };
  expect(opensslVerify(noAddresses, await issueLeaf({ authority: noAddresses, ...byName }))).toContain(': OK');
  expect(opensslVerify(noNames, await issueLeaf({ authority: noNames, ...byAddress }))).toContain(': OK');
  expect(opensslVerify(noAddresses, await issueLeaf({ authority: noAddresses, ...byAddress }))).toContain('violation');
  expect(opensslVerify(noNames, await issueLeaf({ authority: noNames, ...byName }))).toContain('violation');
});

test('the constraint is critical and the authority may not make further authorities', () => {
  const text = execFileSync('openssl', ['x509', '-noout', '-text'], { input: authority.certificatePem }).toString();
  expect(text).toMatch(/X509v3 Name Constraints: critical/);
  expect(text).toContain('DNS:door.local');
  expect(text).toContain('IP:172.16.0.0/255.240.0.0');
  expect(text).toContain('CA:TRUE, pathlen:0');
});

test('a TLS client that trusts only the authority completes the handshake, and not under another name', async () => {
  const leaf = await issueLeaf({ authority, names: ['door.local'], addresses: ['127.0.0.1'], validDays: 30 });
  const server = createServer({ cert: leaf.certificatePem, key: leaf.keyPem }, (socket) => socket.end('hello'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const dial = (servername: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, ca: authority.certificatePem, servername }, () => {
        resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? '');
        socket.destroy();
      });
      socket.once('error', reject);
    });
  try {
    expect(await dial('door.local')).toBe(certificateFingerprint(leaf.certificatePem));
    await expect(dial('other.local')).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  } finally {
    server.close();
  }
});

test('expiry is what was asked for, to the second', async () => {
  const nowMs = Date.UTC(2027, 0, 1);
  const leaf = await issueLeaf({ authority, names: ['door.local'], addresses: [], validDays: 30, nowMs });
  expect(leafExpiresAtMs(leaf.certificatePem)).toBe(nowMs + 30 * 86_400_000);
});

test('bad input is named', async () => {
  expect(() => certificateFingerprint('not a certificate')).toThrow(
    expect.objectContaining({ code: 'base/bad-certificate' }),
  );
  for (const range of ['10.0.0.0', '10.0.0.0/33', 'house/8', 'fc00::/129']) {
    const made = makeAuthority({ name: 'x', permittedDnsNames: [], permittedIpRanges: [range], validDays: 1 });
    await expect(made).rejects.toMatchObject({ code: 'base/bad-ip-range' });
  }
});
