// The door to node-media-server: its RTMP chunk parser, AMF0 and client, with their faults put right.

import nodeMediaServerLog from 'node-media-server/src/core/logger.js';
import Amf from 'node-media-server/src/protocol/amf.js';
import Rtmp from 'node-media-server/src/protocol/rtmp.js';
import RtmpClient from 'node-media-server/src/protocol/rtmp_client.js';
import { CodedError, reasonOf } from '../network/errors.ts';
import type { RtmpMessage } from './media.ts';
import { printable } from './printable.ts';
import type { RtmpLimits } from './rtmp-limits.ts';

export interface RtmpCommand {
  readonly name: string;
  readonly transactionId: number;
  /** The message stream that it is about; 0 is the connection itself. */
  readonly streamId: number;
  /** The command object; empty when there is none. */
  readonly object: Readonly<Record<string, unknown>>;
  /** The first argument behind the command object. */
  readonly argument: unknown;
}

export interface RtmpHandler {
  output(bytes: Uint8Array): void;
  command(command: RtmpCommand): void;
  message(message: RtmpMessage): void;
}

/** The server's end of the protocol on one connection: bytes in, commands and messages out, and answers. */
export interface RtmpPeer {
  readonly handshaken: boolean;
  /** Throws a `CodedError` for what no peer may send; nothing can be read behind it. */
  read(bytes: Buffer): void;
  /** Raises the bound on unfinished messages from `waitingBytes` to `partialBytes`. */
  allowMedia(): void;
  sendConnected(transactionId: number): void;
  sendResult(transactionId: number, value: number | null): void;
  sendError(transactionId: number, code: string, description: string): void;
  sendStatus(streamId: number, level: 'status' | 'error', code: string, description: string): void;
}

