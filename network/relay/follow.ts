// The relay's taking end: keeps one feed going from one of several parents, and goes to another without a gap.

import type { Clock, Timer } from '../clock.ts';
import { CodedError } from '../errors.ts';
import type { Feed } from '../feed/feed.ts';
import type { Dial } from '../http/dial.ts';
import type { Logger } from '../logger.ts';
import type { Chunk } from '../media/chunk.ts';
import type { Init } from '../media/init.ts';
import type { Parent } from '../state/state.ts';
import { take } from './intake.ts';
import { Link, type LinkEvents } from './link.ts';
import { ParentList, type Present } from './parent-list.ts';
import type { FeedName } from './request.ts';
import type { Lineage } from './signal.ts';

export interface FollowerOptions {
  /** This server. */
  readonly id: string;
  readonly name: FeedName;
  readonly feed: Feed;
  /** In order of preference. */
  readonly parents: readonly Parent[];
  /** How much of what a parent holds is taken into an empty feed, in seconds; undefined: enough for a viewer. */
  readonly backS?: number | undefined;
  readonly secrets: readonly string[];
  readonly dial: Dial;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: FollowerEvents;
}

export interface FollowerEvents {
  /** By way of which servers the feed comes to the parent now; undefined when there is no parent. */
  onLineage(lineage: Lineage | undefined): void;
  /** No parent has what the feed needs next: it can't go on. The follower is closed. */
  onGap(): void;
  /** The stream is over. The follower is closed. */
  onEnd(reason: string): void;
  /** Each parent was tried once, in vain; they are tried again. */
  onExhausted(): void;
}

/** A new parent must have come so close to the feed's head before the old one is left: about half a second. */
const CLOSE_CHUNKS = 40;
/** How long a new parent may take for that. */
const JOIN_MS = 3_000;
/** Time between two looks for a parent while none is known. */
const LOOK_MS = 1_000;
/** A link that lived so long was a good one. */
const STEADY_MS = 1_000;
/** How long a parent may be without one itself, and how much longer for each server between it and the break. */
const UNFED_MS = 1_000;
const UNFED_STEP_MS = 500;

