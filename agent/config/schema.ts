/**
 * What may stand in `config.json`: every setting with its unit (in its name), range and default. Unknown settings are
 * refused. Secrets never stand here: they are named by a file that holds them.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import { isSimplePolygon } from './polygon.ts';
import { choice, dayMs, decimal, even, filePath, flag, mebibyte, text, whole } from './units.ts';

/** Cross-field rules run even when single fields are wrong, so that one reading lists everything; they must tolerate any input. */
const always = { when: () => true };
const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

function address(schemes: readonly string[], example: string) {
  const error = `expected an address such as ${example}`;
  return z
    .string({ error })
    .max(2048, { error })
    .superRefine((value, context) => {
      const url = URL.canParse(value) ? new URL(value) : undefined;
      if (url === undefined || !schemes.includes(url.protocol) || url.hostname === '') {
        context.addIssue({ code: 'custom', message: error });
      } else if (url.username !== '' || url.password !== '') {
        const message =
          'expected no user name or password inside the address: use "username" and "passwordFile" beside it';
        context.addIssue({ code: 'custom', message });
      }
    });
}

const login = {
  username: text('a user name', 256).exactOptional(),
  passwordFile: filePath.exactOptional(),
};

const loginRule = {
  ...always,
  path: ['passwordFile'],
  error: 'expected "username" beside it: a password without a user name is never sent',
};
const loginIsWhole = (value: unknown): boolean =>
  !isRecord(value) || value['passwordFile'] === undefined || value['username'] !== undefined;

const size = { widthPx: whole('pixels', 160, 7680), heightPx: whole('pixels', 120, 4320) };

const sourceSchema = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({
      kind: z.literal('file'),
      path: filePath,
      pace: choice(['realtime', 'fast']).default('realtime'),
      loop: flag.default(false),
    }),
    z
      .strictObject({
        kind: z.literal('rtsp'),
        url: address(['rtsp:'], 'rtsp://camera.local:554/stream'),
        transport: choice(['tcp', 'udp']).default('tcp'),
        ...login,
      })
      .refine(loginIsWhole, loginRule),
    z.strictObject({
      kind: z.literal('v4l2'),
      device: text('a device such as /dev/video0', 256, /^\/dev\//),
      ...size,
      fps: decimal('frames per second', 1, 120),
      inputFormat: text('a pixel format such as mjpeg', 32, /^[a-z0-9_]+$/).exactOptional(),
    }),
    z.strictObject({
      kind: z.literal('rpicam'),
      ...size,
      fps: decimal('frames per second', 1, 120),
      bitrateBps: whole('bits per second', 100_000, 50_000_000),
      program: filePath.exactOptional(),
    }),
  ],
  { error: 'expected a source with "kind" one of "file", "rtsp", "v4l2", "rpicam"' },
);

const ratio = decimal('share of the picture', 0, 1);
const point = z.tuple([ratio, ratio], {
  error: 'expected a corner [x, y], each from 0 to 1 (share of the picture)',
});
const zoneError = 'expected a polygon of 3 to 32 corners [x, y] whose sides do not cross';
const zone = z
  .array(point, { error: zoneError })
  .refine((corners) => corners.length <= 32 && isSimplePolygon(corners), { error: zoneError });

const maskError = 'expected a privacy mask of 3 to 32 corners [x, y] whose sides do not cross';
const mask = z
  .array(point, { error: maskError })
  .refine((corners) => corners.length <= 32 && isSimplePolygon(corners), { error: maskError });

const personSchema = z
  .strictObject({
    model: z
      .union(
        [
          z.literal('embedded'),
          z.literal('off'),
          z.strictObject({
            path: filePath,
            sha256: text('the SHA-256 of the model, 64 hexadecimal digits', 64, /^[0-9a-f]{64}$/),
            /** What its maker allows; shown, not judged. */
            licence: text('a licence', 200).exactOptional(),
          }),
        ],
        { error: 'expected "embedded", "off" or {"path", "sha256"}' },
      )
      .default('embedded'),
    threshold: decimal('score', 0.01, 0.99).default(0.45),
    needHits: whole('looks that must see a person', 1, 20).default(3),
    ofFrames: whole('looks', 1, 20).default(5),
  })
  .refine((p: { needHits: unknown; ofFrames: unknown }) => !(Number(p?.needHits) > Number(p?.ofFrames)), {
    ...always,
    path: ['ofFrames'],
    error: 'expected at least as many looks as "needHits"',
  });

