/** `list`, `render` and `frames`. */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { findFfmpeg } from '../../agent/base/ffmpeg.ts';
import { catalog, committed } from './catalog/catalog.ts';
import { findPlan, type Output, progress, tell, wholeNumber } from './console.ts';
import { writePicture } from './picture.ts';
import { renderStream, truthFrame } from './render-stream.ts';
import { Studio } from './studio.ts';

export const streamsDir = resolve(import.meta.dirname, '../../test-fixtures/streams');

export function addListCommand(program: Command, output: Output): void {
  program
    .command('list')
    .description('name every stream of the catalogue')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  npm run render -- list\n')
    .action((options: { json?: boolean }) => {
      const rows = catalog.map(
        ({ name, seed, kind, light, tags, place, widthPx, heightPx, fps, durationMs, what }) => ({
          name,
          seed,
          kind,
          light,
          tags,
          place,
          widthPx,
          heightPx,
          fps,
          durationMs,
          what,
          committed: committed.some((plan) => plan.name === name),
        }),
      );
      const lines = rows.map(
        (row) =>
          `${row.name.padEnd(20)} ${row.kind} ${row.light.padEnd(5)} ${`${row.durationMs / 1000} s`.padEnd(6)} ${row.fps} fps  ${row.place}: ${row.what}${row.committed ? '' : ' (on demand)'}`,
      );
      tell(output, options.json, { streams: rows }, lines);
    });
}

export function addRenderCommand(program: Command, output: Output, signal: AbortSignal): void {
  program
    .command('render <name...>')
    .description('render streams ("all": those of the repository) into mp4 files with their truth beside them')
    .option('--out <folder>', 'where to write', streamsDir)
    .option('--json', 'print one JSON line a stream')
    .addHelpText('after', '\nExample:\n  npm run render -- render day-front cat-ir --out /tmp/streams\n')
    .action(async (names: string[], options: { out: string; json?: boolean }) => {
      const plans = names.includes('all') ? committed : names.map((name) => findPlan(catalog, name));
      const ffmpeg = findFfmpeg();
      await using studio = await Studio.open({ signal });
      for (const plan of plans) {
        const rendered = await renderStream(plan, {
          studio,
          ffmpeg,
          outDir: resolve(options.out),
          onProgress: (done, total) => progress(output, `${plan.name} ${done}/${total}`),
        });
        progress(output, '');
        tell(output, options.json, rendered, [
          `${rendered.name}: ${rendered.frames} frames, ${Math.round(rendered.bytes / 1000)} kB, ${rendered.visits} visits, ${(rendered.seconds / rendered.frames).toFixed(2)} s a frame`,
        ]);
      }
    });
}

export function addFramesCommand(program: Command, output: Output, signal: AbortSignal): void {
  program
    .command('frames <name>')
    .description('write single frames of a stream as pictures with the boxes of the truth drawn in')
    .requiredOption('--at <ms...>', 'times in the stream, in milliseconds')
    .option('--out <folder>', 'where to write', '.')
    .option('--plain', 'without boxes')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  npm run render -- frames ir-front --at 4000 7500 --out /tmp/look\n')
    .action(async (name: string, options: { at: string[]; out: string; plain?: boolean; json?: boolean }) => {
      const plan = findPlan(catalog, name);
      const times = options.at.map((text) => wholeNumber(text, '--at', 0, plan.durationMs));
      const folder = resolve(options.out);
      mkdirSync(folder, { recursive: true });
      await using studio = await Studio.open({ signal });
      await studio.load(plan);
      const written: { path: string; truth: object }[] = [];
      for (const ms of times) {
        const { pixels, testimony } = await studio.frame(Math.round((ms / 1000) * plan.fps), ms, {
          settle: true,
          runs: false,
          layout: 'rgb',
        });
        const truth = truthFrame(plan, written.length, ms, testimony);
        const path = join(folder, `${name}-${ms}.png`);
        await writePicture(
          path,
          { pixels, widthPx: plan.widthPx, heightPx: plan.heightPx },
          options.plain === true ? undefined : truth,
        );
        written.push({ path, truth });
      }
      tell(
        output,
        options.json,
        { pictures: written },
        written.map(({ path }) => path),
      );
    });
}
