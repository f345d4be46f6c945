/**
 * Properties are tried on the same examples in every check, so that a failure there is a failure here.
 * `LATCHKEY_SEED=N` tries others.
 */
import { configureGlobal } from 'fast-check';

configureGlobal({ seed: Number(process.env['LATCHKEY_SEED'] ?? '1') });
