/** The recorder's part: a film recorded into clips under a trace, and what every crash leaves of them. */

import { createHash } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ControlClient } from '../../agent/base/control.ts';
import { silentLog } from '../../agent/base/log.ts';
import { ClipsDb } from '../../agent/store/clips-db.ts';
import type { RecordedClip, TestCamera } from '../recording.ts';
import { layOut } from './images.ts';
import { appears } from './story.ts';
import { crashes, type Image, type Point, Trace } from './trace.ts';

const main = join(import.meta.dirname, '../../agent/main.ts');

export interface LeftClips {
  readonly image: Image;
  /** Clips of which the recorder had told that they are closed. */
  readonly closed: readonly string[];
  readonly point: Point;
}

/** Records the film once and gives every disk that a crash can leave. */
export async function recordUnderTrace(
  camera: TestCamera,
  work: string,
): Promise<{ points: Point[]; disks: LeftClips[] }> {
  mkdirSync(join(work, 'store'));
  const trace = new Trace({
    work,
    store: join(work, 'store'),
    dataDir: camera.dataDir,
    programs: {
      recorder: [process.execPath, main, 'program', 'recorder', '--camera', 'door', '--config', camera.configPath],
    },
    peers: {},
  });
  const control = await appears('the recorder', () => ControlClient.connect(camera.socketPath).catch(() => undefined));
  await control.subscribe(() => {});
  await camera.waitFor(({ state }) => state === 'ended');
  await trace.stop(['recorder']);
  control.close();
  const points = trace.points.filter(({ result }) => result >= 0);
  const { images } = trace;
  const disks = new Map<string, LeftClips>();
  const closed: string[] = [];
  for (const point of points) {
    for (const when of ['before', 'after'] as const) {
      const said = when === 'after' ? (point.says ?? '') : '';
      for (const [, clipId = ''] of said.matchAll(/^\{"event":"clip-closed".*"clipId":"([0-9a-f]{32})"/gm)) {
        closed.push(clipId);
      }
      for (const how of crashes) {
        const image = images.get(point[when][how]);
        if (image !== undefined) disks.set(image.id, { image, point, closed: [...closed] });
      }
    }
  }
  return { points, disks: [...disks.values()] };
}

function wrongWith(clip: RecordedClip): string[] {
  if (clip.state === 'open') return ['a clip is still open'];
  if (clip.state === 'cut') return [];
  if (clip.closing === undefined) return ['a closed clip without its end'];
  const fragments = clip.closing.fragments.filter(({ track }) => track === 1);
  const isWhole = fragments.every(({ offset, bytes, sha256 }) => {
    const hash = createHash('sha256')
      .update(clip.video.subarray(offset, offset + bytes))
      .digest('hex');
    return hash === sha256;
  });
  return isWhole ? [] : ['a closed clip is not what was signed'];
}

/** Opens the clips as the next recorder does, and as their owner does. */
export function wrongWithClips(left: LeftClips, camera: TestCamera, work: string): string[] {
  const dataDir = join(work, 'left');
  layOut({ image: left.image, store: join(work, 'store'), dataDir, intake: join(work, 'none'), same: {} });
  try {
    const path = join(dataDir, 'cameras', 'door', 'clips.db');
    const folderIsThere = Object.hasOwn(left.image.files, 'cameras/door');
    if (!folderIsThere) return left.closed.length === 0 ? [] : ['a closed clip was lost'];
    ClipsDb.open({ path, log: silentLog, wallMs: Date.now() }).close();
    const clips = camera.clips(camera.owner.identity, path);
    const isThere = (id: string): boolean => clips.some(({ clipId, state }) => clipId === id && state === 'closed');
    const lost = left.closed.filter((id) => !isThere(id)).map(() => 'a closed clip was lost');
    return [...lost, ...clips.flatMap(wrongWith)];
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}
