/** `stills`: pictures for training, with their truth in one file. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { AgentError } from '../../agent/base/errors.ts';
import { type Output, progress, tell, wholeNumber } from './console.ts';
import { writePicture } from './picture.ts';
import { truthFrame } from './render-stream.ts';
import { FIRST_STILL_SEED, randomScene, SHOTS_PER_SCENE, shotMs } from './stills-plan.ts';
import { Studio } from './studio.ts';

export function parseSize(text: string): readonly [number, number] {
  const match = /^(\d{2,4})x(\d{2,4})$/.exec(text);
  const [w, h] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || w % 2 !== 0 || h % 2 !== 0 || w > 1920 || h > 1080 || w < 64 || h < 36) {
    throw new AgentError(
      'usage',
      'render/bad-size',
      `Cannot use "${text}" for --size: even numbers like 384x216 up to 1920x1080 are needed`,
    );
  }
  return [w, h];
}

export function addStillsCommand(program: Command, output: Output, signal: AbortSignal): void {
  program
    .command('stills')
    .description(
      'render single pictures of random scenes for training; their seeds are disjoint from those of all streams',
    )
    .requiredOption('--count <number>', 'how many pictures')
    .requiredOption('--out <folder>', 'where to write; what is already there is kept and not rendered again')
    .option('--seed <number>', `first scene; from ${FIRST_STILL_SEED} on`, String(FIRST_STILL_SEED))
    .option('--size <WxH>', 'size in pixels', '384x216')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  npm run render -- stills --count 800 --seed 1000000 --out /tmp/stills\n')
    .action(async (options: { count: string; seed: string; size: string; out: string; json?: boolean }) => {
      const count = wholeNumber(options.count, '--count', 1, 1_000_000);
      const seed = wholeNumber(options.seed, '--seed', FIRST_STILL_SEED, 2_000_000_000);
      const [widthPx, heightPx] = parseSize(options.size);
      const folder = resolve(options.out);
      mkdirSync(folder, { recursive: true });
      const started = performance.now();
      const truthPath = join(folder, `truth-${seed}.json`);
      if (existsSync(truthPath))
        throw new AgentError(
          'refused',
          'render/exists',
          `Cannot write truth-${seed}.json: it is there already; choose another seed or folder`,
        );
      const pictures: object[] = [];
      await using studio = await Studio.open({ signal });
      // Kept up to date scene by scene, so that pictures can be used before all are done.
      const save = (): void =>
        writeFileSync(truthPath, `${JSON.stringify({ version: 1, widthPx, heightPx, pictures })}\n`);
      for (let scene = 0; pictures.length < count; scene++) {
        const plan = randomScene(seed + scene, widthPx, heightPx);
        await studio.load(plan);
        for (let shot = 0; shot < SHOTS_PER_SCENE && pictures.length < count; shot++) {
          const ms = shotMs(shot);
          const { pixels, testimony } = await studio.frame(shot, ms, { settle: true, runs: false, layout: 'rgb' });
          const { people, movers } = truthFrame(plan, shot, ms, testimony);
          const file = `${seed + scene}-${shot}.jpg`;
          await writePicture(join(folder, file), { pixels, widthPx, heightPx });
          pictures.push({ file, seed: seed + scene, place: plan.place, light: plan.light, people, movers });
        }
        save();
        progress(output, `${pictures.length}/${count}`);
      }
      progress(output, '');
      const secondsEach = (performance.now() - started) / 1000 / pictures.length;
      tell(output, options.json, { truth: truthPath, pictures: pictures.length, secondsEach }, [
        `${truthPath}: ${pictures.length} pictures, ${secondsEach.toFixed(2)} s each`,
      ]);
    });
}
