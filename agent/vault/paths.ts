/** Where the vault's files stand in the data directory (agent/README.md). */
import { join } from 'node:path';

export const vaultFilePath = (dataDir: string): string => join(dataDir, 'owner', 'vault.age');
export const recipientsPath = (dataDir: string): string => join(dataDir, 'keys', 'recipients.json');
export const ownerRootPath = (dataDir: string): string => join(dataDir, 'keys', 'owner-root.pub');
export const placePath = (dataDir: string): string => join(dataDir, 'owner', 'place.json');
export const rootsPath = (dataDir: string): string => join(dataDir, 'owner', 'roots.json');
export const camerasPath = (dataDir: string): string => join(dataDir, 'cameras');
export const viewingPath = (dataDir: string): string => join(dataDir, 'owner', 'viewing');
export const clipIndexPath = (dataDir: string): string => join(dataDir, 'owner', 'clip-index');
