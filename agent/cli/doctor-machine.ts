/** What `doctor` looks at on the machine: ffmpeg, clock, disk, what a power cut could take, and who may read the files. */
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { clockTrust } from '../base/clock-trust.ts';
import { asAgentError } from '../base/errors.ts';
import { findFfmpeg } from '../base/ffmpeg.ts';
import { findVideoEncoder, type VideoEncoder } from '../base/video-encoder.ts';
import type { Config } from '../config/schema.ts';
import { bad, type Finding, good, poor } from './doctor-finding.ts';
import { byteSize, clean } from './terminal-text.ts';

export interface Ffmpeg {
  readonly path: string;
  readonly encoder: VideoEncoder | undefined;
}

export async function lookAtFfmpeg(config: Config): Promise<{ found: Ffmpeg | undefined; findings: Finding[] }> {
  let path: string;
  try {
    path = findFfmpeg({ configuredPath: config.ffmpegPath });
  } catch (thrown) {
    const { message } = asAgentError(thrown);
    return { found: undefined, findings: [bad('ffmpeg', message, 'apt-get install ffmpeg')] };
  }
  const version = /^ffmpeg version (\S+)/.exec(spawnSync(path, ['-version'], { encoding: 'utf8' }).stdout)?.[1];
  const findings = [good('ffmpeg', `${path}, version ${clean(version ?? 'unknown')}`)];
  const encoder = await findVideoEncoder(path);
  const masked = config.cameras.some(({ privacyMasks }) => privacyMasks.length > 0);
  if (encoder !== undefined) {
    const how = encoder === 'libx264' ? 'in software' : 'in hardware';
    findings.push(good('encoder', `${encoder}, ${how}: tried, and it gives back what it was given`));
  } else {
    const missing = 'no H.264 encoder of this ffmpeg works here, and privacy masks and redaction need one';
    const advice = 'install an ffmpeg with libx264 (apt-get install ffmpeg)';
    findings.push(masked ? bad('encoder', missing, advice) : poor('encoder', missing, advice));
  }
  return { found: { path, encoder }, findings };
}

export function lookAtClock(config: Config): Finding {
  const trust = clockTrust(config.clock);
  if (trust === 'synchronised') return good('clock', 'kept by the network');
  if (trust === 'trusted') {
    const advice = 'set "clock" to "auto" unless something else keeps the clock';
    return poor('clock', 'believed as it is, because the configuration says so', advice);
  }
  return bad(
    'clock',
    'nothing keeps it: requests wait, and nothing can be approved',
    'switch on systemd-timesyncd or install chrony, and wait a minute',
  );
}

/** statfs(2) magic numbers. */
const fileSystems: Readonly<Record<number, readonly [name: string, keeps: boolean]>> = {
  0xef53: ['ext4', true],
  0x58465342: ['xfs', true],
  0x9123683e: ['btrfs', true],
  0xf2f52010: ['f2fs', true],
  0x794c7630: ['overlay', true],
  0x01021994: ['tmpfs', false],
  0x4d44: ['vfat', false],
  0x2011bab0: ['exfat', false],
  0x6969: ['nfs', false],
  0x65735546: ['a FUSE file system', false],
}; // biome-ignore format: a table

const syncCount = 20;

/** Median time of an fsync that has something to write; a disk that is not asked to keep anything cannot lie. */
function syncMs(folder: string): number {
  const path = join(folder, `.doctor-${process.pid}`);
  const fd = openSync(path, 'wx', 0o600);
  try {
    const times = Array.from({ length: syncCount }, (_, i) => {
      writeSync(fd, Buffer.alloc(4096, i), 0, 4096, i * 4096);
      const before = performance.now();
      fsyncSync(fd);
      return performance.now() - before;
    });
    return times.toSorted((a, b) => a - b)[syncCount / 2] ?? 0;
  } finally {
    closeSync(fd);
    rmSync(path, { force: true });
  }
}

/** Options of the mount that holds the folder, as the kernel has them. */
function mountOptions(folder: string): string {
  const mounts = existsSync('/proc/self/mounts') ? readFileSync('/proc/self/mounts', 'utf8').split('\n') : [];
  const best = mounts
    .map((line) => line.split(' '))
    .filter(([, at = '']) => at === '/' || folder === at || folder.startsWith(`${at}/`))
    .toSorted(([, a = ''], [, b = '']) => b.length - a.length)[0];
  return best?.[3] ?? '';
}