export function createRtmpPeer(handler: RtmpHandler, limits: RtmpLimits): RtmpPeer {
  return new Peer(handler, limits);
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

/** Message types (RTMP 1.0 5.4, 6.2, 7.1). */
const SET_CHUNK_SIZE = 1;
const ABORT = 2;
const ACKNOWLEDGEMENT = 3;
const USER_CONTROL = 4;
const WINDOW_ACKNOWLEDGEMENT_SIZE = 5;
const SET_PEER_BANDWIDTH = 6;
const AUDIO = 8;
const VIDEO = 9;
const DATA_AMF3 = 15;
const COMMAND_AMF3 = 17;
const DATA = 18;
const COMMAND = 20;

/** User control events (7.1.7). */
const PING_REQUEST = 6;
const PING_RESPONSE = 7;

const VERSION = 3;
const HANDSHAKE_DONE = 3;
const DYNAMIC_LIMIT = 2;
const DESCRIPTION_CHARACTERS = 400;
const NOTHING = Buffer.alloc(0);

class Peer extends Rtmp implements RtmpPeer {
  readonly #handler: RtmpHandler;
  readonly #limits: RtmpLimits;
  #partialLimit: number;
  #partialBytes = 0;
  #receivedBytes = 0;
  #acknowledgedBytes = 0;
  #windowBytes: number;
  #announced = false;

  constructor(handler: RtmpHandler, limits: RtmpLimits) {
    super();
    this.#handler = handler;
    this.#limits = limits;
    this.#partialLimit = limits.waitingBytes;
    this.#windowBytes = limits.acknowledgeBytes;
    // Its FLV parser holds a megabyte per connection and reads past short tags; tags are read elsewhere.
    this.flv = undefined;
    this.onOutputCallback = (bytes) => handler.output(bytes);
  }

  get handshaken(): boolean {
    return this.handshakeState === HANDSHAKE_DONE;
  }

  read(bytes: Buffer): void {
    if (this.#receivedBytes === 0 && bytes[0] !== VERSION) {
      throw new CodedError(
        'rtmp_bad_version',
        `the first byte is ${bytes[0]}, where RTMP has its version, 3`,
      );
    }
    this.#receivedBytes += bytes.length;
    try {
      this.parserData(bytes);
    } catch (error) {
      if (error instanceof CodedError) throw error;
      throw new CodedError('rtmp_bad_message', `a message cannot be read: ${reasonOf(error)}`, {
        cause: error,
      });
    }
    this.#acknowledge();
  }

  allowMedia(): void {
    this.#partialLimit = this.#limits.partialBytes;
  }

  sendConnected(transactionId: number): void {
    this.sendWindowACK(this.#limits.acknowledgeBytes);
    this.setPeerBandwidth(this.#limits.acknowledgeBytes, DYNAMIC_LIMIT);
    const status = { level: 'status', code: 'NetConnection.Connect.Success', description: 'Connected.' };
    this.#invoke(0, {
      cmd: '_result',
      transId: transactionId,
      cmdObj: { fmsVer: 'FMS/3,0,1,123', capabilities: 31, ...ENHANCED_RTMP },
      info: { ...status, objectEncoding: 0, ...ENHANCED_RTMP },
    });
  }

  sendResult(transactionId: number, value: number | null): void {
    this.#invoke(0, { cmd: '_result', transId: transactionId, cmdObj: null, info: value });
  }

  sendError(transactionId: number, code: string, description: string): void {
    const info = { level: 'error', code, description: ascii(description) };
    this.#invoke(0, { cmd: '_error', transId: transactionId, cmdObj: null, info });
  }

  sendStatus(streamId: number, level: 'status' | 'error', code: string, description: string): void {
    const info = { level, code, description: ascii(description) };
    this.#invoke(streamId, { cmd: 'onStatus', transId: 0, cmdObj: null, info });
  }

  /** Replaces a reader that computes 3-byte chunk stream ids wrongly and lets any number of them begin anyhow. */
  override packetParse(): void {
    const format = this.parserBuffer[0]! >> 6;
    const packet = this.#packetOf(this.#chunkStreamId(), format);
    const { length, type } = packet.header;
    packet.header.fmt = format;
    this.parserPacket = packet;
    this.chunkMessageHeaderRead();
    if (packet.bytes > 0 && (packet.header.length !== length || packet.header.type !== type)) {
      throw badChunk(
        `another message begins inside one of ${length} bytes on chunk stream ${packet.header.cid}`,
      );
    }
  }

  /** Each message gets a buffer of its own, so that it can be handed out as it is. */
  override packetAlloc(): void {
    const packet = this.parserPacket;
    // Times are modulo 2^32 (5.3.1.2.1); the parser drops every message behind a clock that went past it.
    packet.clock = packet.clock >>> 0;
    this.#checkSize(packet.header.type, packet.header.length);
    this.#partialBytes += packet.header.length;
    packet.payload = Buffer.allocUnsafe(packet.header.length);
    packet.capacity = packet.header.length;
  }

  override packetHandler(): void {
    const packet = this.parserPacket;
    const { header, payload, clock } = packet;
    this.#forget(packet);
    if (header.type === VIDEO) this.#media('video', clock, payload);
    else if (header.type === AUDIO) this.#media('audio', clock, payload);
    else if (header.type === DATA) this.#media('data', clock, payload);
    else if (header.type === DATA_AMF3) this.#media('data', clock, payload.subarray(1));
    else if (header.type === COMMAND) this.#command(header.stream_id, payload);
    else if (header.type === COMMAND_AMF3) this.#command(header.stream_id, payload.subarray(1));
    else this.#control(header.type, payload);
  }

  #chunkStreamId(): number {
    const [first = 0, second = 0, third = 0] = this.parserBuffer;
    if (this.parserBasicBytes === 1) return first & 0x3f;
    return 64 + second + (this.parserBasicBytes === 3 ? third * 256 : 0);
  }

  #packetOf(id: number, format: number): Rtmp['parserPacket'] {
    const known = this.inPackets.get(id);
    if (known) return known;
    // Format 1 has no message stream id; librtmp begins its control stream with it all the same.
    if (format >= 2) throw badChunk(`chunk stream ${id} begins with a header of format ${format}`);
    if (this.inPackets.size >= this.#limits.chunkStreams) {
      throw badChunk(`chunk stream ${id} is one more than the ${this.#limits.chunkStreams} allowed`);
    }
    const header = { fmt: format, cid: id, timestamp: 0, length: 0, type: 0, stream_id: 0 };
    const packet = { header, clock: 0, payload: NOTHING, capacity: 0, bytes: 0 };
    this.inPackets.set(id, packet);
    return packet;
  }

  #checkSize(type: number, length: number): void {
    const limit = type === VIDEO ? this.#limits.videoMessageBytes : this.#limits.messageBytes;
    if (length > limit) throw tooLarge(`a message of type ${type} has ${length} bytes: over ${limit}`);
    const partial = this.#partialBytes + length;
    if (partial > this.#partialLimit) {
      throw tooLarge(`unfinished messages of ${partial} bytes are over the ${this.#partialLimit} allowed`);
    }
  }

  #forget(packet: Rtmp['parserPacket']): void {
    this.#partialBytes -= packet.header.length;
    packet.bytes = 0;
    packet.payload = NOTHING;
    packet.capacity = 0;
  }

  #media(type: RtmpMessage['type'], timestampMs: number, payload: Uint8Array): void {
    if (payload.length > 0) this.#handler.message({ type, timestampMs, payload });
  }

  #command(streamId: number, payload: Buffer): void {
    const [name, transactionId, object, argument] = decodeCommand(payload);
    if (typeof name !== 'string') throw badCommand(`a command's name is a string, not ${typeof name}`);
    this.#handler.command({
      name,
      transactionId: typeof transactionId === 'number' ? transactionId : 0,
      streamId,
      object: isRecord(object) ? object : {},
      argument,
    });
  }

  #control(type: number, payload: Buffer): void {
    if (type === ACKNOWLEDGEMENT || type === SET_PEER_BANDWIDTH) return;
    if (type === SET_CHUNK_SIZE) this.#setInputChunkSize(uint32(type, payload, 0));
    else if (type === ABORT) this.#abort(uint32(type, payload, 0));
    else if (type === WINDOW_ACKNOWLEDGEMENT_SIZE) this.#windowBytes = uint32(type, payload, 0);
    else if (type === USER_CONTROL) this.#userControl(payload);
    else throw new CodedError('rtmp_bad_message', `nobody publishes with messages of type ${type}`);
  }

  #setInputChunkSize(bytes: number): void {
    if (bytes < 1 || bytes > this.#limits.chunkBytes) {
      throw badChunk(`a chunk size of ${bytes} is not between 1 and ${this.#limits.chunkBytes}`);
    }
    // The parser finds the end of a chunk by division, which holds only while the size stays.
    for (const { bytes: received, header } of this.inPackets.values()) {
      if (received > 0)
        throw badChunk(`the chunk size changes inside a message on chunk stream ${header.cid}`);
    }
    this.inChunkSize = bytes;
  }

  #abort(id: number): void {
    const packet = this.inPackets.get(id);
    if (packet && packet.bytes > 0) this.#forget(packet);
  }

  #userControl(payload: Buffer): void {
    if (payload.length < 2) throw shortMessage(USER_CONTROL, payload);
    if (payload.readUInt16BE(0) !== PING_REQUEST) return;
    this.sendStreamStatus(PING_RESPONSE, uint32(USER_CONTROL, payload, 2));
  }

  /** 5.4.3: an acknowledgement of all bytes so far, modulo 2^32, each time that a window has come in. */
  #acknowledge(): void {
    if (this.#windowBytes === 0 || this.#receivedBytes - this.#acknowledgedBytes < this.#windowBytes) return;
    this.#acknowledgedBytes = this.#receivedBytes;
    this.sendACK(this.#receivedBytes % 2 ** 32);
  }

  /** Chunks are 128 bytes until another size is announced, and node-media-server always writes its larger ones. */
  #invoke(streamId: number, command: object): void {
    if (!this.#announced) this.setChunkSize(this.outChunkSize);
    this.#announced = true;
    this.sendInvokeMessage(streamId, command);
  }
}

