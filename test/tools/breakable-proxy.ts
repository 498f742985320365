// A TCP proxy for tests: passes bytes on until it is told to break connections, or to hush.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export class BreakableProxy implements AsyncDisposable {
  /** Request lines that have gone through, oldest first. */
  readonly requests: string[] = [];
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #target = 0;

  private constructor() {
    this.#server = createServer((client) => this.#accept(client));
  }

  static async start(): Promise<BreakableProxy> {
    const proxy = new BreakableProxy();
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Where new connections lead. */
  leadTo(url: string): void {
    this.#target = Number(new URL(url).port);
  }

  /** Ends all connections that are open, as a server does that dies. */
  break(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.resetAndDestroy();
  }

  /** Nothing comes through the connections that are open any more, and nothing tells so. */
  hush(): void {
    for (const [, server] of this.#pairs) server.pause();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.break();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    const server = connect(this.#target, '127.0.0.1');
    const pair = [client, server] as const;
    this.#pairs.add(pair);
    client.on('data', (bytes) => {
      for (const [line] of bytes.toString('latin1').matchAll(/^[A-Z]+ \S+ HTTP\/1\.1/gm))
        this.requests.push(line);
    });
    client.pipe(server);
    server.on('data', (bytes) => client.write(bytes));
    for (const socket of pair) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#pairs.delete(pair);
        client.destroy();
        server.destroy();
      });
    }
  }
}
