import { isIP } from 'node:net';
import { rootCertificates } from 'node:tls';
import { AgentError } from '../base/errors.ts';
import { readFileLimited } from '../base/files.ts';

/** Where the broker is and how it is trusted. Unencrypted MQTT is for a broker on this machine only. */
export interface BrokerOptions {
  /** `mqtts://host[:port]`, or `mqtt://` with a loopback host. */
  readonly url: string;
  /** PEM certificates trusted instead of the well-known ones. */
  readonly caFile?: string | undefined;
  /** The credential that all devices share; it can only read. */
  readonly username?: string | undefined;
  readonly passwordFile?: string | undefined;
}

export interface BrokerAddress {
  readonly tls: boolean;
  readonly host: string;
  readonly port: number;
  readonly servername?: string;
  readonly ca?: readonly string[];
  readonly username?: string;
  readonly password?: string;
}

export function readBrokerAddress(options: BrokerOptions): BrokerAddress {
  const url = URL.parse(options.url);
  if (url === null || (url.protocol !== 'mqtts:' && url.protocol !== 'mqtt:') || url.hostname === '') {
    throw new AgentError('config', 'courier/bad-broker-url', 'Cannot use the broker address: it must be mqtts://HOST');
  }
  if (url.username !== '' || url.password !== '') {
    throw new AgentError(
      'config',
      'courier/bad-broker-url',
      'Cannot use the broker address: name and password belong in username and passwordFile',
    );
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const tls = url.protocol === 'mqtts:';
  if (!tls && !isLoopback(host)) {
    throw new AgentError(
      'config',
      'courier/broker-not-encrypted',
      'Cannot use the broker address: mqtt:// without TLS is only for a broker on this machine',
    );
  }
  const password = options.passwordFile === undefined ? undefined : readText(options.passwordFile).trim();
  const ca = options.caFile === undefined ? rootCertificates : [readText(options.caFile)];
  return {
    tls,
    host,
    port: url.port === '' ? (tls ? 8883 : 1883) : Number(url.port),
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(tls ? { ca } : {}),
    ...(options.username === undefined ? {} : { username: options.username }),
    ...(password === undefined ? {} : { password }),
  };
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

export function readText(path: string): string {
  const bytes = readFileLimited(path, 1 << 20);
  if (bytes === undefined) {
    throw new AgentError('config', 'courier/missing-file', 'Cannot read a certificate or password file: it is missing');
  }
  return bytes.toString('utf8');
}
