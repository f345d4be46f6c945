/**
 * The vault's process. Its first act is to give up the network for ever, and it refuses to start where that fails; only
 * then is anything loaded that touches a key. It ends when its parent does, and locking is ending.
 */
import { denyNetwork, setNotDumpable, setParentDeathSignal } from '../base/native.ts';

denyNetwork();
setParentDeathSignal();
setNotDumpable();

const { serveVault } = await import('./server.ts');
await serveVault();
