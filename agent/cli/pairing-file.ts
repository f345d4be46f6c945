/** This terminal's half of a pairing: `~/.config/latchkey/pairing.json`, readable by its user alone. */
import { chmodSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { AgentError } from '../base/errors.ts';
import { ensurePrivateDir, writeFileDurable } from '../base/files.ts';
import { readTextFile } from '../config/text-file.ts';
import { homeConfigPath } from './discovery.ts';
import type { CliIo } from './io.ts';

const pairingSchema = z.object({
  pairingId: z.string().min(1).max(128),
  viewingKey: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  expiresAtMs: z.int(),
});
export type PairingFile = z.output<typeof pairingSchema>;

export function pairingPath(io: CliIo): string {
  return homeConfigPath(io, 'pairing.json');
}

export function writePairing(io: CliIo, pairing: PairingFile): string {
  const path = pairingPath(io);
  ensurePrivateDir(dirname(path));
  writeFileDurable(path, `${JSON.stringify(pairing, null, 2)}\n`, 0o600);
  chmodSync(path, 0o600);
  return path;
}

/** Throws `cli/not-paired` or `cli/bad-pairing-file`. */
export function readPairing(io: CliIo): { pairingId: string; viewingKey: string } {
  const path = pairingPath(io);
  const file = readTextFile(path, 4096);
  if ('problem' in file) {
    const why = file.problem === 'missing' ? 'this terminal is not paired' : file.why;
    throw new AgentError('refused', 'cli/not-paired', `Cannot unlock viewing: ${why}; "latchkey pair" pairs it`);
  }
  try {
    const { pairingId, viewingKey } = pairingSchema.parse(JSON.parse(file.text));
    return { pairingId, viewingKey };
  } catch {
    const message = `Cannot unlock viewing: ${path} is damaged; "latchkey pair" makes a new one`;
    throw new AgentError('corrupt', 'cli/bad-pairing-file', message);
  }
}