export class Follower implements LinkEvents {
  readonly #options: FollowerOptions;
  readonly #parents: ParentList;
  /** The parent that the feed comes from, and one that is being joined to take its place. */
  #current: Link | undefined;
  #currentSinceMs = 0;
  #candidate: Link | undefined;
  /** Until the next parent is tried; how long one that is tried may take; how long the parent may be cut off. */
  #pause: Timer | undefined;
  #joining: Timer | undefined;
  #unfed: Timer | undefined;
  #hasAsked = false;
  #isExhausted = false;
  #isClosed = false;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#parents = new ParentList(options.parents);
    this.#join();
  }

  /** The parent that the feed comes from. */
  get parent(): Parent | undefined {
    return this.#current?.parent;
  }

  /** Whether the feed has everything that the parent said to have when it was last heard of. */
  get isCaughtUp(): boolean {
    return this.#current !== undefined && this.#options.feed.next >= this.#current.announced;
  }

  /** Whether nobody can be followed, as far as is known: each parent was tried in vain, and those who may know of others asked. */
  get isAlone(): boolean {
    return this.#current === undefined && this.#isExhausted;
  }

  /** Changes the parents: the first one is joined, and then the present one is left. */
  reparent(parents: readonly Parent[]): void {
    if (this.#isClosed || !this.#parents.replace(parents)) return;
    this.#isExhausted = false;
    this.#hasAsked = false;
    this.#stopJoining();
    this.#join();
  }

  close(): void {
    this.#isClosed = true;
    this.#stopJoining();
    this.#unfed?.cancel();
    this.#current?.close();
    this.#current = undefined;
  }

  onHeartbeat(link: Link): void {
    const { id } = this.#options;
    const { path } = link.lineage!;
    if (path.includes(id)) {
      link.fail(
        new CodedError(
          'relay_loop',
          `the feed comes to ${link.parent.id} by way of ${id}: ${path.join(' > ')}`,
        ),
      );
    } else if (link === this.#candidate) this.#consider(link);
    else this.#tell();
  }

  onChunk(link: Link, chunk: Chunk, init: Init | undefined): void {
    take(this.#options.feed, chunk, init);
    if (link === this.#candidate) this.#consider(link);
  }

  /** Who falls quiet may be about to fail: the next parent is joined, and whoever is heard first is followed. */
  onQuiet(link: Link): void {
    if (link !== this.#current) return;
    this.#tell();
    if (link.isQuiet) this.#seekFed();
    else if (this.#candidate && !this.#parents.isBetter(this.#candidate.parent, this.#place()!)) {
      this.#stopJoining();
      this.#parents.joined();
      this.#seekBetter();
    }
  }

  onEnd(_: Link, reason: string): void {
    this.close();
    this.#options.events.onEnd(reason);
  }

  onFail(link: Link, error: CodedError): void {
    const { logger, clock } = this.#options;
    logger.warn({ parent: link.parent.id, code: error.code, reason: error.message }, 'parent failed');
    if (link === this.#current) {
      const wasSteady = clock.monotonic() - this.#currentSinceMs >= STEADY_MS;
      this.#current = undefined;
      this.#parents.left(link.parent, wasSteady);
      this.#tell();
      if (this.#candidate?.lineage) this.#consider(this.#candidate);
      else if (!this.#candidate) this.#retry();
    } else {
      this.#stopJoining();
      this.#parents.failed(link.parent, error.code === 'relay_gone' && !this.#current);
      this.#failedToJoin();
    }
  }

  #failedToJoin(): void {
    const verdict = this.#parents.verdict(this.#place());
    if (verdict === 'gone') {
      this.close();
      this.#options.events.onGap();
      return;
    }
    this.#retry();
    if (verdict === 'exhausted') this.#exhaust();
  }

  /** Tries the next parent: at once if there is one that was not tried yet. */
  #retry(): void {
    this.#pause?.cancel();
    const pauseMs = this.#parents.pauseMs(this.#place());
    if (pauseMs === 0) this.#join();
    else this.#joinAfter(pauseMs);
  }

  #joinAfter(pauseMs: number): void {
    this.#pause?.cancel();
    this.#pause = this.#options.clock.after(pauseMs, () => this.#join());
  }

  #join(): void {
    this.#pause?.cancel();
    if (this.#candidate) return;
    const parent = this.#parents.next(this.#place());
    if (parent) this.#dial(parent);
    else if (!this.#current) this.#lookFurther();
  }

  /** There is no parent at all: somebody else may know of one. */
  #lookFurther(): void {
    this.#joinAfter(LOOK_MS);
    this.#exhaust();
  }

  /** Somebody else may know of other parents, and has been asked by the second time. */
  #exhaust(): void {
    this.#isExhausted = this.#hasAsked;
    this.#hasAsked = true;
    this.#options.events.onExhausted();
  }

  #dial(parent: Parent): void {
    const { id, name, feed, backS, clock } = this.#options;
    const last = feed.at(feed.next - 1);
    const resumption = last && { from: feed.next, epoch: last.epoch };
    const request = { ...name, as: id, resumption, backS };
    const link = new Link({ ...this.#options, parent, request }, this);
    this.#candidate = link;
    const tooSlow = new CodedError('relay_behind', `the feed's head was not reached within ${JOIN_MS} ms`);
    this.#joining = clock.after(JOIN_MS, () => link.fail(tooSlow));
  }

  /** Takes a new parent as soon as it is no worse than the present one. */
  #consider(link: Link): void {
    const isClose = link.reached >= this.#options.feed.next - CLOSE_CHUNKS;
    if (this.#current && !(link.lineage!.isFed && isClose)) return;
    this.#candidate = undefined;
    this.#stopJoining();
    this.#current?.close();
    this.#current = link;
    this.#isExhausted = false;
    this.#hasAsked = false;
    this.#currentSinceMs = this.#options.clock.monotonic();
    this.#options.logger.info({ parent: link.parent.id, path: link.lineage!.path }, 'following');
    this.#parents.joined();
    this.#tell();
    this.#seekBetter();
  }

  #seekBetter(): void {
    if (this.#parents.next(this.#place())) this.#joinAfter(this.#parents.seekMs());
  }

  #stopJoining(): void {
    this.#pause?.cancel();
    this.#joining?.cancel();
    this.#candidate?.close();
    this.#candidate = undefined;
  }

  /** What the parent says of itself is news for those who follow the feed from here. */
  #tell(): void {
    const lineage = this.#current?.lineage;
    this.#options.events.onLineage(lineage);
    if (!lineage || lineage.isFed) {
      this.#unfed?.cancel();
      this.#unfed = undefined;
    } else {
      const patienceMs = UNFED_MS + UNFED_STEP_MS * (lineage.path.length - 1);
      this.#unfed ??= this.#options.clock.after(patienceMs, () => this.#seekFed());
    }
  }

  /** The parent lives and has nothing: the nearer a server is to the break, the sooner it looks for another way. */
  #seekFed(): void {
    this.#unfed?.cancel();
    this.#unfed = undefined;
    if (!this.#current || this.#current.lineage!.isFed) return;
    this.#parents.left(this.#current.parent, true);
    this.#join();
    if (!this.#candidate) this.#options.events.onExhausted();
  }

  #place(): Present | undefined {
    return this.#current && { parent: this.#current.parent, isFed: this.#current.lineage!.isFed };
  }
}
