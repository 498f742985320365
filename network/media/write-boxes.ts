// ISO base media boxes (ISO/IEC 14496-12 4.2) as nested values, and how they become bytes. Pure.

/** A number in big-endian bytes, bytes as they are, or a box. Each knows its length before anything is written. */
export type Field = NumberField | Uint8Array | BoxValue;

interface NumberField {
  readonly length: 1 | 2 | 3 | 4 | 8;
  readonly value: number;
}

export interface BoxValue {
  readonly length: number;
  /** Four-character code. */
  readonly type: string;
  readonly fields: readonly Field[];
}

const HEADER_BYTES = 8;

export const u8 = (value: number): Field => ({ length: 1, value });
export const u16 = (value: number): Field => ({ length: 2, value });
export const u24 = (value: number): Field => ({ length: 3, value });
/** Unsigned or signed: two's complement makes them the same bytes. */
export const u32 = (value: number): Field => ({ length: 4, value });
/** A non-negative integer up to 2^53. */
export const u64 = (value: number): Field => ({ length: 8, value });
export const zeros = (count: number): Field => new Uint8Array(count);
export const text = (ascii: string): Field => Uint8Array.from(ascii, (letter) => letter.charCodeAt(0));

export function box(type: string, ...fields: Field[]): BoxValue {
  return { type, fields, length: HEADER_BYTES + lengthOf(fields) };
}

/** A box with version and flags in front (4.2, `FullBox`). */
export function fullBox(type: string, version: number, flags: number, ...fields: Field[]): BoxValue {
  return box(type, u8(version), u24(flags), ...fields);
}

/** The bytes of some fields, one behind the other, in one allocation. */
export function write(...fields: Field[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(lengthOf(fields));
  writeFields(fields, bytes, new DataView(bytes.buffer), 0);
  return bytes;
}

function lengthOf(fields: readonly Field[]): number {
  let length = 0;
  for (const field of fields) length += field.length;
  return length;
}

function writeFields(fields: readonly Field[], bytes: Uint8Array, view: DataView, start: number): void {
  let offset = start;
  for (const field of fields) {
    if (field instanceof Uint8Array) bytes.set(field, offset);
    else if ('value' in field) writeNumber(field, view, offset);
    else writeBox(field, bytes, view, offset);
    offset += field.length;
  }
}

function writeBox(value: BoxValue, bytes: Uint8Array, view: DataView, offset: number): void {
  view.setUint32(offset, value.length);
  for (let index = 0; index < 4; index++) bytes[offset + 4 + index] = value.type.charCodeAt(index);
  writeFields(value.fields, bytes, view, offset + HEADER_BYTES);
}

function writeNumber({ length, value }: NumberField, view: DataView, offset: number): void {
  if (length === 1) view.setUint8(offset, value);
  else if (length === 2) view.setUint16(offset, value);
  else if (length === 4) view.setUint32(offset, value);
  else if (length === 3) {
    view.setUint8(offset, value >>> 16);
    view.setUint16(offset + 1, value);
  } else {
    view.setUint32(offset, Math.floor(value / 2 ** 32));
    view.setUint32(offset + 4, value % 2 ** 32);
  }
}
