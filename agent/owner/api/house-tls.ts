/**
 * The page's certificate: a house authority made once (`owner/tls/authority.json`, and `house-ca.pem` for phones to
 * install) and a leaf under it that renews itself. The authority is replaced only when a name is configured that its
 * constraint doesn't permit, because every phone then has to trust the new one.
 */
import { X509Certificate } from 'node:crypto';
import { rmSync } from 'node:fs';
import { BlockList, isIP } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';
import {
  type CertificateAndKey,
  certificateFingerprint,
  houseIpRanges,
  issueLeaf,
  leafExpiresAtMs,
  makeAuthority,
} from '../../base/certificates.ts';
import { AgentError } from '../../base/errors.ts';
import { ensurePrivateDir, readFileLimited, writeFileDurable } from '../../base/files.ts';

const authorityDays = 3650;
/** Apple's systems refuse server certificates of a year and more than 33 days. */
const leafDays = 397;
const renewBeforeMs = 30 * 86_400_000;
const earliestMs = Date.UTC(2026, 10, 1);
const maxFileBytes = 64 * 1024;

const authoritySchema = z.strictObject({ certificatePem: z.string(), keyPem: z.string(), names: z.array(z.string()) });
const leafSchema = z.strictObject({ ...authoritySchema.shape, addresses: z.array(z.string()) });

const houseRanges = new BlockList();
for (const range of houseIpRanges) {
  const [address = '', bits = ''] = range.split('/');
  houseRanges.addSubnet(address, Number(bits), isIP(address) === 4 ? 'ipv4' : 'ipv6');
}

/** One public address in the leaf would break the constraint and with it the whole certificate. */
function houseAddresses(addresses: readonly string[]): readonly string[] {
  return addresses.filter((a) => isIP(a) !== 0 && houseRanges.check(a, isIP(a) === 4 ? 'ipv4' : 'ipv6')).toSorted();
}

export interface HouseTls {
  /** Leaf and authority, as a TLS server sends them. */
  readonly chainPem: string;
  readonly keyPem: string;
  /** Of the authority: it stays when the leaf is renewed. */
  readonly fingerprint: string;
  /** True when this call issued a new leaf. */
  readonly renewed: boolean;
}

/**
 * Loads what is there and makes what is missing, too old (under 30 days left), not yet valid, or not covering these
 * names and addresses. Throws `api/tls-damaged` when a file can't be read.
 */
export async function ensureHouseTls(options: {
  readonly dataDir: string;
  readonly names: readonly string[];
  readonly addresses: readonly string[];
  readonly nowMs: number;
}): Promise<HouseTls> {
  const { names } = options;
  // A device without a clock battery may take it for 1970 and would make an authority that is over when it wakes up.
  const nowMs = Math.max(options.nowMs, earliestMs);
  const dir = join(options.dataDir, 'owner', 'tls');
  ensurePrivateDir(dir);
  const addresses = houseAddresses(options.addresses);
  let authority = load(join(dir, 'authority.json'), authoritySchema);
  if (
    authority === undefined ||
    names.some((name) => !authority?.names.includes(name)) ||
    !isUsable(authority, nowMs)
  ) {
    const made = await makeAuthority({
      name: 'Latchkey house authority',
      permittedDnsNames: names,
      permittedIpRanges: houseIpRanges,
      validDays: authorityDays,
      nowMs,
    });
    authority = { ...made, names: [...names] };
    // The leaf of an old authority goes first: a stop in between then leaves nothing that doesn't fit together.
    rmSync(join(dir, 'leaf.json'), { force: true });
    writeFileDurable(join(dir, 'authority.json'), JSON.stringify(authority));
    writeFileDurable(join(dir, 'house-ca.pem'), made.certificatePem, 0o644);
  }
  let leaf = load(join(dir, 'leaf.json'), leafSchema);
  const covers =
    leaf !== undefined &&
    names.every((name) => leaf?.names.includes(name)) &&
    addresses.every((address) => leaf?.addresses.includes(address));
  const renewed = leaf === undefined || !covers || !isUsable(leaf, nowMs);
  if (leaf === undefined || renewed) {
    const made = await issueLeaf({ authority, names, addresses, validDays: leafDays, nowMs });
    leaf = { ...made, names: [...names], addresses: [...addresses] };
    writeFileDurable(join(dir, 'leaf.json'), JSON.stringify(leaf));
  }
  return {
    chainPem: leaf.certificatePem + authority.certificatePem,
    keyPem: leaf.keyPem,
    fingerprint: certificateFingerprint(authority.certificatePem),
    renewed,
  };
}

/** Not from the future either: it may have been made while the clock ran ahead. */
function isUsable({ certificatePem }: CertificateAndKey, nowMs: number): boolean {
  const startsAtMs = new X509Certificate(certificatePem).validFromDate.getTime();
  return startsAtMs <= nowMs && leafExpiresAtMs(certificatePem) - nowMs >= renewBeforeMs;
}

function load<T>(path: string, schema: z.ZodType<T>): T | undefined {
  const bytes = readFileLimited(path, maxFileBytes);
  if (bytes === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(bytes.toString('utf8')));
  } catch (cause) {
    throw new AgentError(
      'corrupt',
      'api/tls-damaged',
      'Cannot read the page’s certificate: a file in owner/tls is damaged; remove it to have a new one made',
      { cause },
    );
  }
}
