// One keep-alive connection of a viewer of HLS: a request at a time, its body counted or kept.

import { connect, type Socket } from 'node:net';

/** All viewers read into the same memory: what is in it is nobody's. */
const READ_BUFFER = Buffer.allocUnsafeSlow(256 * 1024);

export interface Answer {
  readonly status: number;
  readonly bytes: number;
  /** Empty when it is not kept. */
  readonly text: string;
}

export class Connection {
  readonly #host: string;
  readonly #socket: Socket;
  #resolve: ((answer: Answer) => void) | undefined;
  #keepsText = false;
  #text = '';
  #status = 0;
  /** Bytes of the body that are to come; undefined while the head is. */
  #missing: number | undefined;
  #got = 0;

  constructor({ hostname, port, host }: URL, onLost: () => void) {
    this.#host = host;
    const onread = { buffer: READ_BUFFER, callback: (bytes: number) => this.#read(bytes) };
    this.#socket = connect({ host: hostname, port: Number(port), noDelay: true, onread });
    this.#socket.on('error', () => {});
    this.#socket.on('close', onLost);
  }

  get(target: string, keepsText: boolean): Promise<Answer> {
    this.#keepsText = keepsText;
    this.#text = '';
    this.#got = 0;
    const { promise, resolve } = Promise.withResolvers<Answer>();
    this.#resolve = resolve;
    this.#socket.write(`GET ${target} HTTP/1.1\r\nHost: ${this.#host}\r\n\r\n`);
    return promise;
  }

  close(): void {
    this.#socket.destroy();
  }

  /** An answer comes whole behind its request, so the head is at the beginning of a read. */
  #read(bytes: number): boolean {
    let start = 0;
    if (this.#missing === undefined) {
      const head = READ_BUFFER.toString('latin1', 0, Math.min(bytes, 2048));
      start = head.indexOf('\r\n\r\n') + 4;
      this.#status = Number(head.slice(9, 12));
      this.#missing = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
    }
    this.#got += bytes - start;
    this.#missing -= bytes - start;
    if (this.#keepsText) this.#text += READ_BUFFER.toString('latin1', start, bytes);
    if (this.#missing > 0) return true;
    this.#missing = undefined;
    this.#resolve?.({ status: this.#status, bytes: this.#got, text: this.#text });
    return true;
  }
}
