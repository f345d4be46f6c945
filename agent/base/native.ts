import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { getSystemErrorName } from 'node:util';
import { AgentError, systemCode } from './errors.ts';

/**
 * The door to the C++ addon (`native/`): loads it once, gives it types, and turns what a process can take away from
 * itself into calls that throw when they fail.
 */
export interface NativeMotion {
  /**
   * Writes state, foreground in millionths, box count, then x, y, w, h of each of at most 64 boxes; from 259 on the number
   * of each one's track and its age in milliseconds.
   */
  detect(yuv: Uint8Array, timeMs: number, result: Int32Array): void;
  /** A copy of the last frame's foreground, 0 or 1 a pixel; null after a frame without one. */
  mask(): Uint8Array | null;
  reset(): void;
  close(): void;
}

export interface NativeAddon {
  readonly Motion: new (
    widthPx: number,
    heightPx: number,
    sensitivity: number,
    minAreaRatio: number,
    zonePoints: Float64Array,
    zoneCounts: Int32Array,
    privacyPoints?: Float64Array,
    privacyCounts?: Int32Array,
  ) => NativeMotion;
  readonly motionResultLength: number;
  letterbox(
    yuv: Uint8Array,
    widthPx: number,
    heightPx: number,
    matrix: number,
    x: number,
    y: number,
    w: number,
    h: number,
    sidePx: number,
    out: Float32Array,
  ): number;
  yuvToRgb(yuv: Uint8Array, widthPx: number, heightPx: number, matrix: number, out: Uint8Array): void;
  /** These three return 0 or an errno value. */
  denyNetwork(): number;
  setNotDumpable(): number;
  setParentDeathSignal(parentPid: number): number;
  clockSynchronised(): boolean;
  /** The user id, or a negative errno value. */
  peerUid(fd: number): number;
}

const require = createRequire(import.meta.url);
const builtPath = join('native', 'build', 'Release', 'latchkey.node');
/** Beside the sources, and beside `dist/` in a published package. */
const defaultPaths = [
  join(import.meta.dirname, '..', '..', builtPath),
  join(import.meta.dirname, '..', '..', '..', builtPath),
];

let loaded: NativeAddon | undefined;

/** Loads the addon. Throws `base/addon-missing` when it was never built, `base/addon-broken` when it does not load. */
export function loadAddon(paths: readonly string[] = defaultPaths): NativeAddon {
  for (const path of paths) {
    try {
      return require(path) as NativeAddon;
    } catch (thrown) {
      if (systemCode(thrown) === 'MODULE_NOT_FOUND') continue;
      throw new AgentError(
        'unavailable',
        'base/addon-broken',
        'Cannot load the native addon: it was built for another machine or Node. Run `npm run setup` to build it again',
        { cause: thrown },
      );
    }
  }
  throw new AgentError(
    'unavailable',
    'base/addon-missing',
    'Cannot load the native addon: it has not been built. Run `npm run setup`',
  );
}

export function nativeAddon(): NativeAddon {
  loaded ??= loadAddon();
  return loaded;
}

function check(code: number, what: string): void {
  if (code === 0) return;
  const name = getSystemErrorName(-code);
  throw new AgentError('unavailable', 'base/sandbox-failed', `Cannot ${what}: the kernel answered ${name}`, {
    detail: { errno: name },
  });
}

/**
 * From here on no thread and no child of this process can make a socket (EACCES), not even a Unix one, which would lead
 * to programs that have the network; only joined pairs, for pipes to children. Sockets that are already open stay open,
 * so call it before anything else. Cannot be undone. Throws `base/sandbox-failed`.
 */
export function denyNetwork(): void {
  check(nativeAddon().denyNetwork(), 'deny this process the network');
}

/** No core dump, and no process of the same user may trace this one or read its memory. Throws `base/sandbox-failed`. */
export function setNotDumpable(): void {
  check(nativeAddon().setNotDumpable(), 'protect the memory of this process');
}

/**
 * The kernel kills this process when its parent ends. `parentPid` is the parent as the parent itself told (by argument
 * or IPC), so that a parent that died before the call is noticed: `base/sandbox-failed` with `ESRCH`.
 */
export function setParentDeathSignal(parentPid: number = process.ppid): void {
  check(nativeAddon().setParentDeathSignal(parentPid), 'tie this process to its parent');
}

/** The user id of the other end of a connected Unix socket. Throws `base/peer-unknown` for anything else. */
export function peerUid(socket: Socket | number): number {
  const fd = typeof socket === 'number' ? socket : socketFd(socket);
  const uid = fd >= 0 ? nativeAddon().peerUid(fd) : -1;
  if (uid < 0) {
    throw new AgentError('refused', 'base/peer-unknown', 'Cannot tell which user is at the other end of the socket');
  }
  return uid;
}

/** Node has no public way to a socket's descriptor; the handle has carried `fd` on every Unix release. */
function socketFd(socket: Socket): number {
  const handle = (socket as unknown as Record<string, { fd?: unknown } | null | undefined>)['_handle'];
  const fd = handle?.fd;
  return typeof fd === 'number' ? fd : -1;
}