const clipSchema = z
  .strictObject({
    mode: choice(['person', 'motion', 'continuous']).default('person'),
    preRollMs: whole('milliseconds', 0, 30_000).default(5000),
    postRollMs: whole('milliseconds', 0, 60_000).default(8000),
    maxClipMs: whole('milliseconds', 5000, 60_000).default(60_000),
  })
  .refine((c: { preRollMs: unknown; maxClipMs: unknown }) => !(Number(c?.preRollMs) >= Number(c?.maxClipMs)), {
    ...always,
    path: ['maxClipMs'],
    error: 'expected more milliseconds than "preRollMs"',
  });

export const cameraSchema = z
  .strictObject({
    id: text('a camera id of a-z, 0-9 and hyphens', 32, /^[a-z0-9-]+$/),
    name: text('a name', 64),
    source: sourceSchema,
    detect: z
      .strictObject({
        fps: decimal('frames per second', 0.5, 30).default(5),
        widthPx: even('pixels', 160, 1920).default(640),
        heightPx: even('pixels', 120, 1080).default(360),
      })
      .prefault({}),
    motion: z
      .strictObject({
        sensitivity: decimal('0 deaf, 1 most sensitive', 0, 1).default(0.5),
        minAreaRatio: decimal('share of the picture', 0, 1).default(0.001),
        /** Where motion counts; no zone means the whole picture. */
        zones: z
          .array(zone, { error: 'expected a list of zones' })
          .max(16, { error: 'expected at most 16 zones' })
          .default([]),
      })
      .prefault({}),
    person: personSchema.prefault({}),
    clip: clipSchema.prefault({}),
    /** What is not ours to record: filled solid before anything is stored, shown or looked at. Costs an encoding. */
    privacyMasks: z
      .array(mask, { error: 'expected a list of privacy masks' })
      .max(16, { error: 'expected at most 16 privacy masks' })
      .default([]),
    /** Record what is heard, as a track of its own. Off: many places forbid it, and few visitors expect it. */
    audio: flag.default(false),
  })
  .refine(
    (c: { audio?: unknown; source?: { kind?: unknown } }) =>
      !(c?.audio === true && ['v4l2', 'rpicam'].includes(String(c.source?.kind))),
    {
      ...always,
      path: ['audio'],
      error: 'expected false: sound is recorded from RTSP cameras and files only',
    },
  );

function distinct(values: unknown, key?: string): boolean {
  if (!Array.isArray(values)) return true;
  const seen = values.map((v: unknown) => (key === undefined ? v : (v as Record<string, unknown> | null)?.[key]));
  const named = seen.filter((value) => typeof value === 'string');
  return new Set(named).size === named.length;
}

const cameraList = 'expected a list of 1 to 8 cameras';
const regionList = 'expected a list of 1 to 4 regions such as "US-CA" (ISO 3166-2)';
const nameList = 'expected a list of at most 16 host names';

const brokerSchema = z
  .strictObject(
    {
      url: address(['mqtt:', 'mqtts:'], 'mqtts://broker.example.org:8883'),
      caFile: filePath.exactOptional(),
      ...login,
    },
    { error: 'expected null (no broker) or {"url", …}' },
  )
  .refine(loginIsWhole, loginRule)
  .refine((b: unknown) => !isRecord(b) || b['caFile'] === undefined || !String(b['url']).startsWith('mqtt:'), {
    ...always,
    path: ['caFile'],
    error: 'expected an mqtts:// address beside it: mqtt:// uses no certificate',
  });

/** Where the daily digest goes: plain text by POST, as ntfy and most webhooks take it. */
const digestSchema = z.strictObject(
  {
    url: address(['https:', 'http:'], 'https://ntfy.example.org/my-door'),
    caFile: filePath.exactOptional(),
    tokenFile: filePath.exactOptional(),
  },
  { error: 'expected null (no daily digest) or {"url", …}' },
);

