// A server that follows a feed here: an outlet and the sequence number of the chunk that it gets next. Nothing is queued for it.

import type { Clock, Timer } from '../clock.ts';
import { endOutlet, type Outlet } from '../http/listener.ts';
import { isContinued, openingAt, type RelayPlace } from './admission.ts';
import type { Relayed } from './relayed.ts';
import { writeSignal } from './signal.ts';

export interface ChildOptions {
  readonly relayed: Relayed;
  readonly outlet: Outlet;
  readonly place: RelayPlace;
  readonly clock: Clock;
  onSent(bytes: number): void;
  /** It could not keep up, or has another feed than this one. */
  onLetGo(why: LetGo): void;
  /** Writing to it failed by a mistake of ours. */
  onFault(error: unknown): void;
  /** Called once, whoever closed the connection. */
  onClose(): void;
}

export type LetGo = 'stuck' | 'behind' | 'diverged';

/** A server that takes nothing for so long follows nobody any more. */
export const STUCK_MS = 5_000;
/** What is written before looking whether the connection is full: it stays with the outlet when it is. */
const PIECE_BYTES = 256 * 1024;

export class Child {
  readonly #options: ChildOptions;
  readonly #unsubscribe: readonly (() => void)[];
  #next = 0;
  #isJoined = false;
  #patience: Timer | undefined;

  constructor(options: ChildOptions) {
    const { relayed, outlet } = options;
    this.#options = options;
    this.#unsubscribe = [
      relayed.feed.subscribe(() => this.#flush()),
      relayed.subscribe(() => this.heartbeat()),
    ];
    outlet.on('drain', () => this.#drained());
    outlet.once('close', () => this.#closed());
    this.heartbeat();
    this.#flush();
  }

  /** Says that this server lives. To a connection that is full, nothing is said. */
  heartbeat(): void {
    const { feed, lineage } = this.#options.relayed;
    if (!this.#isFull() && !this.#options.outlet.writableEnded)
      this.#write(writeSignal({ kind: 'heartbeat', next: feed.next, ...lineage }));
  }

  close(): void {
    this.#options.outlet.destroy();
  }

  /** A mistake in what is written to one child costs that child alone. */
  #flush(): void {
    try {
      this.#writeAll();
    } catch (error) {
      this.#options.onFault(error);
      this.close();
    }
  }

  /** Writes what there is, as far as the connection takes it, and closes it behind the feed's end. */
  #writeAll(): void {
    const { relayed, outlet } = this.#options;
    const { feed } = relayed;
    if (outlet.destroyed || outlet.writableEnded) return;
    if (this.#isJoined || this.#join()) this.#writeUpTo(feed.next);
    if (outlet.destroyed) return;
    const hasAll = !this.#isJoined || this.#next === feed.next;
    if (feed.ended !== undefined && hasAll && !this.#isFull()) this.#end();
    if (this.#isFull() || outlet.writableEnded) this.#wait();
  }

  /** Once the first chunk that is wanted is there, it shows whether this is the same feed. */
  #join(): boolean {
    const { relayed, place } = this.#options;
    const { feed } = relayed;
    const next = place.next ?? feed.first;
    if (next >= feed.next) return false;
    if (!place.resumption) this.#open(next);
    else if (!isContinued(feed, place.resumption)) {
      this.#letGo('diverged');
      return false;
    }
    this.#next = next;
    this.#isJoined = true;
    return true;
  }

  #open(next: number): void {
    const { feed } = this.#options.relayed;
    const opening = openingAt(feed, feed.at(next)!);
    if (opening) this.#write(opening.bytes);
  }

  #writeUpTo(end: number): void {
    const { feed } = this.#options.relayed;
    while (!this.#isFull() && this.#next < end) {
      if (this.#next < feed.first) {
        this.#letGo('behind');
        return;
      }
      const to = this.#pieceEnd(this.#next);
      for (const view of feed.wire(this.#next, to)) this.#write(view);
      this.#next = to;
    }
  }

  #pieceEnd(from: number): number {
    const { feed } = this.#options.relayed;
    let bytes = 0;
    let to = from;
    for (; to < feed.next && bytes < PIECE_BYTES; to++) bytes += feed.at(to)!.bytes.length;
    return to;
  }

  /** `write` would make such a view of any other array. */
  #write(bytes: Uint8Array): void {
    this.#options.outlet.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    this.#options.onSent(bytes.length);
  }

  #isFull(): boolean {
    return this.#options.outlet.writableNeedDrain;
  }

  /** Of a feed that was cut the followers hear nothing: they look for the stream elsewhere. */
  #end(): void {
    const { feed } = this.#options.relayed;
    if (!feed.isCut) this.#write(writeSignal({ kind: 'end', reason: feed.ended! }));
    endOutlet(this.#options.outlet);
  }

  #wait(): void {
    this.#patience ??= this.#options.clock.after(STUCK_MS, () => this.#letGo('stuck'));
  }

  #letGo(why: LetGo): void {
    this.#options.onLetGo(why);
    this.close();
  }

  #drained(): void {
    this.#patience?.cancel();
    this.#patience = undefined;
    this.#flush();
  }

  #closed(): void {
    this.#patience?.cancel();
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#options.onClose();
  }
}
