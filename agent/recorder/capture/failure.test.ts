import { describe, expect, test } from 'vitest';
import { judgeEnd } from './failure.ts';
import type { SourceConfig } from './source.ts';

describe('the reason of an end', () => {
  const rtsp: SourceConfig = { kind: 'rtsp', url: 'rtsp://camera/', transport: 'tcp' };
  const file: SourceConfig = { kind: 'file', path: '/film.mp4', pace: 'fast', loop: false };
  const end = (source: SourceConfig, status: number, line: string, fragmentCount = 0): string | undefined =>
    judgeEnd(source, { exit: { status, signal: null }, lines: [line], fragmentCount })?.code;

  test('is told by what was said, unless there was video already', () => {
    expect(end(rtsp, 1, 'method DESCRIBE failed: 401 Unauthorized')).toBe('capture/unauthorised');
    expect(end(rtsp, 1, 'method DESCRIBE failed: 404 Not Found')).toBe('capture/source-missing');
    expect(end(rtsp, 1, 'Connection refused')).toBe('capture/source-missing');
    expect(end(file, 1, 'Invalid data found when processing input')).toBe('capture/bad-stream');
    expect(end(file, 1, "Stream map '0:v:0' matches no streams.")).toBe('capture/bad-stream');
    expect(end(file, 0, '')).toBe('capture/bad-stream');
    expect(end(file, 0, '', 5)).toBeUndefined();
    expect(end(file, 1, 'Input/output error', 5)).toBe('capture/source-ended');
  });

  test('status 0 of a live source is a failure', () => {
    expect(end(rtsp, 0, '', 5)).toBe('capture/source-ended');
    expect(end(rtsp, 0, '')).toBe('capture/source-missing');
  });

  test('an ffmpeg that has gone since it was found is missing', () => {
    const startError = Object.assign(new Error('spawn'), { code: 'ENOENT' });
    const exit = { status: null, signal: null, startError };
    expect(judgeEnd(file, { exit, lines: [], fragmentCount: 0 })).toMatchObject({ code: 'base/ffmpeg-missing' });
  });
});
