// Waits for the first chunk of a feed at which a viewer may begin.

import type { Clock } from '../clock.ts';
import type { FeedReader } from '../feed/feed.ts';

/** How a wait ended: there is something to begin with, or the feed ended, here alone or everywhere, or time is up. */
export type Outcome = 'started' | 'cut' | 'over' | 'late';

export function untilStart(feed: FeedReader, clock: Clock, withinMs: number): Promise<Outcome> {
  if (feed.newestStart() || feed.ended !== undefined) return Promise.resolve(outcomeOf(feed));
  return new Promise((resolve) => {
    const settle = (): void => {
      timer.cancel();
      unsubscribe();
      resolve(outcomeOf(feed));
    };
    const timer = clock.after(withinMs, settle);
    const unsubscribe = feed.subscribe((chunk) => {
      if (!chunk || feed.newestStart()) settle();
    });
  });
}

function outcomeOf(feed: FeedReader): Outcome {
  if (feed.ended !== undefined) return feed.isCut ? 'cut' : 'over';
  return feed.newestStart() ? 'started' : 'late';
}
