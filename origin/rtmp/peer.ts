// The server's end of RTMP on one connection: node-media-server's chunk parser with what it gets wrong put right.

import { CodedError, reasonOf } from '../../network/errors.ts';
import type { RtmpMessage } from '../media.ts';
import { type RtmpCommand, readCommand } from './command.ts';
import type { RtmpLimits } from './limits.ts';
import {
  ABORT,
  ACKNOWLEDGEMENT,
  AUDIO,
  COMMAND,
  COMMAND_AMF3,
  DATA,
  DATA_AMF3,
  PING_REQUEST,
  PING_RESPONSE,
  SET_CHUNK_SIZE,
  SET_PEER_BANDWIDTH,
  USER_CONTROL,
  VIDEO,
  WINDOW_ACKNOWLEDGEMENT_SIZE,
} from './message-types.ts';
import { printable } from './printable.ts';
import { RECONNECT } from './publish-target.ts';
import { Rtmp } from './rtmp.ts';

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
  /** Any number of messages may come, and the bound on unfinished ones is raised from `waitingBytes` to `partialBytes`. */
  allowMedia(): void;
  sendConnected(transactionId: number): void;
  sendResult(transactionId: number, value: number | null): void;
  sendError(transactionId: number, code: string, description: string): void;
  sendStatus(streamId: number, level: 'status' | 'error', code: string, description: string): void;
  sendReconnectRequest(tcUrl: string, description: string): void;
}

export function createRtmpPeer(handler: RtmpHandler, limits: RtmpLimits): RtmpPeer {
  return new Peer(handler, limits);
}

const VERSION = 3;
const HANDSHAKE_DONE = 3;
const DYNAMIC_LIMIT = 2;
const DESCRIPTION_CHARACTERS = 400;
const NOTHING = Buffer.alloc(0);

class Peer extends Rtmp implements RtmpPeer {
  readonly #handler: RtmpHandler;
  readonly #limits: RtmpLimits;
  #partialLimit: number;
  #messagesLeft: number;
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
    this.#messagesLeft = limits.waitingMessages;
    this.#windowBytes = limits.acknowledgeBytes;
    // Its FLV parser reads past short tags; tags are read elsewhere.
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
    this.#messagesLeft = Number.POSITIVE_INFINITY;
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

  /** E-RTMP v2 "Reconnect Request": of the connection, which is message stream 0, and not of its publication. */
  sendReconnectRequest(tcUrl: string, description: string): void {
    const code = 'NetConnection.Connect.ReconnectRequest';
    const info = { level: 'status', code, description: ascii(description), tcUrl };
    this.#invoke(0, { cmd: 'onStatus', transId: 0, cmdObj: null, info });
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
    if (--this.#messagesLeft < 0)
      throw tooLarge(`over ${this.#limits.waitingMessages} messages, and no publication`);
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
    this.#handler.command(readCommand(streamId, payload));
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
  // No multitrack, no ModEx, no nanoseconds.
  capsEx: RECONNECT,
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
