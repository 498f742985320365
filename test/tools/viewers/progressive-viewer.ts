// A progressive viewer for tests: asks for a stream over a raw socket, and keeps or refuses what it is sent.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { readBoxes, viewOf } from '../../../network/media/boxes.ts';
import { readChunk } from '../../../network/media/chunk.ts';

export class ProgressiveViewer {
  readonly socket: Socket;
  readonly closed: Promise<unknown>;
  #pieces: Buffer[] = [];
  #waiting: { readonly isDone: () => boolean; readonly resolve: () => void }[] = [];

  constructor(port: number, request: string) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.write(request);
    this.socket.on('error', () => {});
    this.closed = once(this.socket, 'close').then(() => this.#wake());
    this.resume();
  }

  /** Reads all there is, and keeps it. */
  resume(): void {
    this.socket.on('data', this.#keep);
    this.socket.resume();
  }

  pause(): void {
    this.socket.off('data', this.#keep);
    this.socket.pause();
  }

  get status(): number {
    return Number(/^HTTP\/1\.1 (\d+)/.exec(this.head)?.[1]);
  }

  header(name: string): string | undefined {
    return new RegExp(`^${name}: (.*?)\r?$`, 'im').exec(this.head)?.[1];
  }

  get head(): string {
    return this.#received.toString('latin1', 0, Math.max(0, this.#bodyStart));
  }

  get body(): Buffer {
    return this.#bodyStart < 0 ? Buffer.alloc(0) : this.#received.subarray(this.#bodyStart);
  }

  /** Types of all boxes received and the sequence numbers of all chunks; throws when the last box is not whole. */
  get contents(): { readonly types: string[]; readonly sequences: number[] } {
    const { body } = this;
    const types: string[] = [];
    const sequences: number[] = [];
    let chunkStart = 0;
    for (const { type, start, end } of readBoxes(viewOf(body))) {
      types.push(type);
      if (type === 'uuid') chunkStart = start;
      if (type === 'mdat') sequences.push(readChunk(body.subarray(chunkStart, end)).sequence);
    }
    return { types, sequences };
  }

  /** Resolves when the head and at least so many bytes of the body are here, or rejects when the connection closes before. */
  async bodyOf(bytes: number): Promise<Buffer> {
    const isDone = (): boolean => this.#bodyStart >= 0 && this.body.length >= bytes;
    if (!isDone()) await new Promise<void>((resolve) => this.#waiting.push({ isDone, resolve }));
    if (!isDone()) throw new Error(`closed after ${this.body.length} bytes of ${bytes}: ${this.head}`);
    return this.body;
  }

  get #received(): Buffer {
    if (this.#pieces.length !== 1) this.#pieces = [Buffer.concat(this.#pieces)];
    return this.#pieces[0]!;
  }

  get #bodyStart(): number {
    const end = this.#received.indexOf('\r\n\r\n');
    return end < 0 ? -1 : end + 4;
  }

  readonly #keep = (bytes: Buffer): void => {
    this.#pieces.push(bytes);
    const done = this.#waiting.filter(({ isDone }) => isDone());
    this.#waiting = this.#waiting.filter((one) => !done.includes(one));
    for (const { resolve } of done) resolve();
  };

  #wake(): void {
    for (const { resolve } of this.#waiting) resolve();
  }
}
