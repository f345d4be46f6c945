/** Sound from the recorder to the agency: its own track, proved by itself, dropped unless asked for and kept. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { encode } from '../../test-fixtures/cameras/captured.ts';
import { TestHouse, testPassphrase } from '../../test-fixtures/house.ts';
import { porchPath } from '../../test-fixtures/recording.ts';
import { type Clock, systemClock } from '../base/clock.ts';
import { findFfmpeg, findFfprobe } from '../base/ffmpeg.ts';
import { silentLog } from '../base/log.ts';
import { parseConfig } from '../config/loader.ts';
import { openFile, parseIdentity, splitFile } from '../protocol/age-file.ts';
import { readArchive } from '../protocol/share-archive.ts';
import { verifyShare } from '../protocol/share-verify.ts';
import { runRecorder } from '../recorder/program.ts';
import { ClipLibrary } from './library.ts';
import { wholeOf } from './media-content.ts';
import { joinInits, movieOf } from './movie.ts';
import { VaultSession } from './session.ts';

let house: TestHouse;
let session: VaultSession;
const agoMs = 600_000;

/** Records 20 s of the porch with a tone that begins with it, continuously, as if ten minutes ago. */
async function record(): Promise<void> {
  const path = join(house.dataDir, 'porch-with-tone.mp4');
  const tone = ['-f', 'lavfi', '-i', 'sine=f=440:r=16000', '-map', '0:v', '-map', '1:a', '-shortest'];
  encode(porchPath, path, [...tone, '-c:v', 'copy', '-c:a', 'aac']);
  const config = parseConfig(
    {
      dataDir: house.dataDir,
      regions: ['US-CA'],
      clock: 'trust-system',
      cameras: [
        {
          id: 'door',
          name: 'Door',
          source: { kind: 'file', path, pace: 'fast' },
          person: { model: 'off' },
          clip: { mode: 'continuous', preRollMs: 0, maxClipMs: 12_000 },
          audio: true,
        },
      ],
    },
    house.dataDir,
  );
  const clock: Clock = { ...systemClock, wallMs: () => Date.now() - agoMs };
  const stop = new AbortController();
  const running = runRecorder({ config, cameraId: 'door', signal: stop.signal, clock, log: silentLog });
  const library = () =>
    session.listClips(Date.now() - 2 * agoMs, Date.now()).filter(({ cameraId }) => cameraId === 'door');
  while (library().reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0) < 19_900) await systemClock.sleep(50);
  stop.abort();
  await running;
}

beforeAll(async () => {
  house = await TestHouse.make();
  await house.pinRoot();
  session = new VaultSession({ dataDir: house.dataDir, clock: systemClock, log2Work: 8 });
  await session.openDeciding(testPassphrase);
  await record();
}, 60_000);
afterAll(() => house[Symbol.dispose]());

const clips = () => session.listClips(Date.now() - 2 * agoMs, Date.now());

function preview(sound: boolean, asked: boolean) {
  const { envelope } = house.request({ change: (request) => ({ ...request, media: { audio: asked } }) });
  const selection = clips().map(({ clipId, startMs, endMs }) => ({ clipId, fromMs: startMs, toMs: endMs }));
  return session.preview({ request: envelope, agency: house.agency(), floorS: 0, selection, sound });
}

async function share(previewId: string) {
  const approved = await session.approve({
    previewId,
    passphrase: testPassphrase,
    agency: house.agency(),
    floorS: 0,
    releaseNotBeforeMs: Date.now() + 1000,
  });
  const folder = join('owner', 'held', approved.shareId);
  const file = Buffer.concat([house.read(folder, 'header.age'), house.read(folder, 'body.age')]);
  return readArchive(openFile(splitFile(file), parseIdentity(house.agencyIdentity.identity)));
}

