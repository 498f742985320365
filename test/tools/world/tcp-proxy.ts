// A TCP proxy on the loopback that breaks what goes through it, hushes it, or freezes as a network does that loses everything.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Which connections are meant, by the first bytes that came over them from the one who made them. */
export type Which = RegExp;

const ALL: Which = /^/;

export class TcpProxy implements AsyncDisposable {
  /** Request lines that have gone through, oldest first. */
  readonly requests: string[] = [];
  readonly #server: Server;
  readonly #passages = new Set<Passage>();
  #frozen: Which | undefined;
  #port: number;

  private constructor(port: number) {
    this.#port = port;
    this.#server = createServer({ noDelay: true }, (client) => this.#take(client));
  }

  /** What it stands before can be named later. */
  static async before(port = 0): Promise<TcpProxy> {
    const proxy = new TcpProxy(port);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Where new connections lead. */
  leadTo(url: string): void {
    this.#port = Number(new URL(url).port);
  }

  /** Nothing comes through the connections that are open any more, and nothing tells so. New ones pass. */
  hush(): void {
    for (const passage of this.#passages) passage.stop();
  }

  /** Connections stay and are still accepted, and nothing goes through them. */
  freeze(which = ALL): void {
    this.#frozen = which;
    for (const passage of this.#passages) if (which.test(passage.opening)) passage.stop();
  }

  /** What lay in frozen connections comes through. */
  thaw(): void {
    this.#frozen = undefined;
    for (const passage of this.#passages) passage.go();
  }

  /** Ends all connections that are open, as a server does that dies. */
  break(): void {
    for (const passage of this.#passages) passage.break();
  }

  /** Breaks all connections and takes no more. */
  async cut(): Promise<void> {
    this.break();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.cut();
  }

  #take(client: Socket): void {
    const passage = new Passage(client, this.#port, (text) => {
      for (const [line] of text.matchAll(/^[A-Z]+ \S+ HTTP\/1\.1/gm)) this.requests.push(line);
      if (this.#frozen?.test(passage.opening)) passage.stop();
    });
    this.#passages.add(passage);
    client.once('close', () => this.#passages.delete(passage));
  }
}

/** One connection, and the one that it leads to. */
class Passage {
  /** What came first from the one who made the connection. */
  opening = '';
  readonly #client: Socket;
  readonly #server: Socket;
  #isStopped = false;

  /** `onBytes` is called before they are passed on, and may stop them. */
  constructor(client: Socket, port: number, onBytes: (text: string) => void) {
    this.#client = client;
    this.#server = connect({ port, host: '127.0.0.1', noDelay: true });
    client.on('data', (bytes) => {
      const text = bytes.toString('latin1');
      this.opening ||= text;
      onBytes(text);
      if (this.#isStopped) client.unshift(bytes);
      else this.#server.write(bytes);
    });
    this.#server.on('data', (bytes) => void client.write(bytes));
    for (const socket of [client, this.#server]) {
      socket.on('error', () => undefined);
      socket.once('close', () => this.#close());
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.#client.pause();
    this.#server.pause();
  }

  go(): void {
    this.#isStopped = false;
    this.#client.resume();
    this.#server.resume();
  }

  /** A socket that is shutting down can't be reset any more: libuv would keep it for ever. */
  break(): void {
    for (const socket of [this.#client, this.#server]) {
      if (socket.writableEnded) socket.destroy();
      else socket.resetAndDestroy();
    }
  }

  #close(): void {
    this.#client.destroy();
    this.#server.destroy();
  }
}
