/** The first-run step "mask what is not yours": masks by flags or by question, and a picture to see what they hide. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentError } from '../base/errors.ts';
import { parseCamera } from '../config/loader.ts';
import type { ConfigInput } from '../config/schema.ts';
import { requireDrawable, writeDrawing } from './drawing.ts';
import { type Masks, parseMask } from './init-answers.ts';
import type { InitOption } from './init-questions.ts';
import { type CliIo, note } from './io.ts';
import type { Prompter } from './prompter.ts';

type Camera = ConfigInput['cameras'][number];

const advice = [
  'Mask what is not yours: a neighbour’s door or window, the pavement, the street. What is masked is filled before anything',
  'is stored, shown or looked at, so nobody ever gets it, not even you. A mask means encoding the stream anew, which costs',
  'processor time ("latchkey doctor" measures it). Answer a rectangle LEFT,TOP,RIGHT,BOTTOM in per cent, such as',
  '0%,0%,100%,25%; or corners, 0%,0% 40%,0% 30%,100%; or "look FILE.png" for a picture with a grid and the masks so far.',
];

/** The password is asked for before there is a file for it: for one picture it lies in a private folder. */
async function look(
  camera: Camera,
  masks: Masks,
  password: string | undefined,
  path: string,
  io: CliIo,
): Promise<void> {
  requireDrawable(path);
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-look-'));
  try {
    const passwordFile = join(folder, 'password');
    if (password !== undefined) writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
    const source = password === undefined ? camera.source : { ...camera.source, passwordFile };
    const whole = parseCamera({ ...camera, source, privacyMasks: masks }, process.cwd());
    const { drawMasks } = await import('./mask-picture.ts');
    writeDrawing(path, await drawMasks(whole, undefined));
    note(
      io,
      `  Wrote ${path}: what would be recorded, under a grid in per cent. It is not sealed; delete it when you have looked.`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export async function askMasks(
  camera: Camera,
  password: string | undefined,
  option: InitOption,
  io: CliIo,
  prompter: Prompter,
): Promise<Masks> {
  const masks: Masks = (option.mask ?? []).map((text) => parseMask(text)).filter((mask) => mask !== undefined);
  if (option.maskPicture !== undefined) await look(camera, masks, password, option.maskPicture, io);
  if (option.mask !== undefined || option.yes === true) return masks;
  for (const line of advice) note(io, line);
  for (;;) {
    const answer = await prompter.askUntil('Mask (Enter for none, or none more)', '', (text) => {
      const path = /^look\s+(\S.*)$/.exec(text)?.[1];
      if (path !== undefined) return { path };
      const mask = parseMask(text);
      // Held against the schema at once: a mask that crosses itself is asked for again, not refused at the end.
      if (mask !== undefined) parseCamera({ ...camera, privacyMasks: [...masks, mask] }, process.cwd());
      return { mask };
    });
    if (answer.path !== undefined) {
      try {
        await look(camera, masks, password, answer.path, io);
      } catch (thrown) {
        if (!(thrown instanceof AgentError)) throw thrown;
        note(io, `  ${thrown.message}`);
      }
    } else if (answer.mask === undefined) return masks;
    else masks.push(answer.mask);
  }
}
