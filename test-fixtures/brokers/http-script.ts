import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

/** A server that does what a test says, and remembers every request and connection: fake and hostile upload servers. */
export interface ScriptedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface ScriptedServer {
  readonly origin: string;
  readonly port: number;
  readonly requests: readonly ScriptedRequest[];
  readonly connectionCount: () => number;
  close(): Promise<void>;
}

export type ScriptedAnswer = { readonly status: number; readonly headers?: Record<string, string> } | 'reset';

export function startScriptedServer(
  answer: (request: ScriptedRequest, index: number) => ScriptedAnswer,
): Promise<ScriptedServer> {
  const requests: ScriptedRequest[] = [];
  let connections = 0;
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const seen = { method: request.method ?? '', path: request.url ?? '', headers, body: Buffer.concat(chunks) };
    const index = requests.push(seen) - 1;
    const reply = answer(seen, index);
    if (reply === 'reset') request.socket.resetAndDestroy();
    else response.writeHead(reply.status, reply.headers).end();
  }
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  server.on('connection', () => {
    connections += 1;
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      resolve({
        origin: `http://127.0.0.1:${port}`,
        port,
        requests,
        connectionCount: () => connections,
        close: () =>
          new Promise((done) => {
            server.closeAllConnections();
            server.close(() => done());
          }),
      });
    });
  });
}
