/** A picture of a camera as it would be recorded, masks burned in, under a grid by which masks can be read off. */
import sharp from 'sharp';
import { systemClock } from '../base/clock.ts';
import { AgentError, asAgentError } from '../base/errors.ts';
import { yuvToRgb } from '../base/image.ts';
import { silentLog } from '../base/log.ts';
import type { CameraConfig } from '../config/schema.ts';
import { resolveSource } from '../config/source.ts';
import { startCapture } from '../recorder/capture/capture.ts';
import type { SmallFrame } from '../recorder/stages.ts';
import { svgText } from './drawing.ts';

const [widthPx, heightPx] = [960, 540];
const longestWaitMs = 20_000;
const lineColour = '#ffe600';
const maskColour = '#ff2d78';

/** Throws what the camera throws, and `mask/no-picture` when it sends none in time. */
async function takePicture(camera: CameraConfig, ffmpegPath: string | undefined, waitMs: number): Promise<SmallFrame> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), waitMs);
  let first: SmallFrame | undefined;
  const source = resolveSource(camera.source);
  const capture = startCapture(
    {
      source: source.kind === 'file' ? { ...source, loop: false } : source,
      detect: { fps: 5, widthPx, heightPx },
      privacyMasks: camera.privacyMasks,
      ffmpegPath,
      clock: systemClock,
      log: silentLog,
      signal: stop.signal,
      restart: false,
    },
    {
      onRun: () => {},
      onFragment: () => {},
      onFrame: (frame) => {
        first ??= frame;
        stop.abort();
      },
      onAnchor: () => {},
      onRunEnd: () => {},
      onState: () => {},
    },
  );
  try {
    const problem = await capture.done.then(() => undefined, asAgentError);
    if (first !== undefined) return first;
    throw (
      problem ?? new AgentError('unavailable', 'mask/no-picture', 'Cannot show the camera: it sent no picture in time')
    );
  } finally {
    clearTimeout(timer);
  }
}

function gridSvg(masks: CameraConfig['privacyMasks']): string {
  const lines: string[] = [];
  for (let percent = 10; percent < 100; percent += 10) {
    const [x, y] = [(widthPx * percent) / 100, (heightPx * percent) / 100];
    const stroke = `stroke="${lineColour}" stroke-width="1" stroke-opacity="0.7"`;
    lines.push(`<path d="M${x} 0V${heightPx}M0 ${y}H${widthPx}" ${stroke}/>`);
    const look = { colour: lineColour, sizePx: 14, weight: 'bold' } as const;
    lines.push(svgText(x + 3, 15, `${percent}%`, look), svgText(3, y - 3, `${percent}%`, look));
  }
  const outlines = masks.map((mask) => {
    const points = mask.map(([x, y]) => `${(x * widthPx).toFixed(1)},${(y * heightPx).toFixed(1)}`).join(' ');
    return `<polygon points="${points}" fill="none" stroke="${maskColour}" stroke-width="3"/>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${widthPx}" height="${heightPx}">${[...lines, ...outlines].join('')}</svg>`;
}

/** A PNG. */
export async function drawMasks(
  camera: CameraConfig,
  ffmpegPath: string | undefined,
  waitMs = longestWaitMs,
): Promise<Buffer> {
  const frame = await takePicture(camera, ffmpegPath, waitMs);
  return sharp(yuvToRgb(frame), { raw: { width: widthPx, height: heightPx, channels: 3 } })
    .composite([{ input: Buffer.from(gridSvg(camera.privacyMasks)) }])
    .png()
    .toBuffer();
}
