/**
 * What every request must pass before anything else looks at it, as pure functions. Order: host, then origin. The host
 * list ends DNS rebinding (a foreign name that resolves to this device); the origin rules end cross-site requests,
 * also from another port of this same machine, which SameSite cookies don't tell apart.
 */
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { AgentError } from '../../base/errors.ts';

/** The addresses of this machine now; they change with DHCP, so they are asked for and never kept. */
export function machineAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map((entry) => entry.address));
}

/** The one `Host` header among Node's `rawHeaders`: of two, another program between may believe the other one. */
export function oneHost(rawHeaders: readonly string[]): string | undefined {
  const hosts = rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === 'host');
  return hosts.length === 1 ? hosts[0] : undefined;
}

/** The host of a `Host` header in lower case, an IPv6 address without brackets; undefined if it isn't well-formed. */
export function parseHost(header: string | undefined): string | undefined {
  const match = /^(?:\[([0-9a-f:.]{2,45})\]|([a-z0-9._-]{1,253}))(?::\d{1,5})?$/i.exec(header ?? '');
  if (match === null) return undefined;
  return (match[1] ?? match[2] ?? '').toLowerCase();
}

/** Throws `api/host-not-listed`. `names` are in lower case. */
export function checkHost(header: string | undefined, names: readonly string[], addresses: readonly string[]): void {
  const host = parseHost(header);
  const listed = host !== undefined && (isIP(host) === 0 ? names.includes(host) : addresses.includes(host));
  if (!listed) {
    throw new AgentError(
      'refused',
      'api/host-not-listed',
      'Cannot answer under this name: it is not one of the names configured for this device',
    );
  }
}

export interface RequestOrigin {
  readonly method: string;
  /** Static files are the rest. */
  readonly isApi: boolean;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
}

/**
 * Throws `api/cross-site`. What changes something must prove that it comes from this page (`Sec-Fetch-Site:
 * same-origin`, or an `Origin` equal to this host for browsers without it). What reads from the API must not say that
 * it comes from elsewhere. Static files may be linked to from anywhere.
 */
export function checkOrigin(request: RequestOrigin): void {
  const { method, isApi, host, origin, fetchSite } = request;
  const safe = method === 'GET' || method === 'HEAD';
  if (safe && !isApi) return;
  const sameOrigin = origin === undefined ? undefined : origin.toLowerCase() === `https://${host ?? ''}`.toLowerCase();
  const siteFits = fetchSite === undefined || fetchSite === 'same-origin' || (safe && fetchSite === 'none');
  const proven = safe || sameOrigin === true || fetchSite === 'same-origin';
  if (sameOrigin === false || !siteFits || !proven) {
    throw new AgentError('refused', 'api/cross-site', 'Cannot do this: the request does not come from this page');
  }
}

/** Sent with every answer. No HSTS: an owner who hasn't installed the house authority must still get in by hand. */
export const securityHeaders: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'self'",
    "img-src 'self' data:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; '),
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'x-robots-tag': 'noindex',
};
