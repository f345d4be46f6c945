import type { z } from 'zod';
import { demand, dispatch, grant, lineage, manifest } from './documents-private.ts';
import { agency, directory, notice, outcome, request, revocation } from './documents-public.ts';
import type { Deep } from './fields.ts';
import { refusal } from './refuse.ts';

/** All kinds of documents, their types, and the one way to turn an unknown value into one. */
const schemas = {
  request,
  agency,
  directory,
  revocation,
  notice,
  outcome,
  manifest,
  lineage,
  grant,
  dispatch,
  demand,
} as const;

export type DocumentKind = keyof typeof schemas;
export type Documents = { readonly [K in DocumentKind]: Deep<z.infer<(typeof schemas)[K]>> };

export type RequestDocument = Documents['request'];
export type AgencyDocument = Documents['agency'];
export type DirectoryDocument = Documents['directory'];
export type RevocationDocument = Documents['revocation'];
export type NoticeDocument = Documents['notice'];
export type OutcomeDocument = Documents['outcome'];
export type ManifestDocument = Documents['manifest'];
export type LineageDocument = Documents['lineage'];
export type GrantDocument = Documents['grant'];
export type DispatchDocument = Documents['dispatch'];
export type DemandDocument = Documents['demand'];
export type { Area, Terms } from './fields.ts';

export const documentKinds = Object.keys(schemas) as readonly DocumentKind[];

/** Checks fields, types and bounds; unknown keys are refused. Throws `payload/schema` with the path of the first fault. */
export function parseDocument<K extends DocumentKind>(kind: K, value: unknown): Documents[K] {
  const result = schemas[kind].safeParse(value);
  if (result.success) return result.data as Documents[K];
  const path = result.error.issues[0]?.path.map(String).join('.') ?? '';
  throw refusal('payload/schema', `Cannot read the ${kind}: ${path === '' ? 'its fields' : path} not as specified`, {
    kind,
    path: path.slice(0, 100),
  });
}
