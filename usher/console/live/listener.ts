// Somebody who listens: what fits into the connection is sent, and who is slow hears everything anew when it can.

import type { Outlet } from '../../../network/http/listener.ts';
import { type Frame, GZIP_HEADER, type Packing } from './frame.ts';

/** What may lie in memory for one listener beside what it is told first: some ten seconds of a busy cluster. */
const MAX_WAITING_BYTES = 512 * 1024;

export interface ListenerOptions {
  readonly outlet: Outlet;
  readonly packing: Packing;
  /** Streams that it asked for, by name. */
  readonly streams: readonly string[];
  readonly onSent: (bytes: number) => void;
}

export class Listener {
  readonly streams: readonly string[];
  readonly #options: ListenerOptions;
  /** Ticks that it has missed since it fell behind. */
  missed = 0;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.streams = options.streams;
    if (options.packing === 'packed') this.#write(GZIP_HEADER);
  }

  get outlet(): Outlet {
    return this.#options.outlet;
  }

  /** It was told nothing for a while, and has taken all that it was told before. */
  get isReadyAnew(): boolean {
    return this.missed > 0 && this.outlet.writableLength === 0;
  }

  /** Nothing of a tick is sent to who is behind: a part of it would be of no use. */
  get isBehind(): boolean {
    return this.missed > 0 || this.outlet.writableLength > MAX_WAITING_BYTES;
  }

  send(frame: Frame): void {
    this.#write(frame[this.#options.packing]);
  }

  #write(bytes: Buffer): void {
    this.outlet.write(bytes);
    this.#options.onSent(bytes.length);
  }
}
