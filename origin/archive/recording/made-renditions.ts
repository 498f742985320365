// Records what is made of a broadcast besides what its broadcaster sends: finds the renditions, follows them, records each while it is made.

import type { Clock } from '../../../network/clock.ts';
import { reasonOf } from '../../../network/errors.ts';
import type { FeedReader } from '../../../network/feed/feed.ts';
import { type Demand, SOURCE } from '../../../network/feed/feeds.ts';
import type { Logger } from '../../../network/logger.ts';

export interface RenditionFinder {
  /** Names of the renditions that there are of a stream now. */
  readonly renditionsOf: (stream: string) => Promise<readonly string[]>;
  readonly demand: Demand;
}

export interface MadeRenditionsOptions extends RenditionFinder {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Records one rendition until its feed ends, or what it gives is called. */
  readonly record: (rendition: string, feed: FeedReader) => () => void;
}

interface Recorded {
  readonly feed: FeedReader;
  readonly stop: () => void;
}

const LOOK_MS = 2_000;

/** Of one broadcast: finds renditions as long as its source's feed goes on. Gives what ends it before, with what is recorded. */
export function recordMadeRenditions(
  stream: string,
  source: FeedReader,
  { clock, logger, renditionsOf, demand, record }: MadeRenditionsOptions,
): () => void {
  const recorded = new Map<string, Recorded>();
  let isBusy = false;
  let isStopped = false;
  const isGoingOn = (name: string): boolean =>
    recorded.get(name)?.feed.ended === undefined && recorded.has(name);
  const look = async (): Promise<void> => {
    for (const name of await renditionsOf(stream)) {
      if (name === SOURCE || isGoingOn(name)) continue;
      const feed = await demand(stream, name);
      if (feed && !isStopped) recorded.set(name, { feed, stop: record(name, feed) });
    }
  };
  const timer = clock.every(LOOK_MS, async () => {
    if (isBusy) return;
    isBusy = true;
    await look().catch((error: unknown) =>
      logger.warn({ stream, reason: reasonOf(error) }, 'renditions to be recorded are not found'),
    );
    isBusy = false;
  });
  const rest = (): void => {
    isStopped = true;
    timer.cancel();
  };
  const unsubscribe = source.subscribe((chunk) => {
    if (!chunk) rest();
  });
  return () => {
    rest();
    unsubscribe();
    for (const { stop } of recorded.values()) stop();
  };
}