/** The owner's own limits for requests: only stricter ones than the protocol's are taken, which the owner program checks. */
const limitsSchema = z.strictObject({
  maxAheadS: decimal('seconds', 0, 1e9).exactOptional(),
  maxLifetimeS: decimal('seconds', 0, 1e9).exactOptional(),
  minWindowS: decimal('seconds', 0, 1e9).exactOptional(),
  maxWindowS: decimal('seconds', 0, 1e9).exactOptional(),
  maxReachBackS: decimal('seconds', 0, 1e9).exactOptional(),
  minAreaKm2: decimal('square kilometres', 0, 1e9).exactOptional(),
  maxAreaKm2: decimal('square kilometres', 0, 1e9).exactOptional(),
  minCompactness: decimal('0 to 1', 0, 1).exactOptional(),
  maxDeleteByDays: decimal('days', 0, 1e6).exactOptional(),
  maxOutcomeDueDays: decimal('days', 0, 1e6).exactOptional(),
});

export const configSchema = z.strictObject(
  {
    dataDir: text('the path of the data directory', 4096),
    cameras: z
      .array(cameraSchema, { error: cameraList })
      .refine((list) => !Array.isArray(list) || (list.length >= 1 && list.length <= 8), {
        ...always,
        error: cameraList,
      })
      .refine((list) => distinct(list, 'id'), { ...always, error: 'expected every camera to have its own id' }),
    retention: z
      .strictObject({
        maxBytes: whole('bytes', mebibyte, 2 ** 50).default(8 * 1024 * mebibyte),
        maxAgeMs: whole('milliseconds', 60_000, 400 * dayMs).default(7 * dayMs),
        minFreeBytes: whole('bytes', 0, 2 ** 50).default(512 * mebibyte),
      })
      .prefault({}),
    regions: z
      .array(text('a region such as US-CA (ISO 3166-2)', 6, /^[A-Z]{2}-[A-Z0-9]{1,3}$/), { error: regionList })
      .refine((list) => !Array.isArray(list) || (list.length >= 1 && list.length <= 4 && distinct(list)), {
        ...always,
        error: regionList,
      }),
    broker: brokerSchema.nullable().default(null),
    uploads: z
      .strictObject({
        /** For tests and the demo only: an agency's address is otherwise never allowed to be a private one. */
        allowPrivateAddresses: flag.default(false),
        caFile: filePath.exactOptional(),
        /** One that understands CONNECT; it sees where a share goes, and its endpoint sees the proxy instead of the house. */
        proxy: address(['http:'], 'http://127.0.0.1:8118').exactOptional(),
      })
      .prefault({}),
    digest: digestSchema.nullable().default(null),
    web: z
      .strictObject({
        host: z
          .string({ error: 'expected an IP address to listen on' })
          .refine((value) => isIP(value) !== 0, {
            error: 'expected an IP address to listen on, such as 127.0.0.1 or 0.0.0.0',
          })
          .default('127.0.0.1'),
        port: whole('port', 0, 65_535).default(8443),
        names: z
          .array(text('a host name such as door.local', 253, /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/), { error: nameList })
          .max(16, { error: nameList })
          .default([]),
      })
      .prefault({}),
    clock: choice(['auto', 'trust-system']).default('auto'),
    coolingOffMs: whole('milliseconds', 0, 7 * dayMs).default(3_600_000),
    releaseSpreadMs: whole('milliseconds', 0, dayMs).default(21_600_000),
    /** Log-in of a second person who must confirm every share. */
    secondApprover: text('the name of a log-in', 32, /^[a-z0-9][a-z0-9._-]*$/)
      .nullable()
      .default(null),
    limits: limitsSchema.prefault({}),
    ffmpegPath: filePath.exactOptional(),
  },
  { error: 'expected one JSON object' },
);

type Frozen<T> = T extends string | number | boolean | null | undefined ? T : { readonly [K in keyof T]: Frozen<T[K]> };

/** The configuration as the programs get it: complete, every path absolute. */
export type Config = Frozen<z.output<typeof configSchema>>;
export type CameraConfig = Config['cameras'][number];
export type SourceSettings = CameraConfig['source'];
export type MotionConfig = CameraConfig['motion'];
export type PersonConfig = CameraConfig['person'];
export type ClipConfig = CameraConfig['clip'];
export type DetectConfig = CameraConfig['detect'];
export type RetentionConfig = Config['retention'];
export type BrokerConfig = NonNullable<Config['broker']>;
export type UploadsConfig = Config['uploads'];
export type WebConfig = Config['web'];
/** What a person writes into the file: everything with a default may be left out. */
export type ConfigInput = z.input<typeof configSchema>;
