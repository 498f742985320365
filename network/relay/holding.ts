// One rendition on this server: its feed, and the follower that fills it unless this server is the origin.

import type { Clock } from '../clock.ts';
import type { Feed, FeedReader } from '../feed/feed.ts';
import type { Dial } from '../http/dial.ts';
import type { Logger } from '../logger.ts';
import type { Chunk } from '../media/chunk.ts';
import type { Parent } from '../state/state.ts';
import { Follower } from './follow.ts';
import { RelayedFeed } from './relayed.ts';
import type { FeedName } from './request.ts';

export interface HoldingOptions {
  /** This server. */
  readonly id: string;
  readonly name: FeedName;
  readonly feed: FeedReader;
  /** How much of what a parent holds is taken at first, in seconds; undefined: enough for a viewer. */
  readonly backS: number | undefined;
  readonly secrets: readonly string[];
  readonly dial: Dial;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: HoldingEvents;
}

export interface HoldingEvents {
  onGap(holding: Holding): void;
  /** What its parent had is here: so long after it was asked for. Not told of a feed that had no whole segment to copy. */
  onCopied(holding: Holding, tookMs: number): void;
  /** The next chunk came from a parent. */
  onTaken(holding: Holding, chunk: Chunk): void;
  onEnd(holding: Holding, reason: string): void;
  /** None of the parents can be followed. */
  onExhausted(holding: Holding): void;
}

export class Holding {
  readonly relayed: RelayedFeed;
  readonly #options: HoldingOptions;
  #planned: readonly Parent[] | undefined;
  #isWithdrawn = false;
  #found: readonly Parent[] = [];
  #follower: Follower | undefined;
  /** What was written last by a follower: an origin may go on with it. */
  #written: Feed | undefined;
  #unsubscribe: () => void = () => {};
  #waiting = 0;
  /** When it was last needed here, and when a parent last had it: monotonic. */
  #neededAtMs: number;
  #fedAtMs: number;

  /** Begins as a feed of this server's own. */
  constructor(options: HoldingOptions) {
    this.#options = options;
    this.relayed = new RelayedFeed(options.feed, options.id);
    this.relayed.begins();
    this.#neededAtMs = options.clock.monotonic();
    this.#fedAtMs = this.#neededAtMs;
  }

  get name(): FeedName {
    return this.#options.name;
  }

  get feed(): FeedReader {
    return this.#options.feed;
  }

  get isFollowed(): boolean {
    return this.#follower !== undefined;
  }

  /** Whom it comes from now. */
  get parent(): Parent | undefined {
    return this.#follower?.parent;
  }

  /** Whether it has everything that the parent has said to have. */
  get isCaughtUp(): boolean {
    return this.#follower?.isCaughtUp ?? false;
  }

  /** Whether nobody else has it, as far as is known. */
  get isAlone(): boolean {
    return this.#follower?.isAlone ?? false;
  }

  get backS(): number | undefined {
    return this.#options.backS;
  }

  /** The parents in the plan; undefined when the plan does not want it here. */
  get planned(): readonly Parent[] | undefined {
    return this.#planned;
  }

  /** Whether the plan wanted it here, and does no more. */
  get isWithdrawn(): boolean {
    return this.#isWithdrawn;
  }

  get found(): readonly Parent[] {
    return this.#found;
  }

  plan(parents: readonly Parent[] | undefined): void {
    this.#isWithdrawn = !parents && (this.#isWithdrawn || this.#planned !== undefined);
    this.#planned = parents;
    this.#follower?.reparent(this.#parents());
  }

  /** Parents that were found without a plan: they stand behind those in it. */
  find(parents: readonly Parent[]): void {
    this.#found = parents;
    this.#follower?.reparent(this.#parents());
  }

  /** Fills the feed from a parent from now on. `askedAtMs`, monotonic, is when it began to be wanted here. */
  follow(feed: Feed, askedAtMs: number): void {
    const { clock, events } = this.#options;
    this.relayed.comesFrom(undefined);
    this.#written = feed;
    let isCopied = feed.next > 0;
    this.#unsubscribe = feed.subscribe((chunk) => {
      if (!chunk) {
        this.close();
        return;
      }
      events.onTaken(this, chunk);
      if (isCopied || !this.isCaughtUp) return;
      isCopied = true;
      if (feed.segments.length > 1) events.onCopied(this, clock.monotonic() - askedAtMs);
    });
    this.#follower = new Follower({
      ...this.#options,
      feed,
      parents: this.#parents(),
      events: {
        onLineage: (lineage) => this.relayed.comesFrom(lineage),
        onGap: () => events.onGap(this),
        onEnd: (reason) => events.onEnd(this, reason),
        onExhausted: () => events.onExhausted(this),
      },
    });
  }

  /** The feed that was followed is this server's own from now on. Undefined when there is none that can go on. */
  lead(): Feed | undefined {
    if (!this.#written || this.#written.ended !== undefined) return undefined;
    this.close();
    this.relayed.begins();
    return this.#written;
  }

  close(): void {
    this.#unsubscribe();
    this.#follower?.close();
    this.#follower = undefined;
  }

  /** Somebody waits for the feed until what is returned is called. */
  retain(): () => void {
    this.#waiting++;
    return () => this.#waiting--;
  }

  /** How long nobody has needed it, in ms. To be asked regularly. */
  idleMs(readers: number): number {
    const nowMs = this.#options.clock.monotonic();
    const isNeeded = this.#planned || readers > 0 || this.#waiting > 0 || this.relayed.followers > 0;
    if (isNeeded) this.#neededAtMs = nowMs;
    return nowMs - this.#neededAtMs;
  }

  /** How long nothing could come from anywhere, in ms. To be asked regularly. */
  unfedMs(): number {
    const nowMs = this.#options.clock.monotonic();
    if (this.relayed.lineage.isFed) this.#fedAtMs = nowMs;
    return nowMs - this.#fedAtMs;
  }

  #parents(): readonly Parent[] {
    const planned = this.#planned ?? [];
    return [...planned, ...this.#found.filter((found) => !planned.some(({ id }) => id === found.id))];
  }
}
