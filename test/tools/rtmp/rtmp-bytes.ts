// Builds and reads RTMP bytes for tests, by the standard and independently of the code under test.

export const AUDIO = 8;
export const VIDEO = 9;
export const DATA = 18;
export const COMMAND = 20;

export interface Chunking {
  /** Chunk stream id; two- and three-byte forms are used when it needs them. */
  readonly chunkStream?: number;
  readonly type: number;
  /** Absolute for format 0, a delta otherwise. */
  readonly time?: number;
  readonly streamId?: number;
  readonly payload: Uint8Array;
  readonly format?: 0 | 1 | 2 | 3;
  readonly chunkSize?: number;
}

/** One message as its chunks, back to back. */
export function message(chunking: Chunking): Buffer {
  return Buffer.concat(chunks(chunking));
}

/** One message as its chunks (RTMP 1.0 5.3.1). */
export function chunks(options: Chunking): Buffer[] {
  const { chunkStream = 3, payload, format = 0, time = 0, chunkSize = 128 } = options;
  const extended = time >= 0xffffff ? uint32(time) : Buffer.alloc(0);
  const header = Buffer.concat([basicHeader(format, chunkStream), messageHeader(options), extended]);
  const parts = [Buffer.concat([header, payload.subarray(0, chunkSize)])];
  for (let offset = chunkSize; offset < payload.length; offset += chunkSize) {
    const part = payload.subarray(offset, offset + chunkSize);
    parts.push(Buffer.concat([basicHeader(3, chunkStream), extended, part]));
  }
  return parts;
}

/** Protocol control messages have chunk stream 2 and message stream 0. */
export function control(type: number, ...values: number[]): Buffer {
  return message({ chunkStream: 2, type, payload: Buffer.concat(values.map(uint32)) });
}

export const setChunkSize = (bytes: number): Buffer => control(1, bytes);

export function command(name: string, transactionId: number, ...values: unknown[]): Buffer {
  return message({ type: COMMAND, payload: amf0(name, transactionId, ...values) });
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function amf0(...values: unknown[]): Buffer {
  return Buffer.concat(values.map(amf0Value));
}

/** Reads AMF0 values: number, boolean, string, object, null, ECMA array, strict array. */
export function readAmf0(bytes: Buffer): unknown[] {
  const reader = { bytes, offset: 0 };
  const values: unknown[] = [];
  while (reader.offset < bytes.length) values.push(readValue(reader));
  return values;
}

function basicHeader(format: number, id: number): Buffer {
  if (id < 64) return Buffer.of((format << 6) | id);
  if (id < 320) return Buffer.of(format << 6, id - 64);
  return Buffer.of((format << 6) | 1, (id - 64) & 0xff, (id - 64) >> 8);
}

function messageHeader({ format = 0, time = 0, type, streamId = 0, payload }: Chunking): Buffer {
  const header = Buffer.alloc(11);
  header.writeUIntBE(Math.min(time, 0xffffff), 0, 3);
  header.writeUIntBE(payload.length, 3, 3);
  header.writeUInt8(type, 6);
  header.writeUInt32LE(streamId, 7);
  return header.subarray(0, [11, 7, 3, 0][format]);
}

function amf0Value(value: unknown): Buffer {
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(9);
    bytes.writeDoubleBE(value, 1);
    return bytes;
  }
  if (typeof value === 'boolean') return Buffer.of(1, value ? 1 : 0);
  if (typeof value === 'string') return Buffer.concat([Buffer.of(2), key(value)]);
  if (value === null || value === undefined) return Buffer.of(5);
  // A map becomes an ECMA array, anything else an object.
  const isMap = value instanceof Map;
  const entries: Iterable<[string, unknown]> = isMap ? value : Object.entries(value);
  const properties = [...entries].flatMap(([name, inner]) => [key(name), amf0Value(inner)]);
  const head = isMap ? Buffer.concat([Buffer.of(8), uint32(value.size)]) : Buffer.of(3);
  return Buffer.concat([head, ...properties, Buffer.of(0, 0, 9)]);
}

function key(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 0xff), bytes]);
}

interface Reader {
  readonly bytes: Buffer;
  offset: number;
}

function readValue(reader: Reader): unknown {
  const { bytes } = reader;
  const type = bytes.readUInt8(reader.offset++);
  switch (type) {
    case 0:
      reader.offset += 8;
      return bytes.readDoubleBE(reader.offset - 8);
    case 1:
      return bytes.readUInt8(reader.offset++) !== 0;
    case 2:
      return readKey(reader);
    case 3:
      return readProperties(reader);
    case 5:
      return null;
    case 8:
      reader.offset += 4;
      return readProperties(reader);
    case 10: {
      reader.offset += 4;
      const length = bytes.readUInt32BE(reader.offset - 4);
      return Array.from({ length }, () => readValue(reader));
    }
    default:
      throw new Error(`AMF0 type ${type} at ${reader.offset - 1}`);
  }
}

function readKey(reader: Reader): string {
  const length = reader.bytes.readUInt16BE(reader.offset);
  reader.offset += 2 + length;
  return reader.bytes.toString('utf8', reader.offset - length, reader.offset);
}

function readProperties(reader: Reader): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (;;) {
    const name = readKey(reader);
    if (name === '' && reader.bytes[reader.offset] === 9) {
      reader.offset += 1;
      return object;
    }
    object[name] = readValue(reader);
  }
}
