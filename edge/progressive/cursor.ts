// A progressive viewer: an outlet and the sequence number of the chunk that it gets next. Nothing is queued for it.

import type { Clock, Timer } from '../../network/clock.ts';
import { endOutlet, type Outlet } from '../../network/http/listener.ts';

export interface CursorEvents {
  /** The connection takes more again. */
  onDrain(cursor: Cursor): void;
  onLetGo(cursor: Cursor): void;
  onClose(cursor: Cursor): void;
  onFault(cursor: Cursor, error: unknown): void;
}

export interface CursorOptions {
  readonly events: CursorEvents;
  readonly outlet: Outlet;
  readonly clock: Clock;
  /** The sequence number to begin with. */
  readonly next: number;
  /** What lies before this sequence number was asked for, and is sent however far behind the head it is. */
  readonly promised: number;
}

/** A viewer whose connection takes nothing for so long is let go: it would only hold memory of the kernel's. */
export const PATIENCE_MS = 10_000;

export class Cursor {
  readonly #options: CursorOptions;
  readonly promised: number;
  next: number;
  /** Where it stands in the list of its fan-out. */
  index = 0;
  #patience: Timer | undefined;

  constructor(options: CursorOptions) {
    this.#options = options;
    this.promised = options.promised;
    this.next = options.next;
    const { outlet } = options;
    outlet.on('drain', () => this.#drained());
    outlet.once('close', () => this.#closed());
  }

  /** Its connection is full: nothing may be written until it drains. */
  get isBehind(): boolean {
    return this.#patience !== undefined;
  }

  /** What the kernel does not take at once stays with the outlet: at most its high-water mark and one write. */
  write(bytes: Buffer): void {
    const { outlet } = this.#options;
    if (!outlet.write(bytes) && outlet.writableLength > 0) this.#wait();
  }

  /** Closes the connection behind the last byte. */
  end(): void {
    endOutlet(this.#options.outlet);
    this.#wait();
  }

  /** Closes the connection as it is. */
  leave(): void {
    this.#options.outlet.destroy();
  }

  #wait(): void {
    this.#patience ??= this.#options.clock.after(PATIENCE_MS, () => {
      this.#options.events.onLetGo(this);
      this.#options.outlet.destroy();
    });
  }

  #drained(): void {
    if (!this.#patience || this.#options.outlet.writableEnded) return;
    this.#stopWaiting();
    const { events } = this.#options;
    try {
      events.onDrain(this);
    } catch (error) {
      events.onFault(this, error);
    }
  }

  #closed(): void {
    this.#stopWaiting();
    this.#options.events.onClose(this);
  }

  #stopWaiting(): void {
    this.#patience?.cancel();
    this.#patience = undefined;
  }
}
