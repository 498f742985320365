// The feeds that one process holds, by stream and rendition: writers open them, readers find them.

import { Feed, type FeedLimits, type FeedReader } from './feed.ts';

/** The rendition that is the broadcaster's own encoding. */
export const SOURCE = 'source';

export class Feeds {
  readonly #feeds = new Map<string, Map<string, Feed>>();
  readonly #limits: Partial<FeedLimits>;

  constructor(limits: Partial<FeedLimits> = {}) {
    this.#limits = limits;
  }

  /** Opens the feed of a rendition; whatever feed had its name before is ended. */
  open(stream: string, rendition: string): Feed {
    this.close(stream, rendition, 'replaced');
    const feed = new Feed(this.#limits);
    const renditions = this.#feeds.get(stream) ?? new Map<string, Feed>();
    this.#feeds.set(stream, renditions.set(rendition, feed));
    return feed;
  }

  get(stream: string, rendition: string): FeedReader | undefined {
    return this.#feeds.get(stream)?.get(rendition);
  }

  /** Ends a feed and forgets it; readers that hold it read on to its end. */
  close(stream: string, rendition: string, reason: string): void {
    const renditions = this.#feeds.get(stream);
    renditions?.get(rendition)?.end(reason);
    renditions?.delete(rendition);
    if (renditions?.size === 0) this.#feeds.delete(stream);
  }

  *all(): Generator<{ readonly stream: string; readonly rendition: string; readonly feed: Feed }> {
    for (const [stream, renditions] of this.#feeds) {
      for (const [rendition, feed] of renditions) yield { stream, rendition, feed };
    }
  }
}
