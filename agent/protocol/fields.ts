import { z } from 'zod';

/** Field types that several documents share. Bounds are part of the protocol: see `README.md` beside this file. */
export const hex64 = z.string().regex(/^[0-9a-f]{64}$/);
export const hex32 = z.string().regex(/^[0-9a-f]{32}$/);
export const keyId = z.string().regex(/^[0-9a-f]{16}$/);
export const agencyId = z.string().regex(/^[a-z0-9-]{3,40}$/);
/** ISO 3166-2, `US-CA`. */
export const region = z.string().regex(/^[A-Z]{2}-[A-Z0-9]{1,3}$/);
export const ageRecipient = z.string().regex(/^age1[02-9ac-hj-np-z]{58}$/);
/** Unix seconds up to the year 9999. */
export const seconds = z.int().min(0).max(253_402_300_799);
export const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
export const sequence = z.int().min(1).max(Number.MAX_SAFE_INTEGER);
export const previous = z.union([hex64, z.null()]);
export const sizedHash = z.strictObject({ bytes: count, sha256: hex64 });

/** Text of 1 to `max` code points (zod counts so); what characters it may hold is checked for the whole document. */
export const text = (max: number) => z.string().min(1).max(max);
/** Text that may be empty. */
export const optionalText = (max: number) => z.string().max(max);

/**
 * Where shares are sent. A grammar narrower than that of URL parsers, so that every implementation reads an address alike:
 * https, lower-case host, no credentials, query or fragment; http only for a literal loopback host, which can name nothing
 * but this machine (the demo and tests).
 */
export const endpoint = z.string().max(200).refine(isEndpoint, 'not an https address');
export const webAddress = z
  .string()
  .max(200)
  .refine((value) => value === '' || isEndpoint(value), 'not an https address');

const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
/** The last label begins with a letter: a URL parser takes any other for a number, and the host for an IPv4 address. */
const hostName = `(?:${label}\\.)*[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?`;
const byte = '(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])';
const tail = "(?::[1-9][0-9]{0,4})?(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*)?";
const addressPattern = new RegExp(
  `^(?:https://(?:${hostName}|${byte}(?:\\.${byte}){3}|\\[::1\\])|http://(?:127\\.0\\.0\\.1|\\[::1\\]))${tail}$`,
);

/** The pattern says what is taken; the parser that will use the address has the last word (ports, odd host names). */
function isEndpoint(value: string): boolean {
  return addressPattern.test(value) && URL.canParse(value);
}

const latE6 = z.int().min(-90_000_000).max(90_000_000);
const lonE6 = z.int().min(-180_000_000).max(180_000_000);

/** A circle, or a polygon of [lat, lon] points; edges are straight in latitude and longitude, as in RFC 7946. */
export const area = z.union([
  z.strictObject({
    circle: z.strictObject({ lat_e6: latE6, lon_e6: lonE6, radius_m: z.int().min(1).max(20_000) }),
  }),
  z.strictObject({
    polygon: z.strictObject({
      pts_e6: z
        .array(z.tuple([latE6, lonE6]))
        .min(3)
        .max(16),
    }),
  }),
]);

/** What the agency promises about the footage. */
export const terms = z.strictObject({
  biometric_id: z.literal(false),
  delete_by_days: z.int().min(1).max(365),
  outcome_due_days: z.int().min(1).max(180),
  third_party: z.enum(['none', 'court_only']),
});

/** `T` with every object, array and tuple inside it readonly. */
export type Deep<T> = T extends readonly unknown[] | object ? { readonly [K in keyof T]: Deep<T[K]> } : T;

export type Area = Deep<z.infer<typeof area>>;
export type Terms = Deep<z.infer<typeof terms>>;
