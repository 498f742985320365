// The feeds that one process holds, by stream and rendition: writers open them, readers find them.

import { Feed, type FeedLimits, type FeedReader, type OnFault } from './feed.ts';

/** Gives a feed that may have to be followed first, once there is a segment to begin with; undefined when there is none. */
export type Demand = (stream: string, rendition: string) => Promise<FeedReader | undefined>;

/** The rendition that is the broadcaster's own encoding. */
export const SOURCE = 'source';

export class Feeds {
  readonly #feeds = new Map<string, Map<string, Feed>>();
  readonly #limits: Partial<FeedLimits>;
  readonly #onFault: OnFault | undefined;

  constructor(limits: Partial<FeedLimits> = {}, onFault?: OnFault) {
    this.#limits = limits;
    this.#onFault = onFault;
  }

  /** Opens the feed of a rendition; one that had its name before is cut. */
  open(stream: string, rendition: string): Feed {
    const feed = this.create();
    this.put(stream, rendition, feed, 'replaced');
    return feed;
  }

  /** A feed that nobody finds yet. */
  create(): Feed {
    return new Feed(this.#limits, this.#onFault);
  }

  /** Gives a feed its name. Readers of the one that had it before find this one when they learn why that was cut. */
  put(stream: string, rendition: string, feed: Feed, reason: string): void {
    const renditions = this.#feeds.get(stream) ?? new Map<string, Feed>();
    const before = renditions.get(rendition);
    this.#feeds.set(stream, renditions.set(rendition, feed));
    before?.cut(reason);
  }

  get(stream: string, rendition: string): FeedReader | undefined {
    return this.#feeds.get(stream)?.get(rendition);
  }

  /** The renditions of a stream that there are feeds of. */
  namesOf(stream: string): readonly string[] {
    return [...(this.#feeds.get(stream)?.keys() ?? [])];
  }

  /** Ends a feed and forgets it, as the stream is over; readers that hold it read on to its end. */
  close(stream: string, rendition: string, reason: string): void {
    this.#forget(stream, rendition)?.end(reason);
  }

  /** Cuts a feed and forgets it: the stream goes on, but no longer here. */
  drop(stream: string, rendition: string, reason: string): void {
    this.#forget(stream, rendition)?.cut(reason);
  }

  *all(): Generator<{ readonly stream: string; readonly rendition: string; readonly feed: Feed }> {
    for (const [stream, renditions] of this.#feeds) {
      for (const [rendition, feed] of renditions) yield { stream, rendition, feed };
    }
  }

  #forget(stream: string, rendition: string): Feed | undefined {
    const renditions = this.#feeds.get(stream);
    const feed = renditions?.get(rendition);
    renditions?.delete(rendition);
    if (renditions?.size === 0) this.#feeds.delete(stream);
    return feed;
  }
}
