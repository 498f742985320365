// Cuts a byte stream, however it arrives, into the inits, chunks and signals that it is made of. Pure.

import { CodedError } from '../errors.ts';
import { HEADER_BYTES, readHeader, viewOf } from './boxes.ts';
import { type Chunk, readChunk } from './chunk.ts';
import { type Init, readInit } from './init.ts';

export type Piece =
  | { readonly kind: 'init'; readonly init: Init }
  | { readonly kind: 'chunk'; readonly chunk: Chunk }
  /** What a server says to servers between the chunks: a `free` box, for them to read and for others to pass over. */
  | { readonly kind: 'signal'; readonly bytes: Uint8Array };

/** Far above one frame of any stream that a browser can play; what claims to be larger is not a stream of ours. */
export const MAX_PIECE_BYTES = 8 * 1024 * 1024;
/** A signal names the servers on a feed's way: some hundred of them fit. */
export const MAX_SIGNAL_BYTES = 8 * 1024;
const FIRST_BUFFER_BYTES = 4 * 1024;
/** The boxes that a piece is made of, each with the one that may follow. */
const NEXT: Readonly<Record<string, string>> = { ftyp: 'moov', uuid: 'prft', prft: 'moof', moof: 'mdat' };
const FIRST = ['ftyp', 'uuid', 'free'];

/** Holds the beginning of one piece at most. After an error it is of no more use. */
export class Splitter {
  #held = new Uint8Array(FIRST_BUFFER_BYTES);
  #length = 0;
  /** Bytes of the piece being read whose boxes are known to be whole, and the type that must come next. */
  #checked = 0;
  #expected: string | undefined;

  /** Bytes held of a piece that is not whole. */
  get heldBytes(): number {
    return this.#length;
  }

  /** The pieces that these bytes make whole. Throws `bad_stream`, `bad_box`, `bad_chunk` or `bad_init`. */
  *push(bytes: Uint8Array): Generator<Piece> {
    for (let taken = 0; taken < bytes.length; ) {
      const count = Math.min(this.#missing(), bytes.length - taken);
      this.#hold(bytes.subarray(taken, taken + count));
      taken += count;
      const piece = this.#advance();
      if (piece) yield piece;
    }
  }

  /** How many bytes the box at hand still needs: first for its header, then for all of it. */
  #missing(): number {
    const header = this.#header();
    if (header) return this.#checked + header.size - this.#length;
    const inHeader = this.#length - this.#checked;
    return inHeader < HEADER_BYTES ? HEADER_BYTES - inHeader : 2 * HEADER_BYTES - inHeader;
  }

  #header(): { type: string; size: number } | undefined {
    return readHeader(viewOf(this.#held.subarray(0, this.#length)), this.#checked);
  }

  #advance(): Piece | undefined {
    const header = this.#header();
    if (!header) return undefined;
    this.#check(header);
    if (this.#length < this.#checked + header.size) return undefined;
    this.#checked = this.#length;
    this.#expected = NEXT[header.type];
    return this.#expected ? undefined : this.#take(header.type);
  }

  /** As soon as a header is there, so that nothing is collected for a box that does not belong or is too large. */
  #check({ type, size }: { type: string; size: number }): void {
    const belongs = this.#expected ? type === this.#expected : FIRST.includes(type);
    if (!belongs)
      throw new CodedError('bad_stream', `box '${type}' where ${this.#expected ?? FIRST} belongs`);
    const maxBytes = type === 'free' ? MAX_SIGNAL_BYTES : MAX_PIECE_BYTES;
    if (this.#checked + size > maxBytes)
      throw new CodedError('bad_stream', `box '${type}' of ${size} bytes is too large`);
  }

  #take(lastType: string): Piece {
    const bytes = this.#held.slice(0, this.#length);
    this.#length = 0;
    this.#checked = 0;
    if (lastType === 'free') return { kind: 'signal', bytes };
    return lastType === 'moov'
      ? { kind: 'init', init: readInit(bytes) }
      : { kind: 'chunk', chunk: readChunk(bytes) };
  }

  #hold(bytes: Uint8Array): void {
    const needed = this.#length + bytes.length;
    if (needed > this.#held.length) {
      const larger = new Uint8Array(Math.max(needed, this.#held.length * 2));
      larger.set(this.#held.subarray(0, this.#length));
      this.#held = larger;
    }
    this.#held.set(bytes, this.#length);
    this.#length = needed;
  }
}
