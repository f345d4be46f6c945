/** A stream as the recorder stores it: fragments by keyframe with their places, without proofs. */
import { spawnSync } from 'node:child_process';
import type { FragmentEntry } from '../../../agent/vault/content.ts';

export interface FragmentedStream {
  readonly video: Buffer;
  readonly fragments: readonly FragmentEntry[];
}

export function fragmentStream(ffmpeg: string, path: string, seconds: number): FragmentedStream {
  const flags = '+frag_keyframe+empty_moov+default_base_moof+frag_discont';
  const args = [
    '-v',
    'error',
    '-i',
    path,
    '-t',
    String(seconds),
    '-an',
    '-c',
    'copy',
    '-movflags',
    flags,
    '-f',
    'mp4',
    'pipe:1',
  ];
  const { status, stdout, stderr } = spawnSync(ffmpeg, args, { maxBuffer: 2 ** 30 });
  if (status !== 0) throw new Error(`ffmpeg cannot cut ${path}: ${stderr.toString()}`);
  const starts: number[] = [0];
  for (let at = 0; at < stdout.length; at += stdout.readUInt32BE(at)) {
    if (stdout.toString('latin1', at + 4, at + 8) === 'moof') starts.push(at);
  }
  const fragments = starts.map((offset, index) => ({
    index,
    track: 1,
    offset,
    bytes: (starts[index + 1] ?? stdout.length) - offset,
    start_ms: index,
    duration_ms: index === 0 ? 0 : 1,
    keyframe: true,
    salt: '00'.repeat(16),
    sha256: '00'.repeat(32),
  }));
  return { video: stdout, fragments };
}
