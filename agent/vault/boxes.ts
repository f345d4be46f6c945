/** The boxes of an MP4 (ISO/IEC 14496-12) as the vault takes them apart and joins them again. Throws `vault/bad-movie`. */
import { AgentError } from '../base/errors.ts';

export interface Box {
  readonly type: string;
  readonly bytes: Uint8Array;
}

export function boxesOf(bytes: Uint8Array): Box[] {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: Box[] = [];
  for (let at = 0; at < view.length; ) {
    const size = view.length - at < 8 ? 0 : view.readUInt32BE(at);
    if (size < 8 || at + size > view.length) throw damaged();
    found.push({ type: view.toString('latin1', at + 4, at + 8), bytes: view.subarray(at, at + size) });
    at += size;
  }
  return found;
}

export const childrenOf = (box: Box): Box[] => boxesOf(box.bytes.subarray(8));

export function only(boxes: readonly Box[], type: string): Box {
  const found = boxes.filter((box) => box.type === type);
  if (found.length !== 1 || found[0] === undefined) throw damaged();
  return found[0];
}

export function joinBox(type: string, children: readonly Uint8Array[]): Buffer {
  const size = children.reduce((sum, child) => sum + child.length, 8);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(size, 0);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, ...children]);
}

export function damaged(): AgentError {
  return new AgentError('corrupt', 'vault/bad-movie', "Cannot read the clip's boxes: they are damaged");
}
