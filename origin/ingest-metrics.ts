// What the origin counts.

import type { Feeds } from '../network/feed/feeds.ts';
import type { Counter, Metrics } from '../network/metrics.ts';

export interface IngestMetrics {
  readonly bytes: Counter<'kind'>;
  readonly chunks: Counter;
  readonly discontinuities: Counter;
  readonly refusals: Counter<'code'>;
}

export function ingestMetrics(metrics: Metrics, feeds: Feeds, liveBroadcasts: () => number): IngestMetrics {
  metrics.gauge('headwater_broadcasts', 'Broadcasters connected.', [], (gauge) =>
    gauge.set(liveBroadcasts()),
  );
  metrics.gauge('headwater_feeds', 'Feeds held in memory.', [], (gauge) =>
    gauge.set([...feeds.all()].length),
  );
  metrics.gauge('headwater_feed_bytes', 'Bytes held in all feeds.', [], (gauge) => {
    gauge.set([...feeds.all()].reduce((sum, { feed }) => sum + feed.bytesHeld, 0));
  });
  metrics.gauge('headwater_feed_window_seconds', 'Media time held in the shortest feed.', [], (gauge) => {
    const heldMs = [...feeds.all()].map(({ feed }) => feed.heldMs);
    gauge.set(heldMs.length > 0 ? Math.min(...heldMs) / 1000 : 0);
  });
  return {
    bytes: metrics.counter('headwater_ingest_bytes_total', 'Payload received from broadcasters.', ['kind']),
    chunks: metrics.counter('headwater_ingest_frames_total', 'Frames packaged, one chunk each.'),
    discontinuities: metrics.counter(
      'headwater_ingest_discontinuities_total',
      'Epochs begun after the first of a stream: a broadcaster came back or changed its encoding.',
    ),
    refusals: metrics.counter('headwater_ingest_refusals_total', 'Publications refused.', ['code']),
  };
}
