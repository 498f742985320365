// Reads what a broadcaster says about itself (`onMetaData`) from AMF0. A hint for people, so bounded and never trusted. Pure.

import { CodedError } from '../../network/errors.ts';
import { readOrThrow, viewOf } from '../../network/media/boxes.ts';

export type Metadata = Readonly<Record<string, unknown>>;

const MAX_DEPTH = 4;
const MAX_ENTRIES = 256;

/** The values of an `onMetaData` message (a data message, possibly behind `@setDataFrame`), or undefined for any other. */
export function readMetadata(payload: Uint8Array): Metadata | undefined {
  try {
    return readOrThrow('bad_amf', 'a data message', () => findMetadata(new AmfReader(payload)));
  } catch {
    return undefined;
  }
}

function findMetadata(reader: AmfReader): Metadata | undefined {
  let name = reader.value();
  if (name === '@setDataFrame') name = reader.value();
  const values = name === 'onMetaData' ? reader.value() : undefined;
  return typeof values === 'object' && values !== null ? (values as Metadata) : undefined;
}

/** AMF0 specification, section 2. Types beyond those that encoders use in metadata are refused. */
class AmfReader {
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#view = viewOf(bytes);
  }

  value(depth = 0): unknown {
    if (depth > MAX_DEPTH) throw new CodedError('bad_amf', 'values nested too deep');
    const marker = this.#number(1);
    switch (marker) {
      case 0:
        return this.#view.getFloat64(this.#advance(8));
      case 1:
        return this.#number(1) !== 0;
      case 2:
        return this.#text(this.#number(2));
      case 3:
        return this.#object(depth);
      case 5:
      case 6:
        return undefined;
      case 8:
        this.#advance(4);
        return this.#object(depth);
      case 10:
        return this.#list(depth);
      case 11:
        return this.#date();
      case 12:
        return this.#text(this.#number(4));
      default:
        throw new CodedError('bad_amf', `a value of type ${marker}`);
    }
  }

  #object(depth: number): Metadata {
    const objectEnd = 9;
    const entries: [string, unknown][] = [];
    while (entries.length < MAX_ENTRIES) {
      const name = this.#text(this.#number(2));
      if (name === '' && this.#view.getUint8(this.#offset) === objectEnd) {
        this.#advance(1);
        break;
      }
      entries.push([name, this.value(depth + 1)]);
    }
    return Object.fromEntries(entries);
  }

  #list(depth: number): unknown[] {
    const length = Math.min(this.#number(4), MAX_ENTRIES);
    return Array.from({ length }, () => this.value(depth + 1));
  }

  #date(): number {
    const unixMs = this.#view.getFloat64(this.#advance(8));
    this.#advance(2);
    return unixMs;
  }

  #text(length: number): string {
    const start = this.#advance(length);
    return new TextDecoder().decode(new Uint8Array(this.#view.buffer, this.#view.byteOffset + start, length));
  }

  #number(length: 1 | 2 | 4): number {
    const start = this.#advance(length);
    if (length === 1) return this.#view.getUint8(start);
    return length === 2 ? this.#view.getUint16(start) : this.#view.getUint32(start);
  }

  /** Moves on over `length` bytes, which must be there, and returns where they start. */
  #advance(length: number): number {
    const start = this.#offset;
    if (start + length > this.#view.byteLength) throw new CodedError('bad_amf', 'a value is cut short');
    this.#offset += length;
    return start;
  }
}
