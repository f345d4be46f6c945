import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cameraCommand, copyCommand, decodeArguments, frameBytes } from './arguments.ts';
import type { RtspSource, SourceConfig } from './source.ts';

const rtsp: RtspSource = { kind: 'rtsp', url: 'rtsp://192.0.2.7:8554/main?x=1', transport: 'tcp' };

function after(args: readonly string[], name: string): string | undefined {
  return args[args.indexOf(name) + 1];
}

describe('process A', () => {
  const sources: SourceConfig[] = [
    { kind: 'file', path: '/a b/-c.mp4', pace: 'fast', loop: false },
    rtsp,
    { kind: 'v4l2', device: '/dev/video0', widthPx: 1280, heightPx: 720, fps: 15 },
    { kind: 'rpicam', widthPx: 1280, heightPx: 720, fps: 15, bitrateBps: 2_000_000 },
  ];

  test.each(sources)('$kind: one video stream, no sound, fragments on standard output', (source) => {
    const { args } = copyCommand(source);
    expect(args).toContain('-nostdin');
    expect(after(args, '-map')).toBe('0:v:0');
    expect(args).toContain('-an');
    expect(after(args, '-movflags')).toContain('+frag_keyframe');
    expect(args.at(-1)).toBe('pipe:1');
  });

  test('what is stored names neither the program that wrote it nor its version', () => {
    const porch = join(import.meta.dirname, '../../../test-fixtures/streams/porch-day.mp4');
    const { args } = copyCommand({ kind: 'file', path: porch, pace: 'fast', loop: false });
    const stored = execFileSync('ffmpeg', args, { maxBuffer: 1 << 26, stdio: ['ignore', 'pipe', 'ignore'] });
    const init = stored.subarray(0, stored.indexOf('moof'));
    expect(init.length).toBeGreaterThan(300);
    for (const tag of ['Lavf', 'ffmpeg', 'Lavc']) expect(init.includes(tag)).toBe(false);
  });

  test('a file name is never an option or an address', () => {
    const file = copyCommand({ kind: 'file', path: '-rf http://x', pace: 'realtime', loop: true });
    expect(after(file.args, '-i')).toBe('file:-rf http://x');
    expect(after(file.args, '-protocol_whitelist')).toBe('file');
    expect(after(file.args, '-format_whitelist')).toMatch(/^mov,/);
    expect(file.args).toContain('-re');
    expect(file.stdin).toBe('nothing');
  });

  test('an RTSP address and its password are in the script, nowhere in the arguments', () => {
    const command = copyCommand({ ...rtsp, username: 'front', password: "p'\n@:/%" });
    expect(command.stdin).toBe('script');
    expect(command.args.join(' ')).not.toMatch(/192\.0\.2\.7|front|p'/);
    expect(command.script?.split('\n')).toEqual([
      'ffconcat version 1.0',
      "file 'rtsp://front:p%27%0A%40%3A%2F%25@192.0.2.7:8554/main?x=1'",
      'option rtsp_transport tcp',
      'option allowed_media_types video',
      'option timeout 10000000',
      'option fpsprobesize 0',
      '',
    ]);
    expect(after(command.args, '-protocol_whitelist')).toBe('pipe,rtsp,tcp');
    expect(command.secrets).toContain("p'\n@:/%");
    expect(command.secrets).toContain('p%27%0A%40%3A%2F%25');
  });

  test('UDP opens the protocols that it needs', () => {
    const command = copyCommand({ ...rtsp, transport: 'udp' });
    expect(after(command.args, '-protocol_whitelist')).toBe('pipe,rtsp,tcp,udp,rtp');
    expect(command.script).toContain('option rtsp_transport udp\n');
  });

  test.each([
    ['http://192.0.2.7/', 'another protocol'],
    ['rtsp://front:secret@192.0.2.7/', 'user information in the address'],
    ['rtsp:///main', 'no host'],
    ['192.0.2.7', 'no protocol'],
    ['file:///etc/passwd', 'a file'],
  ])('%s is refused: %s', (url) => {
    const error = expect.objectContaining({ code: 'capture/bad-address', kind: 'config' }) as Error;
    expect(() => copyCommand({ ...rtsp, url })).toThrowError(error);
    expect(() => copyCommand({ ...rtsp, url })).not.toThrow(/secret|192/);
  });

  test.each(["rtsp://192.0.2.7/a'b", 'rtsp://192.0.2.7/a\nfile x', 'rtsp://192.0.2.7/a\\b c'])(
    'nothing in an address ends the line that it stands in: %j',
    (url) => {
      const lines = copyCommand({ ...rtsp, url }).script?.split('\n') ?? [];
      expect(lines.filter((line) => line.startsWith('file '))).toHaveLength(1);
      expect(lines[1]).toMatch(/^file 'rtsp:\/\/192\.0\.2\.7\/[^'\\\s]*'$/);
    },
  );

  test('a V4L2 camera: what it encodes itself is copied, all else encoded', () => {
    const camera = { kind: 'v4l2', device: '/dev/video2', widthPx: 1280, heightPx: 720, fps: 15 } as const;
    const raw = copyCommand({ ...camera, inputFormat: 'mjpeg' }).args;
    expect(raw.slice(raw.indexOf('-f'), raw.indexOf('-map'))).toEqual(
      '-f v4l2 -input_format mjpeg -video_size 1280x720 -framerate 15 -i /dev/video2'.split(' '),
    );
    expect(after(raw, '-c:v')).toBe('libx264');
    expect(after(raw, '-preset')).toBe('veryfast');
    expect(after(raw, '-g')).toBe('30');
    expect(after(copyCommand({ ...camera, inputFormat: 'h264' }).args, '-c:v')).toBe('copy');
    const hardware = copyCommand({ ...camera, encoder: 'h264_v4l2m2m' }).args;
    expect(after(hardware, '-c:v')).toBe('h264_v4l2m2m');
    expect(hardware).not.toContain('-input_format');
  });

  test('the Pi camera’s program', () => {
    const { command, args } = cameraCommand({
      kind: 'rpicam',
      widthPx: 1920,
      heightPx: 1080,
      fps: 15,
      bitrateBps: 3e6,
    });
    expect(command).toBe('rpicam-vid');
    expect(args.join(' ')).toBe(
      '--nopreview --timeout 0 --codec h264 --inline --flush --width 1920 --height 1080 --framerate 15 ' +
        '--bitrate 3000000 --intra 30 --output -',
    );
  });
});

test('process B: one thread, sampled by distance, scaled by area, nothing opened but its pipes', () => {
  const args = decodeArguments({ fps: 5, widthPx: 640, heightPx: 360 });
  // For the decoder and again for the output, or frames come late by one for every core.
  expect(args.join(' ').match(/\s-threads 1 /g)).toHaveLength(2);
  expect(after(args, '-skip_loop_filter')).toBe('all');
  expect(after(args, '-protocol_whitelist')).toBe('pipe');
  expect(after(args, '-vf')).toBe(
    "select='isnan(prev_selected_t)+gte(t-prev_selected_t\\,0.1900)',scale=640:360:flags=area:out_range=tv,format=yuv420p",
  );
  expect(args.filter((arg) => arg.startsWith('pipe'))).toEqual(['pipe', 'pipe:0', 'pipe:1']);
  expect(frameBytes({ fps: 5, widthPx: 640, heightPx: 360 })).toBe(345_600);
});
