/** What `init` has to know, as pure parsing: one function per answer, each refusing with what it expected. */
import { resolve } from 'node:path';
import { AgentError } from '../base/errors.ts';
import type { ConfigInput } from '../config/schema.ts';

type Camera = ConfigInput['cameras'][number];
export type SourceInput = Camera['source'];
export type Zones = NonNullable<NonNullable<Camera['motion']>['zones']>;

export type Masks = NonNullable<Camera['privacyMasks']>;

function refuse(message: string): AgentError {
  return new AgentError('usage', 'init/bad-answer', message);
}

/** `file:/path`, `rtsp://…`, `v4l2:/dev/video0` or `rpicam`. */
export function parseSource(text: string): SourceInput {
  if (text.startsWith('rtsp://')) return { kind: 'rtsp', url: text };
  if (text.startsWith('file:') && text.length > 5) return { kind: 'file', path: resolve(text.slice(5)), loop: true };
  if (text.startsWith('v4l2:/dev/')) {
    return { kind: 'v4l2', device: text.slice(5), widthPx: 1280, heightPx: 720, fps: 15 };
  }
  if (text === 'rpicam') return { kind: 'rpicam', widthPx: 1920, heightPx: 1080, fps: 15, bitrateBps: 4_000_000 };
  throw refuse('Cannot use that camera: expected rpicam, v4l2:/dev/video0, rtsp://ADDRESS or file:PATH');
}

/** As the schema takes it, so that a slip is asked for again and not told at the very end. */
export function parseBrokerUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const named = url !== undefined && url.hostname !== '' && url.username === '' && url.password === '';
  if (!named || (url.protocol !== 'mqtt:' && url.protocol !== 'mqtts:')) {
    throw refuse(
      'Cannot use that broker: expected an address such as mqtts://broker.example.org:8883, without user name or password',
    );
  }
  return text;
}

/** Degrees as people read them from a map, kept as micro-degrees (about 11 cm). */
export function parseDegrees(text: string, limit: 90 | 180): number {
  const degrees = Number(text);
  if (text.trim() === '' || !Number.isFinite(degrees) || Math.abs(degrees) > limit) {
    const name = limit === 90 ? 'latitude' : 'longitude';
    throw refuse(`Cannot use that ${name}: expected decimal degrees from -${limit} to ${limit}, such as 39.7817`);
  }
  return Math.round(degrees * 1e6);
}

/** One or more regions, separated by spaces or commas. */
export function parseRegions(text: string): string[] {
  const regions = text.toUpperCase().split(/[\s,]+/).filter((part) => part !== ''); // biome-ignore format: one step a call
  const good = regions.every((region) => /^[A-Z]{2}-[A-Z0-9]{1,3}$/.test(region));
  if (!good || regions.length < 1 || regions.length > 4) {
    throw refuse('Cannot use that region: expected one to four such as US-CA (ISO 3166-2)');
  }
  return regions;
}

/** `0,0.4 1,0.4 1,1 0,1`: corners of one zone; empty is the whole picture. Shape and range are the schema's matter. */
export function parseZone(text: string): Zones[number] | undefined {
  if (text.trim() === '') return undefined;
  return text
    .trim()
    .split(/\s+/)
    .map((corner): [number, number] => {
      const [x, y, ...more] = corner.split(',').map((part) => (part === '' ? Number.NaN : Number(part)));
      if (x === undefined || y === undefined || more.length > 0 || Number.isNaN(x) || Number.isNaN(y)) {
        throw refuse(
          'Cannot use that zone: expected corners such as 0,0.4 1,0.4 1,1 0,1 (x,y as shares of the picture)',
        );
      }
      return [x, y];
    });
}

const maskForms =
  'expected a rectangle LEFT,TOP,RIGHT,BOTTOM such as 0%,0%,100%,25%, or at least three corners such as 0%,0% 40%,0% 30%,100%';

function parseShare(text: string): number {
  const [, digits = '', percent = ''] = /^(\d+(?:\.\d+)?)(%?)$/.exec(text) ?? [];
  const share = Number(digits) / (percent === '' ? 1 : 100);
  if (digits === '' || share > 1) throw refuse(`Cannot use that mask: ${maskForms}`);
  return share;
}

/** One privacy mask, in per cent or in shares of the picture; empty is none. Crossing sides are the schema's matter. */
export function parseMask(text: string): Masks[number] | undefined {
  if (text.trim() === '') return undefined;
  const corners = text.trim().split(/\s+/).map((corner) => corner.split(',').map((part) => parseShare(part))); // biome-ignore format: one step a call
  const [first] = corners;
  if (corners.length === 1 && first?.length === 4) {
    const [left = 0, top = 0, right = 0, bottom = 0] = first;
    if (left >= right || top >= bottom) throw refuse(`Cannot use that mask: ${maskForms}`);
    return [[left, top], [right, top], [right, bottom], [left, bottom]]; // biome-ignore format: one rectangle
  }
  if (corners.length < 3) throw refuse(`Cannot use that mask: ${maskForms}`);
  return corners.map(([x, y, ...more]): [number, number] => {
    if (x === undefined || y === undefined || more.length > 0) throw refuse(`Cannot use that mask: ${maskForms}`);
    return [x, y];
  });
}

export function parseCameraId(text: string): string {
  if (!/^[a-z0-9-]{1,32}$/.test(text))
    throw refuse('Cannot use that camera id: expected 1 to 32 of a-z, 0-9 and hyphens');
  return text;
}

export function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw refuse('Cannot use that port: expected a number from 0 to 65535');
  return port;
}

const minPasswordChars = 12;

export function parsePassword(text: string): string {
  if (text.length < minPasswordChars) {
    throw refuse(`Cannot use that password: expected at least ${minPasswordChars} characters`);
  }
  return text;
}
