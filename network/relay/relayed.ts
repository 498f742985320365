// A feed as a server gives it away: the chunks, and by way of which servers they come here.

import type { FeedReader } from '../feed/feed.ts';
import type { Lineage } from './signal.ts';

export interface Relayed {
  readonly feed: FeedReader;
  readonly lineage: Lineage;
  /** Calls back when the lineage has changed. Who follows the feed is subscribed as long as it does. */
  subscribe(listener: () => void): () => void;
}

/** The lineage of a feed on this server, which changes while the feed goes on. */
export class RelayedFeed implements Relayed {
  readonly feed: FeedReader;
  readonly #id: string;
  readonly #listeners = new Set<() => void>();
  #lineage: Lineage;

  constructor(feed: FeedReader, id: string) {
    this.feed = feed;
    this.#id = id;
    this.#lineage = { path: [id], isFed: false };
  }

  get lineage(): Lineage {
    return this.#lineage;
  }

  /** How many follow the feed from here. */
  get followers(): number {
    return this.#listeners.size;
  }

  /** This server is the feed's origin. */
  begins(): void {
    this.#change({ path: [this.#id], isFed: true });
  }

  /** The feed comes from a parent to which it came in this way; without one it comes from nowhere for now. */
  comesFrom(parent: Lineage | undefined): void {
    this.#change(
      parent ? { ...parent, path: [...parent.path, this.#id] } : { path: [this.#id], isFed: false },
    );
  }

  subscribe(listener: () => void): () => void {
    const own = (): void => listener();
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  #change(lineage: Lineage): void {
    const isSame = lineage.isFed === this.#lineage.isFed && lineage.path.join() === this.#lineage.path.join();
    if (isSame) return;
    this.#lineage = lineage;
    for (const listener of this.#listeners) listener();
  }
}
