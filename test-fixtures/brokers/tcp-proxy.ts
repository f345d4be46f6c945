import { connect, createServer, type Socket } from 'node:net';

/**
 * A TCP proxy between a program and its server that counts and keeps what goes upstream, and can cut connections: all of
 * them now, or by itself once a number of upstream bytes has passed on one connection.
 */
export interface TcpProxy {
  readonly port: number;
  /** Upstream bytes of each connection so far, in order of arrival. */
  readonly upstream: readonly Buffer[];
  cutAll(): void;
  /** Each number is used once: the connection on which so many bytes have gone upstream is cut there. */
  readonly cutAfterBytes: number[];
  close(): Promise<void>;
}

export function startTcpProxy(target: { port: number; host?: string }): Promise<TcpProxy> {
  const upstream: Buffer[] = [];
  const cutAfterBytes: number[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const index = upstream.push(Buffer.alloc(0)) - 1;
    const chunks: Buffer[] = [];
    let bytes = 0;
    const remote = connect({ port: target.port, host: target.host ?? '127.0.0.1', noDelay: true });
    const end = (): void => {
      client.destroy();
      remote.destroy();
    };
    for (const socket of [client, remote]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', end);
      socket.on('close', () => {
        sockets.delete(socket);
        end();
      });
    }
    client.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      chunks.push(chunk);
      upstream[index] = chunks.length > 64 ? (upstream[index] ?? chunk) : Buffer.concat(chunks);
      const cut = cutAfterBytes[0];
      if (cut !== undefined && bytes >= cut) {
        cutAfterBytes.shift();
        remote.write(chunk.subarray(0, Math.max(0, chunk.length - (bytes - cut))), end);
        return;
      }
      if (!remote.write(chunk)) {
        client.pause();
        remote.once('drain', () => client.resume());
      }
    });
    remote.pipe(client);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve({
        port: typeof address === 'object' && address !== null ? address.port : 0,
        upstream,
        cutAfterBytes,
        cutAll: () => {
          for (const socket of sockets) socket.destroy();
        },
        close: () =>
          new Promise((done) => {
            for (const socket of sockets) socket.destroy();
            server.close(() => done());
          }),
      });
    });
  });
}
