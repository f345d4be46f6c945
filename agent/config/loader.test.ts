import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { AgentError } from '../base/errors.ts';
import { loadConfig, maxConfigBytes, parseConfig } from './loader.ts';
import { isSimplePolygon, type Point } from './polygon.ts';
import type { ConfigInput } from './schema.ts';
import { readPasswordFile, resolveSource } from './source.ts';

const folder = mkdtempSync(join(tmpdir(), 'latchkey-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const small: ConfigInput = {
  dataDir: 'data',
  cameras: [{ id: 'front', name: 'Front door', source: { kind: 'file', path: 'door.mp4' } }],
  regions: ['US-CA'],
};

const camera = (more: object): object => ({ ...small.cameras[0], ...more });
const corners = (...points: Point[]): Point[] => points;

function failure(action: () => unknown): AgentError {
  try {
    action();
  } catch (thrown) {
    if (thrown instanceof AgentError) return thrown;
    throw thrown;
  }
  throw new Error('nothing was thrown');
}

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('a configuration', () => {
  it('refuses sound from a source that has none', () => {
    const pi = { kind: 'rpicam', widthPx: 1280, heightPx: 720, fps: 15, bitrateBps: 2_000_000 };
    const error = failure(() => parseConfig({ ...small, cameras: [camera({ source: pi, audio: true })] }, folder));
    expect(error.message).toContain(
      'cameras[0].audio: expected false: sound is recorded from RTSP cameras and files only',
    );
  });

  it('needs only folder, camera and region; the rest has defaults, and paths start at its own folder', () => {
    const config = loadConfig(write('config.json', JSON.stringify(small)));
    expect(config).toEqual({
      dataDir: join(folder, 'data'),
      cameras: [
        {
          id: 'front',
          name: 'Front door',
          source: { kind: 'file', path: join(folder, 'door.mp4'), pace: 'realtime', loop: false },
          detect: { fps: 5, widthPx: 640, heightPx: 360 },
          motion: { sensitivity: 0.5, minAreaRatio: 0.001, zones: [] },
          person: { model: 'embedded', threshold: 0.45, needHits: 3, ofFrames: 5 },
          clip: { mode: 'person', preRollMs: 5000, postRollMs: 8000, maxClipMs: 60_000 },
          privacyMasks: [],
          audio: false,
        },
      ],
      retention: { maxBytes: 8_589_934_592, maxAgeMs: 604_800_000, minFreeBytes: 536_870_912 },
      regions: ['US-CA'],
      broker: null,
      uploads: { allowPrivateAddresses: false },
      digest: null,
      web: { host: '127.0.0.1', port: 8443, names: [] },
      clock: 'auto',
      coolingOffMs: 3_600_000,
      releaseSpreadMs: 21_600_000,
      secondApprover: null,
      limits: {},
    });
  });

  it('takes the files of the daily digest from its own folder, and a proxy for uploads without a password in it', () => {
    const digest = { url: 'https://ntfy.example/door', tokenFile: 'token', caFile: '/etc/ca.pem' };
    const { uploads, digest: read } = parseConfig(
      { ...small, digest, uploads: { proxy: 'http://127.0.0.1:8118' } },
      folder,
    );
    expect(read).toEqual({ ...digest, tokenFile: join(folder, 'token') });
    expect(uploads.proxy).toBe('http://127.0.0.1:8118');
    const wrong = { ...small, digest: { url: 'ftp://x' }, uploads: { proxy: 'http://joe:hunter2@127.0.0.1:8118' } };
    const { message } = failure(() => parseConfig(wrong, folder));
    expect(message).toContain('digest.url: expected an address such as https://ntfy.example.org/my-door');
    expect(message).toContain('uploads.proxy: expected no user name or password inside the address');
    expect(message).not.toContain('hunter2');
  });

  it('lists every problem at once with its path, what was expected, the unit and what stands there', () => {
    const error = failure(() =>
      parseConfig(
        {
          dataDir: '',
          cameras: [
            camera({
              clip: { preRollMs: 45_000, mode: 'always', maxClipMs: 20_000 },
              person: { model: { path: 'm.onnx', sha256: 'abc' }, needHits: 6 },
              motion: { sensitivity: '0.5', zones: [[[0, 0], [1, 1], [1, 0], [0, 1]]] },
            }), // biome-ignore format: one zone
            camera({ source: { kind: 'rtsp', url: 'rtsp://joe:hunter2@10.0.0.9/s', transport: 'quic' } }),
            camera({
              id: 'Back Door',
              name: 'a\u0007b',
              source: { kind: 'hdmi' },
              audio: 'loud',
              detect: { fps: 99, widthPx: 641, colour: true },
            }),
          ],
          retention: { maxBytes: 12.5 },
          regions: ['California', 'US-CA', 'US-NV', 'US-AZ', 'US-OR'],
          broker: { url: 'http://broker', passwordFile: 'p' },
          web: { host: 'localhost', port: 70_000 },
          coolingOffMs: -1,
          telemetry: true,
        },
        folder,
      ),
    );
    expect(error.code).toBe('config/invalid');
    expect(error.exitStatus).toBe(3);
    expect(error.message).not.toContain('hunter2');
    const [head, ...lines] = error.message.split('\n');
    expect(lines.map((line) => line.trim())).toEqual([
      'dataDir: expected the path of the data directory (text of 1 to 4096 characters), found an empty text',
      'cameras[0].motion.sensitivity: expected a number from 0 to 1 (0 deaf, 1 most sensitive), found a text that is not',
      'cameras[0].motion.zones[0]: expected a polygon of 3 to 32 corners [x, y] whose sides do not cross, found a list of 4',
      'cameras[0].person.model.sha256: expected the SHA-256 of the model, 64 hexadecimal digits (text of 1 to 64 characters), found a text that is not',
      'cameras[0].person.ofFrames: expected at least as many looks as "needHits", it is missing',
      'cameras[0].clip.mode: expected one of "person", "motion", "continuous", found a text that is not',
      'cameras[0].clip.preRollMs: expected a whole number of milliseconds from 0 to 30000, found 45000',
      'cameras[0].clip.maxClipMs: expected more milliseconds than "preRollMs", found 20000',
      'cameras[1].source.url: expected no user name or password inside the address: use "username" and "passwordFile" beside it, found a text that is not',
      'cameras[1].source.transport: expected one of "tcp", "udp", found a text that is not',
      'cameras[2].id: expected a camera id of a-z, 0-9 and hyphens (text of 1 to 32 characters), found a text that is not',
      'cameras[2].name: expected a name (text of 1 to 64 characters), found a text that is not',
      'cameras[2].source.kind: expected a source with "kind" one of "file", "rtsp", "v4l2", "rpicam", found a text that is not',
      'cameras[2].detect.fps: expected a number from 0.5 to 30 (frames per second), found 99',
      'cameras[2].detect.widthPx: expected an even number of pixels from 160 to 1920, found 641',
      'cameras[2].detect.colour: there is no such setting',
      'cameras[2].audio: expected true or false, found a text that is not',
      'cameras: expected every camera to have its own id, found a list of 3',
      'retention.maxBytes: expected a whole number of bytes from 1048576 to 1125899906842624, found 12.5',
      'regions[0]: expected a region such as US-CA (ISO 3166-2) (text of 1 to 6 characters), found a text that is not',
      'regions: expected a list of 1 to 4 regions such as "US-CA" (ISO 3166-2), found a list of 5',
      'broker.url: expected an address such as mqtts://broker.example.org:8883, found a text that is not',
      'broker.passwordFile: expected "username" beside it: a password without a user name is never sent, found a text that is not',
      'web.host: expected an IP address to listen on, such as 127.0.0.1 or 0.0.0.0, found a text that is not',
      'web.port: expected a whole number of port from 0 to 65535, found 70000',
      'coolingOffMs: expected a whole number of milliseconds from 0 to 604800000, found -1',
      'telemetry: there is no such setting',
    ]);
    expect(head).toBe('Cannot use the configuration: 27 problems');
    expect(error.detail).toEqual({ count: 27 });
  });

  it.each([
    [[]],
    [null],
    [3],
    ['text'],
    [{}],
    [{ cameras: 7, regions: {}, broker: 3, web: [] }],
    [{ cameras: [null] }],
  ])('answers %j with problems, never with a bug', (raw) => {
    expect(failure(() => parseConfig(raw, folder)).code).toBe('config/invalid');
  });

  it('survives any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom('dataDir', 'cameras', 'regions', 'broker', 'web'), (value, key) => {
        expect(failure(() => parseConfig({ [key]: value }, folder)).code).toBe('config/invalid');
      }),
      { numRuns: 300 },
    );
  });
});

