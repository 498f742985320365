// The door to node-media-server: its RTMP chunk parser, its AMF0 decoder and its client.

import nodeMediaServerLog from 'node-media-server/src/core/logger.js';
import Amf from 'node-media-server/src/protocol/amf.js';
import Flv from 'node-media-server/src/protocol/flv.js';
import Rtmp from 'node-media-server/src/protocol/rtmp.js';
import RtmpClient from 'node-media-server/src/protocol/rtmp_client.js';
import { CodedError, reasonOf } from '../../network/errors.ts';
import type { RtmpMessage } from '../media.ts';
import { AUDIO, DATA, VIDEO } from './message-types.ts';

/** The chunk parser, to be extended: its faults are put right in `rtmp-peer.ts`. */
export { Rtmp };

/** One AMF0 value and how many bytes it has. Throws a `CodedError` for what is none. */
export function decodeAmf0(bytes: Buffer): { readonly len: number; readonly value: unknown } {
  let decoded: ReturnType<typeof Amf.amf0DecodeOne>;
  try {
    decoded = Amf.amf0DecodeOne(bytes);
  } catch (error) {
    throw badCommand(`a command has a value of type ${bytes[0]} that is not valid AMF0`, error);
  }
  if (!decoded) throw badCommand(`a command has a value of type ${bytes[0]}, which AMF0 has not`);
  // It counts an ECMA array's type twice.
  return bytes[0] === ECMA_ARRAY ? { ...decoded, len: decoded.len - 1 } : decoded;
}

export interface PublisherTarget {
  /** A name or an IPv4 address. */
  readonly host: string;
  readonly port: number;
  readonly app: string;
  /** The stream's name, and the query behind it if there is one. */
  readonly name: string;
}

/** A connection that publishes. Nothing of it throws but `open` and `send`, and nothing is left when `closed` resolves. */
export interface RtmpPublisher {
  /** Connects and publishes. Rejects, with the server's words when it gave any, if that is refused. */
  open(): Promise<void>;
  /** Resolves with the reason when the socket is gone. */
  readonly closed: Promise<string>;
  /** Bytes that the server has not taken yet. */
  readonly queuedBytes: number;
  send(message: RtmpMessage): void;
  close(reason: string): void;
}

export function createRtmpPublisher(target: PublisherTarget): RtmpPublisher {
  return new Publisher(target);
}

/** It logs to the console, at the level 'debug' and whatever it is set to: nothing that is not reported here too. */
nodeMediaServerLog.log = () => {};

/** Each of its parsers of chunks has an FLV parser with a megabyte of zeros, which nobody reads here: connections come by the thousand. */
Object.defineProperty(Flv.prototype, 'parserTagCapacity', { get: () => 0, set() {} });

/** AMF0 2.10. */
const ECMA_ARRAY = 8;

function badCommand(reason: string, cause?: unknown): CodedError {
  return new CodedError('rtmp_bad_command', reason, { cause });
}

/** The client throws out of its socket's events, and forgets why a connection ended. */
class Publisher extends RtmpClient implements RtmpPublisher {
  readonly closed: Promise<string>;
  readonly #target: PublisherTarget;
  readonly #settle: (reason: string) => void;
  #reason: string | undefined;

  constructor(target: PublisherTarget) {
    super();
    const { promise, resolve } = Promise.withResolvers<string>();
    this.closed = promise;
    this.#target = target;
    this.#settle = resolve;
    this.onCloseCallback = () => resolve(this.#reason ?? 'the server closed the connection');
    this.onErrorCallback = (error) => this.#fail(error);
    this.onStatusCallback = (code, info) => this.#hear(code, info.description);
    const read = this.handleData;
    this.handleData = (bytes) => {
      try {
        read(bytes);
      } catch (error) {
        this.#fail(error);
      }
    };
  }

  get queuedBytes(): number {
    return this.socket?.writableLength ?? 0;
  }

  async open(): Promise<void> {
    const { host, port, app, name } = this.#target;
    try {
      await this.connect(`rtmp://${host}:${port}/${app}/${name}`);
      await this.sendConnect();
      await this.sendCreateStream();
      await this.sendPublish(name);
    } catch (error) {
      this.close(reasonOf(error));
      throw new CodedError('rtmp_refused', this.#reason!, { cause: error });
    }
  }

  send(message: RtmpMessage): void {
    const { payload, timestampMs } = message;
    const type = { audio: AUDIO, video: VIDEO, data: DATA }[message.type];
    const data = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    this.sendPacket({ codec_type: type, dts: timestampMs >>> 0, size: data.length, data });
  }

  close(reason: string): void {
    this.#reason ??= reason;
    if (!this.socket) this.#settle(this.#reason);
    this.disconnect();
  }

  #hear(code: string, description: unknown): void {
    if (code !== 'NetStream.Publish.Start') this.#reason ??= `${code}: ${description}`;
  }

  #fail(error: unknown): void {
    this.#reason ??= reasonOf(error);
    this.socket?.destroy();
  }
}
