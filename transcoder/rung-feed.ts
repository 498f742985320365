// The feed of one rung over all runs of ffmpeg, and what is said of it.

import type { Feed } from '../network/feed/feed.ts';
import { describeRendition } from '../network/feed/rendition.ts';
import type { Chunk } from '../network/media/chunk.ts';
import type { RenditionRecord, Rung } from '../network/state/state.ts';
import type { Alignment } from './alignment.ts';
import type { JobFeeds } from './job.ts';
import { RungWriter } from './rung-writer.ts';

export class RungFeed {
  readonly rung: Rung;
  readonly #stream: string;
  readonly #feeds: JobFeeds;
  readonly #onChange: () => void;
  #feed: Feed | undefined;
  #record: RenditionRecord | undefined;

  constructor(stream: string, rung: Rung, feeds: JobFeeds, onChange: () => void) {
    this.#stream = stream;
    this.rung = rung;
    this.#feeds = feeds;
    this.#onChange = onChange;
  }

  /** Undefined before there is a whole segment: players could not begin. */
  get record(): RenditionRecord | undefined {
    return this.#record;
  }

  /** `onFed` learns that another worker makes it yet. */
  async open(onFed: () => void): Promise<Feed> {
    if (!this.#feed) this.#use(await this.#feeds.adopt(this.#stream, this.rung.name, onFed));
    return this.#feed!;
  }

  write(epoch: number, alignment: Alignment, isAhead: boolean): RungWriter {
    const renew = (): Feed => this.#use(this.#feeds.renew(this.#stream, this.rung.name));
    const isAudioAlone = this.rung.codec === 'none';
    return new RungWriter({ feed: this.#feed!, renew, epoch, alignment, isAudioAlone, isAhead });
  }

  release(): void {
    if (this.#feed) this.#feeds.release(this.#stream, this.rung.name, this.#feed);
    this.#feed = undefined;
  }

  drop(): void {
    if (this.#feed) this.#feeds.drop(this.#stream, this.rung.name);
    this.#feed = undefined;
  }

  end(reason: string): void {
    this.#feeds.end(this.#stream, this.rung.name, reason);
    this.#feed = undefined;
    this.#record = undefined;
    this.#onChange();
  }

  #use(feed: Feed): Feed {
    this.#feed = feed;
    const newest = feed.segments.at(-1);
    if (newest) this.#describe(feed, newest);
    feed.subscribe((chunk) => {
      if (chunk?.startsSegment && this.#feed === feed) this.#describe(feed, chunk);
    });
    return feed;
  }

  /** By its whole segments: the first frame of one says nothing of its bitrate. */
  #describe(feed: Feed, { epoch }: Chunk): void {
    if (feed.segments.filter((segment) => segment.epoch === epoch).length < 2) return;
    const isNew = this.#record === undefined;
    this.#record = describeRendition(this.rung.name, feed);
    if (isNew) this.#onChange();
  }
}
