/** The wizard: flags answer first, then the person at the terminal, and with `--yes` the defaults. Nothing is written here. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AgentError } from '../base/errors.ts';
import type { ConfigInput } from '../config/schema.ts';
import { homeConfigPath } from './discovery.ts';
import {
  parseBrokerUrl,
  parseCameraId,
  parseDegrees,
  parsePort,
  parseRegions,
  parseSource,
  parseZone,
  type SourceInput,
} from './init-answers.ts';
import { askMasks } from './init-masks.ts';
import { type CliIo, note } from './io.ts';
import type { Prompter } from './prompter.ts';

export interface InitOption {
  readonly dataDir?: string;
  readonly config?: string;
  readonly cameraId?: string;
  readonly cameraName?: string;
  readonly cameraSource?: string;
  readonly cameraUsername?: string;
  readonly cameraPasswordFile?: string;
  readonly zone?: readonly string[];
  readonly mask?: readonly string[];
  readonly maskPicture?: string;
  readonly region?: readonly string[];
  readonly lat?: string;
  readonly lon?: string;
  readonly passphraseFile?: string;
  readonly accountName?: string;
  readonly passwordFile?: string;
  readonly recoveryOut?: string;
  readonly brokerUrl?: string;
  readonly brokerCa?: string;
  readonly brokerUsername?: string;
  readonly brokerPasswordFile?: string;
  readonly webHost?: string;
  readonly webPort?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

export interface InitPlan {
  /** Secrets that the configuration names by file; written just before it. */
  readonly secrets: readonly { readonly path: string; readonly text: string }[];
  readonly configPath: string;
  readonly dataDir: string;
  readonly config: ConfigInput;
  readonly place: { readonly latE6: number; readonly lonE6: number };
}

interface Question<T> {
  readonly given: string | undefined;
  readonly flag: string;
  readonly text: string;
  readonly fallback?: string;
  readonly read: (answer: string) => T;
}

interface CameraLogin {
  readonly username?: string;
  readonly password?: string;
  readonly passwordFile?: string;
}

export class Wizard {
  readonly #option: InitOption;
  readonly #io: CliIo;
  readonly #prompter: Prompter;

  constructor(option: InitOption, io: CliIo, prompter: Prompter) {
    this.#option = option;
    this.#io = io;
    this.#prompter = prompter;
  }

  async #answer<T>(question: Question<T>): Promise<T> {
    const { given, flag, text, fallback = '', read } = question;
    if (given !== undefined) return read(given);
    if (this.#option.yes !== true) return this.#prompter.askUntil(text, fallback, read);
    if (fallback !== '') return read(fallback);
    throw new AgentError('usage', 'init/missing-answer', `Cannot set up without questions: ${flag} is missing`);
  }

  async #optional<T>(question: Question<T>): Promise<T | undefined> {
    if (question.given === undefined && this.#option.yes === true) return undefined;
    return this.#answer({ ...question, read: (answer) => (answer === '' ? undefined : question.read(answer)) });
  }