function probe(bytes: Uint8Array): { readonly kinds: string[]; readonly seconds: number; readonly complaints: string } {
  const path = join(house.dataDir, 'probed.mp4');
  writeFileSync(path, bytes);
  const args = ['-v', 'error', '-show_entries', 'stream=codec_type:format=duration', '-of', 'json', path];
  const { streams, format } = JSON.parse(spawnSync(findFfprobe(findFfmpeg()), args, { encoding: 'utf8' }).stdout) as {
    streams: { codec_type: string }[];
    format: { duration: string };
  };
  const decoded = spawnSync(findFfmpeg(), ['-nostdin', '-v', 'error', '-i', path, '-f', 'null', '-'], {
    encoding: 'utf8',
  });
  return {
    kinds: streams.map(({ codec_type }) => codec_type),
    seconds: Number(format.duration) - 10,
    complaints: decoded.stderr,
  };
}

it('a clip holds picture and sound of the same time, and both are played as one', () => {
  expect(clips().map(({ startMs, endMs }) => Math.round((endMs - startMs) / 1000))).toEqual([12, 8]);
  for (const { clipId } of clips()) {
    const probed = probe(wholeOf(session.clipMedia(clipId)));
    expect(probed).toMatchObject({ kinds: ['video', 'audio'], complaints: '' });
  }
  expect(probe(wholeOf(session.clipMedia(clips()[0]?.clipId ?? ''))).seconds).toBeCloseTo(12, 0);
});

it('a damaged head is told, not played', () => {
  const [clip] = clips();
  const secrets = house.recoveryIdentity;
  const library = new ClipLibrary(house.dataDir, parseIdentity(secrets));
  const opened = library.open(clip?.clipId ?? '');
  expect(movieOf(library.stream(clip?.clipId ?? '')).length).toBeGreaterThan(opened.video.length);
  const sound = Buffer.from(opened.sound ?? []);
  sound.writeUInt32BE(3, 28);
  expect(() => joinInits(opened.video, sound)).toThrow(expect.objectContaining({ code: 'vault/bad-movie' }));
});

it('is dropped unless the owner keeps it, and the grant says so', async () => {
  for (const asked of [true, false]) {
    const { previewId, media } = preview(false, asked);
    expect(media.map(({ name }) => name)).toEqual(['40-video.mp4', '40-video-02.mp4']);
    const files = await share(previewId);
    expect(files.map(({ name }) => name).join()).not.toContain('audio');
    const sealed = files.find(({ name }) => name === '20-grant.json')?.bytes ?? new Uint8Array();
    const grant = JSON.parse(Buffer.from(sealed).toString()) as { payload: string };
    expect(Buffer.from(grant.payload, 'base64').toString()).toContain('audio_dropped');
  }
});

it('cannot be sent where nobody asked for it', () => {
  expect(() => preview(true, false)).toThrow(expect.objectContaining({ code: 'share/sound-not-asked' }));
});

it('goes along when asked for and kept: one file for each clip, within the picture, and proved', async () => {
  const { previewId, media } = preview(true, true);
  expect(media.map(({ name }) => name)).toEqual(['40-video.mp4', '40-video-02.mp4', '41-audio.mp4', '41-audio-02.mp4']);
  for (const [picture, sound] of [
    [media[0], media[2]],
    [media[1], media[3]],
  ]) {
    expect(sound?.fromMs).toBeGreaterThanOrEqual(picture?.fromMs ?? 0);
    expect(sound?.toMs).toBeLessThanOrEqual(picture?.toMs ?? 0);
    expect((sound?.toMs ?? 0) - (sound?.fromMs ?? 0)).toBeGreaterThan(
      (picture?.toMs ?? 0) - (picture?.fromMs ?? 0) - 1500,
    );
  }
  expect(probe(wholeOf(session.previewMedia(previewId, '41-audio.mp4')))).toMatchObject({
    kinds: ['audio'],
    complaints: '',
  });
  const files = await share(previewId);
  const verdict = verifyShare({ files });
  expect(verdict).toMatchObject({ problems: [] });
});
