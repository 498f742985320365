// What stands before a server whose `relayUrl` is https: takes TLS, and passes on what is in it.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { createServer, type Server } from 'node:tls';

export class TlsTerminator implements AsyncDisposable {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async before(port: number, files: { certFile: string; keyFile: string }): Promise<TlsTerminator> {
    const [cert, key] = [readFileSync(files.certFile), readFileSync(files.keyFile)];
    const server = createServer({ cert, key, noDelay: true }, (client) => {
      const onward = connect({ port, host: '127.0.0.1', noDelay: true });
      for (const socket of [client, onward]) socket.on('error', () => {});
      client.pipe(onward).pipe(client);
      client.once('close', () => onward.destroy());
      onward.once('close', () => client.destroy());
    });
    server.on('tlsClientError', () => {});
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TlsTerminator(server);
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
