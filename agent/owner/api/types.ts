/** What crosses the wire between this API and the page, besides the types of `OwnerService` itself. */
import type { ErrorKind } from '../../base/errors.ts';
import type { LockState, RequestState } from '../service.ts';
import type { Role } from './accounts.ts';

export interface ErrorBody {
  readonly code: string;
  readonly kind: ErrorKind;
  readonly message: string;
  /** Only with `login/throttled`. */
  readonly waitMs?: number;
}

export interface SessionBody {
  readonly name: string;
  readonly role: Role;
}

/** A hint that something changed; the page then asks again. Names no agency and no case. */
export type Change =
  | { readonly kind: 'request'; readonly requestId: string; readonly state: RequestState }
  | { readonly kind: 'lock'; readonly lock: LockState };

/** Calls the listener on every change until the returned function is called. */
export type OnChange = (listener: (change: Change) => void) => () => void;
