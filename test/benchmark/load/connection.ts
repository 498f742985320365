// One keep-alive connection of a viewer of HLS: a request at a time, its body looked at or only counted.

import { READ, Socket } from './sockets.ts';

export interface Answer<Seen> {
  readonly status: number;
  /** Of the body. */
  readonly bytes: number;
  /** What a body with status 200 was found to say. */
  readonly seen: Seen | undefined;
}

/** Is given a body in memory that others use next. */
export type Look<Seen> = (body: Buffer) => Seen;

/** An answer on its way. */
interface Reading {
  readonly looks: boolean;
  status: number;
  bytes: number;
  /** Of the body; undefined while the head is to come. */
  missing: number | undefined;
  /** What is looked at and came in several pieces. */
  readonly pieces: Buffer[];
  readonly end: (reading: Reading, body: Buffer) => void;
}

/** Longer than any head: it comes whole with the first bytes of an answer. */
const HEAD_BYTES = 1024;

export class Connection {
  readonly #host: string;
  readonly #socket: Socket;
  #reading: Reading | undefined;

  constructor(url: URL, onGone: () => void) {
    this.#host = url.host;
    this.#socket = new Socket(url, { readable: () => this.#read(), gone: onGone });
  }

  get<Seen = undefined>(target: string, look?: Look<Seen>): Promise<Answer<Seen>> {
    const { promise, resolve } = Promise.withResolvers<Answer<Seen>>();
    const end = ({ status, bytes }: Reading, body: Buffer): void =>
      resolve({ status, bytes, seen: status === 200 ? look?.(body) : undefined });
    const looks = look !== undefined;
    this.#reading = { looks, status: 0, bytes: 0, missing: undefined, pieces: [], end };
    this.#socket.send(`GET ${target} HTTP/1.1\r\nHost: ${this.#host}\r\n\r\n`);
    return promise;
  }

  close(): void {
    this.#socket.close();
  }

  #read(): void {
    while (this.#reading && this.#readSome(this.#reading));
  }

  /** Whether there may be more. */
  #readSome(reading: Reading): boolean {
    if (reading.missing === undefined) return this.#readHead(reading);
    const wanted = reading.looks ? Math.min(reading.missing, READ.length) : reading.missing;
    const came = reading.looks ? this.#socket.read(wanted) : this.#socket.drop(wanted);
    this.#took(reading, 0, came);
    return came === wanted;
  }

  #readHead(reading: Reading): boolean {
    const most = reading.looks ? READ.length : HEAD_BYTES;
    const came = this.#socket.read(most);
    if (came === 0) return false;
    const head = READ.toString('latin1', 0, Math.min(came, HEAD_BYTES));
    reading.status = Number(head.slice(9, 12));
    reading.missing = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
    this.#took(reading, head.indexOf('\r\n\r\n') + 4, came);
    return came === most;
  }

  /** From there to there in `READ`, if it is looked at. */
  #took(reading: Reading, from: number, to: number): void {
    reading.bytes += to - from;
    reading.missing! -= to - from;
    const piece = reading.looks ? READ.subarray(from, to) : READ.subarray(0, 0);
    if (reading.missing! > 0) {
      if (reading.looks) reading.pieces.push(Buffer.from(piece));
      return;
    }
    this.#reading = undefined;
    reading.end(reading, reading.pieces.length === 0 ? piece : Buffer.concat([...reading.pieces, piece]));
  }
}