/** E-RTMP v2 "Enhancing NetConnection connect Command": what is carried on, none of it decoded or encoded here. */
const CAN_FORWARD = 4;
const VIDEO_FOUR_CCS = ['avc1', 'hvc1', 'av01', 'vp09'];
const AUDIO_FOUR_CCS = ['mp4a', '.mp3', 'Opus', 'fLaC', 'ac-3', 'ec-3'];

/** The standard wants it in "one of the arguments to _result" and does not say in which: both have it. */
const ENHANCED_RTMP = {
  // No reconnect requests, no multitrack, no ModEx, no nanoseconds.
  capsEx: 0,
  fourCcList: strictArray([...VIDEO_FOUR_CCS, ...AUDIO_FOUR_CCS]),
  videoFourCcInfoMap: Object.fromEntries(VIDEO_FOUR_CCS.map((fourCc) => [fourCc, CAN_FORWARD])),
  audioFourCcInfoMap: Object.fromEntries(AUDIO_FOUR_CCS.map((fourCc) => [fourCc, CAN_FORWARD])),
};

/** Its AMF0 encoder takes an array for a strict one (AMF0 2.12) when it has this property. */
function strictArray(values: readonly string[]): readonly string[] {
  return Object.assign([...values], { sarray: true });
}

/** Its AMF0 encoder counts characters where the format counts bytes. */
function ascii(description: string): string {
  return printable(description, DESCRIPTION_CHARACTERS);
}

/** AMF0 2.10. */
const ECMA_ARRAY = 8;

/** Name, transaction id, command object, first argument; what is behind them is not looked at. */
function decodeCommand(payload: Buffer): unknown[] {
  const values: unknown[] = [];
  let offset = 0;
  while (offset < payload.length && values.length < 4) {
    const decoded = decodeAmf0(payload.subarray(offset));
    values.push(decoded.value);
    offset += decoded.len;
  }
  if (offset > payload.length) throw badCommand(`a command of ${payload.length} bytes is cut short`);
  return values;
}

function decodeAmf0(bytes: Buffer): { readonly len: number; readonly value: unknown } {
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

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function uint32(type: number, payload: Buffer, offset: number): number {
  if (payload.length < offset + 4) throw shortMessage(type, payload);
  return payload.readUInt32BE(offset);
}

function shortMessage(type: number, payload: Uint8Array): CodedError {
  return new CodedError('rtmp_bad_message', `a message of type ${type} has only ${payload.length} bytes`);
}

function badChunk(reason: string): CodedError {
  return new CodedError('rtmp_bad_chunk', reason);
}

function tooLarge(reason: string): CodedError {
  return new CodedError('rtmp_too_large', reason);
}

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