describe('a file that is no configuration', () => {
  it('missing', () => {
    const error = failure(() => loadConfig(join(folder, 'nowhere.json')));
    expect(error.code).toBe('config/missing');
    expect(error.message).toContain('latchkey init');
  });

  it('unreadable: a folder, or forbidden to this user', () => {
    mkdirSync(join(folder, 'folder.json'));
    const error = failure(() => loadConfig(join(folder, 'folder.json')));
    expect(error.code).toBe('config/unreadable');
    expect(error.message).toContain('not a regular file');
    const forbidden = write('forbidden.json', JSON.stringify(small));
    chmodSync(forbidden, 0o000);
    // The superuser may read everything; anybody else gets the reason.
    if (process.getuid?.() !== 0) expect(failure(() => loadConfig(forbidden)).code).toBe('config/unreadable');
  });

  it('not JSON: names the line and never quotes the text', () => {
    const error = failure(() => loadConfig(write('bad.json', '{\n  "password": "hunter2"\n  "x": 1\n}')));
    expect(error.code).toBe('config/not-json');
    expect(error.message).toContain('line 3');
    expect(error.message).not.toContain('hunter2');
  });

  it('too large', () => {
    expect(failure(() => loadConfig(write('large.json', ' '.repeat(maxConfigBytes + 1)))).code).toBe(
      'config/too-large',
    );
  });
});

