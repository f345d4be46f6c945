/** `latchkey doctor`: is this set up so that it records, keeps, and answers? In plain words, each with what to do. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { ControlClient } from '../base/control.ts';
import { AgentError } from '../base/errors.ts';
import type { Config } from '../config/schema.ts';
import { type ConfigOption, openConfig, withConfigOption } from './discovery.ts';
import { lookAtCamera, lookAtClips, lookAtMask, lookAtModel } from './doctor-camera.ts';
import { bad, type Finding, good, poor } from './doctor-finding.ts';
import { lookAtForgotten } from './doctor-forgotten.ts';
import { lookAtClock, lookAtDisk, lookAtFfmpeg, lookAtFiles, lookAtKeys } from './doctor-machine.ts';
import { type CliIo, say, sayJson } from './io.ts';
import { example } from './program-line.ts';
import { clean } from './terminal-text.ts';

interface DoctorOption extends ConfigOption {
  readonly json?: boolean;
}

/** Asked of the courier, which alone talks to the outside: a second connection would look like a second device. */
async function lookAtBroker({ broker, dataDir }: Config): Promise<Finding> {
  if (broker === null) {
    return poor(
      'broker',
      'none is set: no request can ever arrive; everything else works',
      'set "broker" if you want to be asked',
    );
  }
  try {
    using client = await ControlClient.connect(join(dataDir, 'run', 'courier.sock'));
    const { broker: state, code } = (await client.call('status', {})) as { broker?: unknown; code?: unknown };
    if (state === 'connected') return good('broker', 'connected');
    const why = typeof code === 'string' ? ` (${clean(code)})` : '';
    return bad(
      'broker',
      `cannot be reached${why}; it is tried again and again`,
      'look at the address, the network, and the password in its file',
    );
  } catch {
    return poor('broker', 'not known: the courier does not run', 'latchkey run');
  }
}

async function examine(config: Config): Promise<Finding[]> {
  const { found, findings } = await lookAtFfmpeg(config);
  const all = [lookAtKeys(config), ...lookAtFiles(config), lookAtClock(config), ...lookAtDisk(config), ...findings];
  for (const camera of config.cameras) {
    const { findings: seen, stream } = await lookAtCamera(config, camera, found);
    all.push(...seen, ...(await lookAtModel(camera)));
    if (found !== undefined) all.push(...lookAtMask(camera, found, stream));
    all.push(...lookAtClips(config, camera.id));
  }
  return [...all, ...lookAtForgotten(config), await lookAtBroker(config)];
}

const marks: Record<Finding['verdict'], string> = { good: ' ok ', poor: 'look', bad: 'BAD ' };

async function doctor(option: DoctorOption, io: CliIo): Promise<void> {
  const config = openConfig(option, io);
  const findings = await examine(config);
  if (option.json === true) sayJson(io, findings);
  else {
    for (const { about, verdict, what, advice } of findings) {
      say(io, `${marks[verdict]}  ${about}: ${what}`);
      if (advice !== undefined) say(io, `      → ${advice}`);
    }
  }
  const count = findings.filter(({ verdict }) => verdict === 'bad').length;
  if (count === 0) return;
  const message = `Not everything works: ${count} of ${findings.length} findings are bad`;
  throw new AgentError('unavailable', 'doctor/bad', message, { detail: { count } });
}

export function register(program: Command, io: CliIo): void {
  withConfigOption(program.command('doctor'))
    .description('check the set-up and say in plain words what is wrong and what to do')
    .option('--json', 'print as JSON')
    .addHelpText('after', example('latchkey doctor'))
    .action((option: DoctorOption) => doctor(option, io));
}
