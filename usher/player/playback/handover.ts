// Goes over to another server without a gap: joins it at the next chunk, and leaves the present one when the new one has caught up.

import type { Clock, Timer } from '../../../network/clock.ts';
import type { Chunk } from '../../../network/media/chunk.ts';
import type { Init } from '../../../network/media/init.ts';
import type { Piece } from '../../../network/media/splitter.ts';
import { readSignal } from '../../../network/relay/signal.ts';
import { type Connection, type ConnectionEnding, connect } from './connection.ts';

export interface HandoverOptions {
  /** Where the stream goes on behind the newest chunk. */
  readonly url: () => string;
  readonly clock: Clock;
  /** Until the other server is asked: not everybody who has to go asks at once. */
  readonly delayMs: number;
  readonly silenceMs: number;
  /** The newest chunk so far, over the present connection. */
  readonly newest: () => Chunk;
  /** By how much the other server may be behind, for nothing to be seen. */
  readonly bearableMs: () => number;
  /** The other server is behind by more: what is in hand should grow. */
  readonly onLag: (lagMs: number) => void;
  /** The present connection is to be left: what comes from now on is the new one's. */
  readonly onOver: (connection: Connection) => void;
  /** As those of a connection, once it is over to the new one. */
  readonly onPiece: (piece: Piece) => boolean;
  readonly onEnd: (ending: ConnectionEnding) => void;
  /** It came to nothing: the present connection goes on. */
  readonly onGiveUp: () => void;
}

/** A server that does not get nearer in this time is joined all the same: the one that has to be left waits for it. */
const JOIN_MS = 3_000;

export class Handover {
  readonly #options: HandoverOptions;
  readonly #delay: Timer;
  #connection: Connection | undefined;
  #joinedAtMs: number | undefined;
  #init: Init | undefined;
  #isOver = false;

  constructor(options: HandoverOptions) {
    this.#options = options;
    this.#delay = options.clock.after(options.delayMs, () => this.#join());
  }

  /** Has no effect on a connection that is the present one already. */
  close(): void {
    this.#delay.cancel();
    if (!this.#isOver) this.#connection?.close();
  }

  #join(): void {
    const { url, clock, silenceMs, onEnd, onGiveUp } = this.#options;
    this.#connection = connect({
      url: url(),
      clock,
      silenceMs,
      onPiece: (piece) => this.#take(piece),
      onEnd: (ending) => (this.#isOver ? onEnd(ending) : onGiveUp()),
    });
  }

  #take(piece: Piece): boolean {
    if (this.#isOver) return this.#options.onPiece(piece);
    if (piece.kind === 'init') this.#init = piece.init;
    if (piece.kind !== 'chunk' || !this.#mayGo(piece.chunk)) return false;
    this.#isOver = true;
    this.#options.onOver(this.#connection!);
    if (this.#init) this.#options.onPiece({ kind: 'init', init: this.#init });
    return this.#options.onPiece(piece);
  }

  #mayGo(chunk: Chunk): boolean {
    const { clock, newest, bearableMs, onLag } = this.#options;
    const last = newest();
    this.#joinedAtMs ??= clock.monotonic();
    // It has left something out: the present connection will bring that.
    if (chunk.sequence > last.sequence + 1) return false;
    const lagMs = last.arrivedAtMs - chunk.arrivedAtMs;
    if (lagMs <= bearableMs() || clock.monotonic() - this.#joinedAtMs >= JOIN_MS) return true;
    onLag(lagMs);
    return false;
  }
}

/** Whether a signal tells viewers to go. What a newer server may say besides is no fault. */
export function isMove(signal: Uint8Array): boolean {
  try {
    return readSignal(signal).kind === 'move';
  } catch {
    return false;
  }
}
