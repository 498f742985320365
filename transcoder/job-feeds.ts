// The feeds of jobs: a rung's feed is this server's own while it is made here, and another's before and after that.

import type { Clock } from '../network/clock.ts';
import type { Feed } from '../network/feed/feed.ts';
import { type Feeds, SOURCE } from '../network/feed/feeds.ts';
import type { Holdings } from '../network/relay/holdings.ts';
import { catchUp } from '../network/state/ownership.ts';
import { HANDOVER_MS, type JobFeeds, SOURCE_BACK_S } from './job.ts';

export function jobFeedsOf(feeds: Feeds, holdings: Holdings, clock: Clock): JobFeeds {
  const own = new Map<string, Feed>();
  const keep = (stream: string, rendition: string, feed: Feed): Feed => {
    own.set(`${stream}/${rendition}`, feed);
    return feed;
  };
  const letGo = (stream: string, rendition: string): boolean => own.delete(`${stream}/${rendition}`);
  return {
    source: (stream) => holdings.demand(stream, SOURCE, SOURCE_BACK_S),
    adopt: async (stream, rendition, onFed) => {
      const left = own.get(`${stream}/${rendition}`);
      if (left && feeds.get(stream, rendition) === left) return left;
      await catchUp({ stream, rendition }, { holdings, clock, patienceMs: HANDOVER_MS, onFed });
      return keep(stream, rendition, holdings.adopt(stream, rendition));
    },
    renew: (stream, rendition) => keep(stream, rendition, feeds.open(stream, rendition)),
    release(stream, rendition, feed) {
      letGo(stream, rendition);
      holdings.release(stream, rendition, feed, []);
    },
    drop(stream, rendition) {
      letGo(stream, rendition);
      feeds.drop(stream, rendition, 'nobody makes it any more');
    },
    end(stream, rendition, reason) {
      letGo(stream, rendition);
      feeds.close(stream, rendition, reason);
    },
  };
}
