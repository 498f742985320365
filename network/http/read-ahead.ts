// How much of what is stored is read ahead of those who take it. Large pieces cost less, and lie in memory until they are taken: of those there are so many in all.

export interface Share extends Disposable {
  readonly bytes: number;
}

const MOST_BYTES = 1024 * 1024;
/** Everybody has as much: who takes it goes on, however many take nothing. */
const LEAST_BYTES = 64 * 1024;
/** Of what is left, what one gets of it at most: pieces get smaller with the room, and not all at once. */
const PART = 1 / 8;

export class ReadAhead {
  #leftBytes: number;

  /** `bytes` for all together, beyond what everybody has. */
  constructor(bytes: number) {
    this.#leftBytes = bytes;
  }

  /** For the next piece of somebody who has yet to get so many bytes; until it is taken. */
  take(wantedBytes: number): Share {
    const beyond = Math.max(0, Math.min(wantedBytes, MOST_BYTES) - LEAST_BYTES);
    const given = Math.min(beyond, Math.floor(this.#leftBytes * PART));
    this.#leftBytes -= given;
    return {
      bytes: LEAST_BYTES + given,
      [Symbol.dispose]: () => {
        this.#leftBytes += given;
      },
    };
  }
}

/** A piece that is a small part of what was read for it would keep all of that. */
export function alone(piece: Uint8Array): Uint8Array {
  return piece.buffer.byteLength < 2 * piece.length ? piece : Buffer.from(piece);
}