export function lookAtDisk({ dataDir, retention, cameras }: Config): Finding[] {
  if (!existsSync(dataDir)) return [bad('data directory', `${dataDir} is not there`, 'latchkey init')];
  const { type, bavail, bsize } = statfsSync(dataDir);
  const [name, keeps] = fileSystems[type] ?? [`an unknown file system (0x${type.toString(16)})`, false];
  const freeBytes = bavail * bsize;
  const used = cameras.reduce((sum, { id }) => {
    const path = join(dataDir, 'cameras', id, 'clips.db');
    return sum + (existsSync(path) ? lstatSync(path).size : 0);
  }, 0);
  const findings: Finding[] = [];
  const wantedBytes = retention.maxBytes - used + retention.minFreeBytes;
  const space = `${byteSize(freeBytes)} free, ${byteSize(used)} taken by clips`;
  const figures = { freeBytes, usedBytes: used };
  if (freeBytes < retention.minFreeBytes) {
    const advice =
      'free some space, or set "retention.minFreeBytes" lower; until then each new clip pushes out an old one';
    findings.push(bad('disk', `${space}: less than is to be left free`, advice, figures));
  } else if (freeBytes < wantedBytes) {
    const what = `${space}: the quota of ${byteSize(retention.maxBytes)} can't be reached, so clips go earlier`;
    findings.push(poor('disk', what, 'set "retention.maxBytes" lower, or use a larger disk', figures));
  } else findings.push(good('disk', space, figures));
  try {
    const median = syncMs(dataDir);
    const options = mountOptions(dataDir);
    const measured = { fileSystem: name, fsyncMs: Math.round(median * 100) / 100 };
    if (/(^|,)(nobarrier|barrier=0|async_commit|nolog)(,|$)/.test(options)) {
      const what = `${name} is mounted so that it forgets what it was told to keep (${clean(options)})`;
      findings.push(bad('power cuts', what, 'mount it without those options', measured));
    } else if (!keeps) {
      const what = `${name} may lose or damage what was written before a power cut`;
      findings.push(poor('power cuts', what, 'keep the data directory on ext4, btrfs, xfs or f2fs', measured));
    } else {
      const what = `${name}; telling the disk to keep something takes ${measured.fsyncMs} ms. At most the open segment is lost`;
      findings.push(good('power cuts', what, measured));
    }
  } catch (thrown) {
    const { message } = asAgentError(thrown);
    findings.push(
      bad('data directory', `this user cannot write to it: ${message}`, `chown it to the user of "latchkey run"`),
    );
  }
  return findings;
}

const secretRooms = ['keys', 'owner', 'cameras', 'run', 'ledger.db'];

/** Paths inside the data directory that somebody else on this machine may read, or that are not ours. */
function exposed(root: string): { readonly readable: string[]; readonly foreign: string[] } {
  const found = { readable: [] as string[], foreign: [] as string[] };
  const uid = process.getuid?.();
  const visit = (path: string): void => {
    const stat = lstatSync(path);
    // What stands in a closed folder can't be reached, whatever its own mode.
    if (uid !== undefined && uid !== 0 && stat.uid !== uid) found.foreign.push(path);
    if ((stat.mode & 0o077) !== 0 && !stat.isSymbolicLink()) {
      found.readable.push(path);
      if (stat.isDirectory()) for (const name of readdirSync(path)) visit(join(path, name));
    }
  };
  for (const room of secretRooms) if (existsSync(join(root, room))) visit(join(root, room));
  return found;
}

export function lookAtFiles(config: Config): Finding[] {
  const { dataDir } = config;
  if (!existsSync(dataDir)) return [];
  const { readable, foreign } = exposed(dataDir);
  const secrets = [
    ...config.cameras.flatMap(({ source }) => (source.kind === 'rtsp' && source.passwordFile !== undefined ? [source.passwordFile] : [])),
    ...(config.broker?.passwordFile === undefined ? [] : [config.broker.passwordFile]),
  ]; // biome-ignore format: two sources
  const open = secrets.filter((path) => existsSync(path) && (lstatSync(path).mode & 0o077) !== 0);
  const missing = secrets.filter((path) => !existsSync(path));
  const all = [...readable, ...open];
  const findings = [
    ...(all.length === 0 ? [] : [bad('files', `others on this machine may read ${listed(all)}`, `chmod -R go= ${clean(dataDir)}`)]),
    ...(foreign.length === 0 ? [] : [bad('files', `another user owns ${listed(foreign)}`, 'chown them to the user of "latchkey run"')]),
    ...(missing.length === 0 ? [] : [bad('files', `a password file is missing: ${listed(missing)}`, 'write it, readable by this user alone')]),
  ]; // biome-ignore format: one kind a line
  return findings.length > 0 ? findings : [good('files', 'keys, clips and passwords can be read by this user alone')];
}

function listed(paths: readonly string[]): string {
  const more = paths.length > 3 ? ` and ${paths.length - 3} more` : '';
  return `${paths.slice(0, 3).map((path) => clean(path)).join(', ')}${more}`; // biome-ignore format: a list
}

const distrust = 'do not record with this device; set it up anew with your own keys';

/** A device that somebody else prepared must not seal to anybody else. */
export function lookAtKeys({ dataDir }: Config): Finding {
  const path = join(dataDir, 'keys', 'recipients.json');
  if (!existsSync(path)) return bad('keys', 'this device has no owner yet', 'latchkey init');
  try {
    const recipients = Object.keys(JSON.parse(readFileSync(path, 'utf8')) as object).toSorted();
    const made = lstatSync(path).mtime.toISOString().slice(0, 10);
    if (recipients.join() === 'owner,recovery') {
      return good('keys', `made here on ${made}; recipients: yours and paper; nobody else`);
    }
    return bad('keys', `clips would be sealed to ${clean(recipients.join(', '))}`, distrust);
  } catch (thrown) {
    return bad('keys', asAgentError(thrown).message, distrust);
  }
}
