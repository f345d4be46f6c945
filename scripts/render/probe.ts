/** What a video file says of itself, through ffprobe. */
import { z } from 'zod';
import { Child } from '../../agent/base/child.ts';
import { AgentError } from '../../agent/base/errors.ts';

export interface VideoFacts {
  readonly widthPx: number;
  readonly heightPx: number;
  /** Presentation times from the first frame on, in milliseconds. */
  readonly timesMs: readonly number[];
  readonly hasSound: boolean;
}

const answerSchema = z.object({
  streams: z.array(z.object({ codec_type: z.string(), width: z.number().optional(), height: z.number().optional() })),
  packets: z.array(z.object({ codec_type: z.string(), pts_time: z.string().optional() })),
});

export async function probeVideo(ffprobe: string, path: string): Promise<VideoFacts> {
  await using child = new Child({
    command: ffprobe,
    args: [
      '-v',
      'error',
      '-of',
      'json',
      '-show_entries',
      'stream=codec_type,width,height:packet=codec_type,pts_time',
      path,
    ],
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  child.process.stdout?.setEncoding('utf8').on('data', (part: string) => {
    if (text.length < 16_000_000) text += part;
  });
  const exit = await child.exited;
  const parsed = exit.status === 0 && text.length > 0 ? answerSchema.safeParse(JSON.parse(text)) : undefined;
  const video = parsed?.data?.streams.find((stream) => stream.codec_type === 'video');
  if (parsed?.data === undefined || video?.width === undefined || video.height === undefined) {
    throw new AgentError(
      'corrupt',
      'render/bad-video',
      `Cannot read a stream: ${child.lastLines.at(-1) ?? 'ffprobe found no video'}`,
    );
  }
  const times = parsed.data.packets
    .filter((packet) => packet.codec_type === 'video')
    .map((packet) => Number(packet.pts_time))
    .toSorted((a, b) => a - b);
  const first = times[0] ?? 0;
  return {
    widthPx: video.width,
    heightPx: video.height,
    timesMs: times.map((time) => Math.round((time - first) * 1000)),
    hasSound: parsed.data.streams.some((stream) => stream.codec_type === 'audio'),
  };
}
