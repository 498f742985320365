// What a server says of the feeds that it holds: how far each is, who watches it, whom it comes from.

import type { Commitments } from '../egress/commitments.ts';
import type { Feeds } from '../feed/feeds.ts';
import type { Holding } from '../state/state.ts';
import type { Holdings } from './holdings.ts';

export interface HoldingRecordsOptions {
  readonly feeds: Feeds;
  readonly holdings: Pick<Holdings, 'parentOf'>;
  readonly commitments: Pick<Commitments, 'isPulled'>;
  readonly viewers: {
    of(stream: string, rendition: string): number;
    arrivalsOf(stream: string, rendition: string): number;
  };
}

export function holdingRecords({ feeds, holdings, commitments, viewers }: HoldingRecordsOptions): Holding[] {
  return [...feeds.all()].map(({ stream, rendition, feed }) => ({
    stream,
    rendition,
    viewers: viewers.of(stream, rendition),
    ...(commitments.isPulled(stream, rendition) ? { isPulled: true } : {}),
    arrivalsPerS: viewers.arrivalsOf(stream, rendition),
    next: feed.next,
    parent: holdings.parentOf(stream, rendition)?.id ?? null,
  }));
}