  async places(): Promise<{ configPath: string; dataDir: string }> {
    const root = process.getuid?.() === 0;
    const home = this.#io.env['HOME'] ?? '';
    const configPath = await this.#answer({
      given: this.#option.config,
      flag: '--config',
      text: 'Configuration file',
      fallback: root ? '/etc/latchkey/config.json' : homeConfigPath(this.#io, 'config.json'),
      read: (path) => resolve(path),
    });
    const dataDir = await this.#answer({
      given: this.#option.dataDir,
      flag: '--data-dir',
      text: 'Data directory (keys and sealed clips)',
      fallback: root ? '/var/lib/latchkey' : join(home, '.local', 'share', 'latchkey'),
      read: (path) => resolve(path),
    });
    return { configPath, dataDir };
  }

  async #camera(dataDir: string): Promise<{ camera: ConfigInput['cameras'][number]; secrets: InitPlan['secrets'] }> {
    const option = this.#option;
    const id = await this.#answer({
      given: option.cameraId,
      flag: '--camera-id',
      text: 'Camera id',
      fallback: 'front',
      read: parseCameraId,
    });
    const name = await this.#answer({
      given: option.cameraName,
      flag: '--camera-name',
      text: 'Its name',
      fallback: 'Front door',
      read: (text) => text,
    });
    const source = await this.#answer({
      given: option.cameraSource,
      flag: '--camera-source',
      text: 'Camera source (rpicam, v4l2:/dev/video0, rtsp://ADDRESS, file:PATH)',
      read: (text) => this.#openable(parseSource(text)),
    });
    if (option.zone === undefined && option.yes !== true) {
      note(
        this.#io,
        'A zone is where motion counts, as corners x,y from the top left (0,0) to the bottom right (1,1):\n0,0.4 1,0.4 1,1 0,1 leaves the upper part of the picture out.',
      );
    }
    const zones = option.zone?.map((text) => parseZone(text)) ?? [
      await this.#optional({
        given: undefined,
        flag: '--zone',
        text: 'Zone (Enter for the whole picture)',
        read: parseZone,
      }),
    ];
    const kept = zones.filter((zone) => zone !== undefined);
    const passwordPath = join(dataDir, 'keys', `camera-${id}.password`);
    const login: CameraLogin = source.kind === 'rtsp' ? await this.#cameraLogin() : {};
    const { password, ...named } = login;
    const bare = {
      id,
      name,
      source:
        source.kind === 'rtsp'
          ? { ...source, ...named, ...(password === undefined ? {} : { passwordFile: passwordPath }) }
          : source,
      ...(kept.length === 0 ? {} : { motion: { zones: kept } }),
    };
    const privacyMasks = await askMasks(bare, password, option, this.#io, this.#prompter);
    const camera = { ...bare, ...(privacyMasks.length === 0 ? {} : { privacyMasks }) };
    return { camera, secrets: password === undefined ? [] : [{ path: passwordPath, text: `${password}\n` }] };
  }

  /** A camera may be away while it is set up; a file that somebody types is either there or mistyped. */
  #openable(source: SourceInput): SourceInput {
    if (source.kind === 'file' && this.#option.cameraSource === undefined && !existsSync(source.path)) {
      throw new AgentError('usage', 'init/bad-answer', `Cannot use that camera: there is no ${source.path}`);
    }
    return source;
  }

  async #cameraLogin(): Promise<CameraLogin> {
    const { cameraUsername, cameraPasswordFile } = this.#option;
    const username = await this.#optional({
      given: cameraUsername,
      flag: '--camera-username',
      text: 'User name at the camera (Enter for none)',
      read: (text) => text,
    });
    if (username === undefined) return {};
    if (cameraPasswordFile !== undefined) return { username, passwordFile: resolve(cameraPasswordFile) };
    if (this.#option.yes === true) return { username };
    const password = await this.#prompter.secret('Its password, kept in a file that only this user can read');
    return password === '' ? { username } : { username, password };
  }

  async #broker(): Promise<ConfigInput['broker']> {
    const { brokerUrl, brokerCa, brokerUsername, brokerPasswordFile } = this.#option;
    const url = await this.#optional({
      given: brokerUrl,
      flag: '--broker-url',
      text: 'Broker for requests, such as mqtts://broker.example.org:8883 (Enter for none yet)',
      read: parseBrokerUrl,
    });
    if (url === undefined) return null;
    return {
      url,
      ...(brokerCa === undefined ? {} : { caFile: resolve(brokerCa) }),
      ...(brokerUsername === undefined ? {} : { username: brokerUsername }),
      ...(brokerPasswordFile === undefined ? {} : { passwordFile: resolve(brokerPasswordFile) }),
    };
  }

  async plan(places: { configPath: string; dataDir: string }): Promise<InitPlan> {
    const option = this.#option;
    const { camera, secrets } = await this.#camera(places.dataDir);
    const regions = await this.#answer({
      given: option.region?.join(' '),
      flag: '--region',
      text: 'Region whose requests you want to see, such as US-CA',
      read: parseRegions,
    });
    const latE6 = await this.#answer({
      given: option.lat,
      flag: '--lat',
      text: 'Latitude of the camera in degrees (stays on this device)',
      read: (text) => parseDegrees(text, 90),
    });
    const lonE6 = await this.#answer({
      given: option.lon,
      flag: '--lon',
      text: 'Longitude in degrees',
      read: (text) => parseDegrees(text, 180),
    });
    const broker = await this.#broker();
    const { webHost, webPort } = option;
    const web = {
      ...(webHost === undefined ? {} : { host: webHost }),
      ...(webPort === undefined ? {} : { port: parsePort(webPort) }),
    };
    const config: ConfigInput = {
      dataDir: places.dataDir,
      cameras: [camera],
      regions,
      broker,
      ...(Object.keys(web).length === 0 ? {} : { web }),
    };
    return { ...places, config, secrets, place: { latE6, lonE6 } };
  }
}
