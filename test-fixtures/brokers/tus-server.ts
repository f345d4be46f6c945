import { mkdirSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { FileStore } from '@tus/file-store';
import { Server } from '@tus/server';

/** A real tus server on a free loopback port; its finished files stand in `dir` under their upload ids. */
export interface TusServerFixture {
  readonly port: number;
  readonly path: string;
  /** Upload metadata by upload id, in order of creation. */
  readonly created: readonly { readonly id: string; readonly metadata: Readonly<Record<string, string | null>> }[];
  close(): Promise<void>;
}

export function startTusServer(
  dir: string,
  path = '/files',
  /** What a slow server does first. */
  before: (request: IncomingMessage) => Promise<void> = async () => {},
): Promise<TusServerFixture> {
  mkdirSync(dir, { recursive: true });
  const created: { id: string; metadata: Record<string, string | null> }[] = [];
  const tus = new Server({
    path,
    datastore: new FileStore({ directory: dir }),
    relativeLocation: true,
    onUploadCreate: async (_request, upload) => {
      created.push({ id: upload.id, metadata: upload.metadata ?? {} });
      return {};
    },
  });
  const server = createServer((request, response) => {
    // Spoken to as a proxy it is every server there is.
    request.url = request.url?.replace(/^http:\/\/[^/]+/, '');
    before(request)
      .then(() => tus.handle(request, response))
      .catch(() => response.destroy());
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve({
        port: typeof address === 'object' && address !== null ? address.port : 0,
        path,
        created,
        close: () =>
          new Promise((done) => {
            server.closeAllConnections();
            server.close(() => done());
          }),
      });
    });
  });
}
