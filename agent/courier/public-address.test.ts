import type { LookupAddress } from 'node:dns';
import { expect, test } from 'vitest';
import { isPublicAddress, publicLookup } from './public-address.ts';

test.each([
  '0.0.0.0', '10.1.2.3', '100.64.0.1', '127.0.0.1', '169.254.169.254', '172.16.0.1', '172.31.255.255', '192.0.0.1',
  '192.168.1.1', '198.18.0.1', '224.0.0.1', '255.255.255.255', '::', '::1', '::ffff:10.0.0.1', '::ffff:8.8.8.8',
  'fe80::1', 'fc00::1', 'fd12::1', 'ff02::1', '64:ff9b::a00:1', '2001::1', '2001:db8::1', '2002:a00:1::', 'x', '',
])('%s is not an address to upload to', (address) => expect(isPublicAddress(address)).toBe(false)); // biome-ignore format: a list

test.each(['8.8.8.8', '172.32.0.1', '192.167.255.255', '100.128.0.1', '2606:4700::1', '2a00:1450::1'])(
  '%s is public',
  (address) => expect(isPublicAddress(address)).toBe(true),
);

function look(answers: LookupAddress[], all: boolean): unknown {
  let result: unknown;
  publicLookup((_name, _options, done) => done(null, answers))('host.example', { all }, (error, address) => {
    result = error === null ? address : (error as { code?: string }).code;
  });
  return result;
}

const good = { address: '8.8.8.8', family: 4 };
const bad = { address: '192.168.1.1', family: 4 };

test('one private answer among public ones refuses the name', () => {
  expect(look([good], false)).toBe('8.8.8.8');
  expect(look([good], true)).toEqual([good]);
  expect(look([good, bad], false)).toBe('upload/private-address');
  expect(look([bad, good], true)).toBe('upload/private-address');
});

test('a name that does not resolve stays an ordinary failure', () => {
  let code: unknown;
  const failure = Object.assign(new Error('no'), { code: 'ENOTFOUND' });
  publicLookup((_name, _options, done) => done(failure, []))('host.example', {}, (error) => {
    code = error?.code;
  });
  expect(code).toBe('ENOTFOUND');
});
