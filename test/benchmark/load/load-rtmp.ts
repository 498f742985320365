// A viewer of RTMP: asks to play, then reads and counts, and looks at nothing.

import { connect } from 'node:net';
import type { Source } from './tally.ts';

/** All viewers read into the same memory: what is in it is nobody's. */
const READ_BUFFER = Buffer.allocUnsafeSlow(256 * 1024);
/** RTMP 5.2: C1 and its kin, behind a byte of version. */
const HANDSHAKE_BYTES = 1536;

export class RtmpViewer {
  /** Resolves with the first bytes behind the handshake. */
  readonly began: Promise<void>;

  constructor(url: URL, received: Source, onLost: () => void) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.began = promise;
    let shaking = 1 + 2 * HANDSHAKE_BYTES;
    const callback = (bytes: number): boolean => {
      if (shaking <= 0) {
        resolve();
        received(bytes);
        return true;
      }
      shaking -= bytes;
      if (shaking <= 0) socket.write(request(url));
      return true;
    };
    const onread = { buffer: READ_BUFFER, callback };
    const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true, onread });
    socket.write(Buffer.concat([Buffer.of(3), Buffer.alloc(HANDSHAKE_BYTES)]));
    socket.on('error', () => {});
    socket.on('close', onLost);
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
