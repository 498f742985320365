// Types for the parts of node-media-server 4.4.3 that rtmp.ts uses; the package has none.

declare module 'node-media-server/src/core/logger.js' {
  const logger: { log(message: unknown, level?: string): void };
  export default logger;
}

declare module 'node-media-server/src/protocol/amf.js' {
  const amf: {
    /** Null for an AMF0 type that it does not know; throws on bytes that are cut short. */
    amf0DecodeOne(bytes: Buffer): { readonly len: number; readonly value: unknown } | null;
  };
  export default amf;
}

declare module 'node-media-server/src/protocol/flv.js' {
  export default class Flv {}
}

declare module 'node-media-server/src/protocol/rtmp.js' {
  /** A message being received on one chunk stream. */
  interface RtmpPacket {
    readonly header: {
      fmt: number;
      cid: number;
      timestamp: number;
      length: number;
      type: number;
      stream_id: number;
    };
    clock: number;
    payload: Buffer;
    capacity: number;
    /** Of the payload, received so far. */
    bytes: number;
  }

  export default class Rtmp {
    handshakeState: number;
    parserBuffer: Buffer;
    parserBasicBytes: number;
    parserPacket: RtmpPacket;
    inPackets: Map<number, RtmpPacket>;
    inChunkSize: number;
    outChunkSize: number;
    flv: unknown;
    onOutputCallback: (bytes: Buffer) => void;

    parserData(bytes: Buffer): string | null;
    /** Called when the header of a chunk has arrived, but for an extended timestamp. */
    packetParse(): void;
    chunkMessageHeaderRead(): number;
    /** Called at the first chunk of each message, when its clock is known. */
    packetAlloc(): void;
    /** Called when a message is whole. */
    packetHandler(): void;

    sendACK(receivedBytes: number): void;
    sendWindowACK(bytes: number): void;
    setPeerBandwidth(bytes: number, limitType: number): void;
    setChunkSize(bytes: number): void;
    /** Sends any user control message with four bytes of data. */
    sendStreamStatus(event: number, data: number): void;
    sendInvokeMessage(streamId: number, command: object): void;
    sendStatusMessage(streamId: number, level: string, code: string, description: string): void;
  }
}

declare module 'node-media-server/src/protocol/rtmp_client.js' {
  import type { Socket } from 'node:net';
  import Rtmp from 'node-media-server/src/protocol/rtmp.js';

  export default class RtmpClient extends Rtmp {
    socket: Socket | null;
    handleData: (bytes: Buffer) => void;
    onCloseCallback: (hadError: boolean) => void;
    onErrorCallback: (error: Error) => void;
    onStatusCallback: (code: string, info: { readonly description?: unknown }) => void;

    /** Resolves when the handshake is done. */
    connect(url: string): Promise<void>;
    sendConnect(): Promise<unknown>;
    sendCreateStream(): Promise<number>;
    sendPublish(name: string): Promise<unknown>;
    sendPacket(packet: {
      readonly codec_type: number;
      readonly dts: number;
      readonly size: number;
      readonly data: Buffer;
    }): void;
    disconnect(): void;
  }
}