describe('a password file', () => {
  const rtsp = { kind: 'rtsp', url: 'rtsp://10.0.0.9/s', transport: 'tcp', username: 'joe' } as const;

  it('gives the password to the source, without the line end', () => {
    const passwordFile = write('password', 'correct horse\n');
    expect(resolveSource({ ...rtsp, passwordFile })).toEqual({ ...rtsp, password: 'correct horse' });
    expect(resolveSource(rtsp)).toEqual(rtsp);
  });

  it.each([
    ['config/password-missing', () => join(folder, 'none')],
    ['config/password-unreadable', () => folder],
    ['config/password-invalid', () => write('empty', '\n')],
    ['config/password-invalid', () => write('two-lines', 'a\nb\n')],
    ['config/password-invalid', () => write('long', 'x'.repeat(1025))],
  ])('%s', (code, path) => {
    expect(failure(() => readPasswordFile(path())).code).toBe(code);
  });
});

describe('a privacy mask', () => {
  const of = (privacyMasks: unknown) => () => parseConfig({ ...small, cameras: [camera({ privacyMasks })] }, folder);

  it('is kept as it was drawn, to the edges of the picture', () => {
    const masks = [corners([0, 0], [1, 0], [1, 0.25]), corners([0.5, 0.5], [1, 0.5], [1, 1], [0.5, 1])];
    expect(of(masks)().cameras[0]?.privacyMasks).toEqual(masks);
  });

  it.each([
    ['two corners', [corners([0, 0], [1, 1])]],
    ['sides that cross', [corners([0, 0], [1, 1], [1, 0], [0, 1])]],
    ['no area', [corners([0, 0], [0.5, 0.5], [1, 1])]],
    ['a corner outside the picture', [corners([0, 0], [1.01, 0], [0, 1])]],
    ['a corner that is no number', [[[0, 0], [null, 0], [0, 1]]]], // biome-ignore format: one mask
    ['33 corners', [Array.from({ length: 33 }, (_, i) => [i / 33, (i % 2) / 2])]],
    ['17 masks', Array.from({ length: 17 }, () => corners([0, 0], [1, 0], [0, 1]))],
    ['no list', 'all'],
  ])('%s: refused rather than recorded unmasked', (_, masks) => {
    const error = failure(of(masks));
    expect(error.code).toBe('config/invalid');
    expect(error.message).toContain('cameras[0].privacyMasks');
  });
});

describe('a zone', () => {
  it.each([
    ['a triangle', true, corners([0, 0], [1, 0], [0, 1])],
    ['a concave polygon', true, corners([0, 0], [1, 0], [0.5, 0.2], [1, 1])],
    ['a corner on a straight side', true, corners([0, 0], [0.5, 0], [1, 0], [1, 1])],
    ['two corners', false, corners([0, 0], [1, 0])],
    ['a line', false, corners([0, 0], [0.5, 0.5], [1, 1])],
    ['a bow tie', false, corners([0, 0], [1, 1], [1, 0], [0, 1])],
    ['a spike', false, corners([0, 0], [1, 0], [0.5, 0], [0.5, 1])],
    ['the same corner twice', false, corners([0, 0], [0, 0], [1, 0], [0, 1])],
    ['a corner that touches another side', false, corners([0, 0], [1, 0], [1, 1], [0.5, 0], [0, 1])],
  ])('%s: simple %s', (_, simple, points) => {
    expect(isSimplePolygon(points)).toBe(simple);
  });
});
