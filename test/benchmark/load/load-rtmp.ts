// A viewer of RTMP: asks to play, then reads and counts, and looks at nothing.

import { Socket } from './sockets.ts';
import type { Viewer, Watcher } from './viewer.ts';

/** RTMP 5.2: C1 and its kin, behind a byte of version. */
const HANDSHAKE_BYTES = 1536;
/** More than a socket holds. */
const EVERYTHING = 2 ** 30;

export class RtmpViewer implements Viewer {
  readonly #url: URL;
  readonly #watcher: Watcher;
  readonly #socket: Socket;
  /** Of S0, S1 and S2. */
  #missing = 1 + 2 * HANDSHAKE_BYTES;

  constructor(url: URL, watcher: Watcher) {
    this.#url = url;
    this.#watcher = watcher;
    const gone = (): void => watcher.gone('closed by the server');
    this.#socket = new Socket(url, { readable: () => this.#read(), gone });
    this.#socket.send(Buffer.concat([Buffer.of(3), Buffer.alloc(HANDSHAKE_BYTES)]).toString('latin1'));
  }

  close(): void {
    this.#socket.close();
  }

  #read(): void {
    if (this.#missing > 0) this.#shakeHands();
    const bytes = this.#missing > 0 ? 0 : this.#socket.drop(EVERYTHING);
    if (bytes === 0) return;
    this.#watcher.received(bytes);
    this.#watcher.began();
  }

  #shakeHands(): void {
    this.#missing -= this.#socket.drop(this.#missing);
    if (this.#missing === 0) this.#socket.send(request(this.#url).toString('latin1'));
  }
}

/** C2, and the commands: what they are answered is as it always is, so nobody waits for it. */
function request({ hostname, pathname }: URL): Buffer {
  const [, app, stream] = pathname.split('/') as [string, string, string];
  const tcUrl = `rtmp://${hostname}/${app}`;
  return Buffer.concat([
    Buffer.alloc(HANDSHAKE_BYTES),
    command(0, text('connect'), number(1), object({ app, tcUrl })),
    command(0, text('createStream'), number(2), NULL),
    command(1, text('play'), number(3), NULL, text(stream)),
  ]);
}

/** A message of one chunk (RTMP 5.3.1): none is longer than the 128 bytes that a chunk has at first. */
function command(messageStream: number, ...values: readonly Buffer[]): Buffer {
  const body = Buffer.concat(values);
  const head = Buffer.alloc(12);
  head[0] = 3;
  head.writeUIntBE(body.length, 4, 3);
  head[7] = 20;
  head.writeUInt32LE(messageStream, 8);
  return Buffer.concat([head, body]);
}

/** AMF0. */
const NULL = Buffer.of(5);

function name(value: string): Buffer {
  return Buffer.concat([Buffer.of(0, value.length), Buffer.from(value)]);
}

function text(value: string): Buffer {
  return Buffer.concat([Buffer.of(2), name(value)]);
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(9);
  bytes.writeDoubleBE(value, 1);
  return bytes;
}

function object(fields: Readonly<Record<string, string>>): Buffer {
  const pairs = Object.entries(fields).flatMap(([key, value]) => [name(key), text(value)]);
  return Buffer.concat([Buffer.of(3), ...pairs, Buffer.of(0, 0, 9)]);
}
