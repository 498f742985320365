// A raw-socket RTMP client for tests: sends any bytes, and understands what a server answers.

import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { command, readAmf0, setChunkSize } from './rtmp-bytes.ts';
import { Inbox } from './rtmp-inbox.ts';

const HANDSHAKE_BYTES = 1536;
const CLIENT_CHUNK_SIZE = 65_536;

export interface Answer {
  readonly type: number;
  readonly payload: Buffer;
  /** The AMF0 values of a command; empty for other messages. */
  readonly values: readonly unknown[];
}

export interface Status {
  readonly level: string;
  readonly code: string;
  readonly description: string;
}

export class RawRtmpClient {
  readonly socket: Socket;
  readonly answers = new Inbox<Answer>();
  /** Resolves when the server has closed its end and the socket is gone. */
  readonly closed: Promise<void>;
  #handshakeLeft = 1 + 2 * HANDSHAKE_BYTES;
  #handshaken = Promise.withResolvers<void>();
  #received = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.on('data', (bytes: Buffer) => this.#read(bytes));
    socket.on('error', () => {});
    socket.on('close', () => this.answers.end('the server closed the connection'));
    this.#handshaken.promise.catch(() => {});
  }

  /** Connects, without a word. */
  static async dial(port: number, host = '127.0.0.1'): Promise<RawRtmpClient> {
    const socket = createConnection({ port, host, noDelay: true });
    const client = new RawRtmpClient(socket);
    await once(socket, 'connect');
    return client;
  }

  /** Connects and shakes hands. */
  static async handshaken(port: number): Promise<RawRtmpClient> {
    const client = await RawRtmpClient.dial(port);
    client.write(handshake());
    await client.#handshaken.promise;
    return client;
  }

  /** As far as the answer to `connect`. */
  static async connected(port: number): Promise<RawRtmpClient> {
    const client = await RawRtmpClient.handshaken(port);
    client.write(command('connect', 1, connectObject(port)));
    await client.reply('_result', 1);
    return client;
  }

  /** As far as the answer to `publish`; chunks of up to 64 KiB from then on. */
  static async publishing(port: number, name = 'alice'): Promise<RawRtmpClient> {
    const client = await RawRtmpClient.connected(port);
    client.write(command('createStream', 2, null), command('publish', 3, null, name, 'live'));
    const status = await client.status();
    if (status.code !== 'NetStream.Publish.Start') throw new Error(status.description);
    client.write(setChunkSize(CLIENT_CHUNK_SIZE));
    return client;
  }

  write(...bytes: Uint8Array[]): void {
    this.socket.write(Buffer.concat(bytes));
  }

  /** The first command of this name and transaction, as its values. */
  async reply(name: string, transactionId: number): Promise<readonly unknown[]> {
    const answer = await this.answers.find(({ values }) => values[0] === name && values[1] === transactionId);
    return answer.values;
  }

  /** The first `onStatus` for which `wanted` holds. */
  async status(wanted: (status: Status) => boolean = () => true): Promise<Status> {
    const answer = await this.answers.find(
      ({ values }) => values[0] === 'onStatus' && wanted(values[3] as Status),
    );
    return answer.values[3] as Status;
  }

  /** The first status of the level error, and then the end of the connection. */
  async refusal(): Promise<Status> {
    const status = await this.status(({ level }) => level === 'error');
    await this.closed;
    return status;
  }

  #read(bytes: Buffer): void {
    const ofHandshake = Math.min(this.#handshakeLeft, bytes.length);
    this.#handshakeLeft -= ofHandshake;
    if (this.#handshakeLeft === 0) this.#handshaken.resolve();
    this.#received = Buffer.concat([this.#received, bytes.subarray(ofHandshake)]);
    while (this.#readMessage()) {}
  }

  /** This server sends each message as one chunk with a full header and a one-byte chunk stream id. */
  #readMessage(): boolean {
    const bytes = this.#received;
    if (bytes.length < 12) return false;
    const end = 12 + bytes.readUIntBE(4, 3);
    if (bytes.length < end) return false;
    const type = bytes.readUInt8(7);
    const payload = bytes.subarray(12, end);
    this.#received = bytes.subarray(end);
    this.answers.put({ type, payload, values: type === 20 ? readAmf0(payload) : [] });
    return true;
  }
}

/** C0, C1 and C2, of the simple handshake (RTMP 1.0 5.2). */
export function handshake(): Buffer {
  return Buffer.concat([Buffer.of(3), Buffer.alloc(HANDSHAKE_BYTES, 7), Buffer.alloc(HANDSHAKE_BYTES)]);
}

/** The same with the digest in C1 that Flash players and librtmp put there, by the four bytes at 8 or at 772 that say where. */
export function signedHandshake(digestAt: 8 | 772): Buffer {
  const bytes = handshake();
  const c1 = bytes.subarray(1, 1 + HANDSHAKE_BYTES);
  const sum = c1.subarray(digestAt, digestAt + 4).reduce((total, byte) => total + byte, 0);
  const at = digestAt + 4 + (sum % 728);
  const signed = Buffer.concat([c1.subarray(0, at), c1.subarray(at + 32)]);
  c1.set(createHmac('sha256', 'Genuine Adobe Flash Player 001').update(signed).digest(), at);
  return bytes;
}

export function connectObject(port: number): Record<string, unknown> {
  return { app: 'live', type: 'nonprivate', flashVer: 'FMLE/3.0', tcUrl: `rtmp://127.0.0.1:${port}/live` };
}
