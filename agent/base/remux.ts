/** File-to-file jobs of ffmpeg, by fluent-ffmpeg. The live pipeline needs several pipes at once and starts ffmpeg itself. */
import { rmSync } from 'node:fs';
import ffmpeg from 'fluent-ffmpeg';
import { AgentError } from './errors.ts';

/**
 * Rewrites a fragmented MP4 as a plain one that begins at zero and that every player can seek; no picture is touched.
 * Throws `base/remux-failed` and leaves no file.
 */
export async function remuxToPlainMp4(options: {
  readonly ffmpegPath: string;
  /** Several are put side by side: pictures and sound. */
  readonly input: string | readonly string[];
  readonly output: string;
}): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      const inputs = [options.input].flat();
      const job = ffmpeg().setFfmpegPath(options.ffmpegPath);
      for (const input of inputs) job.input(input).inputOptions(['-nostdin', '-protocol_whitelist', 'file']);
      const maps = inputs.flatMap((_, i) => ['-map', String(i)]);
      job
        .outputOptions(['-c', 'copy', ...maps, '-map_metadata', '-1', '-movflags', '+faststart', '-f', 'mp4'])
        .on('end', () => resolve())
        .on('error', reject)
        .save(options.output);
    });
  } catch (cause) {
    rmSync(options.output, { force: true });
    throw new AgentError(
      'corrupt',
      'base/remux-failed',
      'Cannot write a plain MP4: ffmpeg does not take the recording',
      {
        cause,
      },
    );
  }
}
