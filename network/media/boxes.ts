// Reads ISO base media boxes (ISO/IEC 14496-12 4.2) from bytes. Pure, and free of Node: browsers run it too.

import { CodedError } from '../errors.ts';

export interface Box {
  /** Four-character code. */
  readonly type: string;
  /** Offset of the header. */
  readonly start: number;
  /** Offset of the first byte behind size, type and, for a `uuid` box, its 16 bytes of name. */
  readonly body: number;
  /** Offset behind the last byte. */
  readonly end: number;
}

/** A box with a 32-bit or 64-bit size has a header of at least this many bytes. */
export const HEADER_BYTES = 8;
const LARGE_HEADER_BYTES = 16;

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Size and type at `offset`, or undefined while the header itself is not whole. Size 0 ("to the end") is refused. */
export function readHeader(
  view: DataView,
  offset: number,
): { type: string; size: number; headerBytes: number } | undefined {
  if (view.byteLength - offset < HEADER_BYTES) return undefined;
  const type = fourCharacterCode(view, offset + 4);
  const short = view.getUint32(offset);
  if (short >= HEADER_BYTES) return { type, size: short, headerBytes: HEADER_BYTES };
  if (short !== 1) throw new CodedError('bad_box', `box '${type}' has the impossible size ${short}`);
  if (view.byteLength - offset < LARGE_HEADER_BYTES) return undefined;
  const size = Number(view.getBigUint64(offset + 8));
  if (size < LARGE_HEADER_BYTES)
    throw new CodedError('bad_box', `box '${type}' has the impossible size ${size}`);
  return { type, size, headerBytes: LARGE_HEADER_BYTES };
}

/** The boxes in [start, end), in order. Throws `bad_box` when one is cut off or lies about its size. */
export function* readBoxes(view: DataView, start = 0, end = view.byteLength): Generator<Box> {
  for (let offset = start; offset < end; ) {
    const header = readHeader(view, offset);
    if (!header || offset + header.size > end) {
      throw new CodedError(
        'bad_box',
        `box at byte ${offset} does not fit in the ${end - start} bytes around it`,
      );
    }
    const body = offset + header.headerBytes;
    yield { type: header.type, start: offset, body, end: offset + header.size };
    offset += header.size;
  }
}

/** The first box at the end of a path of types, each inside the one before, or undefined. */
export function findBox(view: DataView, path: readonly string[], inside?: Box): Box | undefined {
  let found = inside;
  for (const type of path) {
    found = firstOfType(view, type, found);
    if (!found) return undefined;
  }
  return found;
}

/** As `findBox`, and throws `bad_box` when it is not there. */
export function needBox(view: DataView, path: readonly string[], inside?: Box): Box {
  const box = findBox(view, path, inside);
  if (!box) throw new CodedError('bad_box', `no '${path.join('/')}' box`);
  return box;
}

/** Runs a reader, and turns a read past the end of the bytes into an error with `code` like every other fault in them. */
export function readOrThrow<T>(code: string, what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof CodedError) throw error;
    throw new CodedError(code, `${what} is cut short`, { cause: error });
  }
}

export function fourCharacterCode(view: DataView, offset: number): string {
  return String.fromCharCode(
    view.getUint8(offset),
    view.getUint8(offset + 1),
    view.getUint8(offset + 2),
    view.getUint8(offset + 3),
  );
}

function firstOfType(view: DataView, type: string, inside: Box | undefined): Box | undefined {
  for (const box of readBoxes(view, inside?.body ?? 0, inside?.end ?? view.byteLength)) {
    if (box.type === type) return box;
  }
  return undefined;
}
