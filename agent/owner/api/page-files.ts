/** The built page as static files: open to everybody, because it holds nothing but itself. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import { AgentError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';

/** Without a built page the API still works, and `/` answers `api/page-not-built`. */
export async function addPage(app: FastifyInstance, webDir: string, log: Log): Promise<void> {
  if (!existsSync(join(webDir, 'index.html'))) {
    log.warn('page-not-built');
    app.get('/', () => {
      throw new AgentError('unavailable', 'api/page-not-built', 'Cannot show the page: it has not been built yet');
    });
    return;
  }
  await app.register(fastifyStatic, {
    root: webDir,
    dotfiles: 'ignore',
    cacheControl: false,
    setHeaders: (response, path) => {
      const named = path.includes('/assets/');
      response.header('cache-control', named ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
}
