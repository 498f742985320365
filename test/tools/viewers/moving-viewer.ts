// A progressive viewer that goes over to another server as the page does, with the page's own code, and shows nothing.

import { systemClock } from '../../../network/clock.ts';
import type { Chunk } from '../../../network/media/chunk.ts';
import type { Piece } from '../../../network/media/splitter.ts';
import {
  type Connection,
  type ConnectionEnding,
  connect,
} from '../../../usher/player/playback/connection.ts';
import { Handover, isMove } from '../../../usher/player/playback/handover.ts';

export interface MovingViewerOptions {
  /** Where the stream is to be had from a chunk on, or from the newest key frame. */
  readonly urlFrom: (sequence: number | undefined) => string;
  readonly delayMs?: number;
  readonly bearableMs?: number;
}

const SILENCE_MS = 4_000;

export class MovingViewer implements Disposable {
  /** Sequence numbers in the order in which they were news. */
  readonly sequences: number[] = [];
  readonly endings: ConnectionEnding[] = [];
  readonly lagsMs: number[] = [];
  handovers = 0;
  failures = 0;
  readonly #options: MovingViewerOptions;
  #newest: Chunk | undefined;
  #handover: Handover | undefined;
  #connection: Connection;

  constructor(options: MovingViewerOptions) {
    this.#options = options;
    this.#connection = connect({
      url: options.urlFrom(undefined),
      clock: systemClock,
      silenceMs: SILENCE_MS,
      onPiece: (piece) => this.#take(piece),
      onEnd: (ending) => this.endings.push(ending),
    });
  }

  /** How many numbers are missing between the first and the last that came. */
  get missing(): number {
    const [first = 0, last = -1] = [this.sequences[0], this.sequences.at(-1)];
    return last - first + 1 - this.sequences.length;
  }

  [Symbol.dispose](): void {
    this.#handover?.close();
    this.#connection.close();
  }

  #take(piece: Piece): boolean {
    if (piece.kind === 'signal' && isMove(piece.bytes)) this.#move();
    if (piece.kind !== 'chunk' || piece.chunk.sequence <= (this.#newest?.sequence ?? 0)) return false;
    this.#newest = piece.chunk;
    this.sequences.push(piece.chunk.sequence);
    return true;
  }

  #move(): void {
    const { urlFrom, delayMs = 0, bearableMs = 100 } = this.#options;
    if (this.#handover || !this.#newest) return;
    this.#handover = new Handover({
      url: () => urlFrom(this.#newest!.sequence + 1),
      clock: systemClock,
      delayMs,
      silenceMs: SILENCE_MS,
      newest: () => this.#newest!,
      bearableMs: () => bearableMs,
      onLag: (lagMs) => this.lagsMs.push(lagMs),
      onOver: (connection) => {
        this.handovers++;
        this.#connection.close();
        this.#connection = connection;
        this.#handover = undefined;
      },
      onPiece: (piece) => this.#take(piece),
      onEnd: (ending) => this.endings.push(ending),
      onGiveUp: () => {
        this.failures++;
        this.#handover = undefined;
      },
    });
  }
}
