// What the origin counts.

import type { Counter, Histogram, Metrics } from '../network/metrics.ts';

export interface IngestMetrics {
  readonly publishes: Counter;
  readonly bytes: Counter<'kind'>;
  readonly chunks: Counter;
  readonly discontinuities: Counter;
  readonly refusals: Counter<'reason'>;
  readonly segments: Histogram;
}

/** About what encoders are set to. A player that joins waits for a key frame, or plays that much behind. */
const SEGMENT_BUCKETS_S = [0.5, 1, 2, 3, 4, 6, 10, 20];

export function ingestMetrics(metrics: Metrics, liveBroadcasts: () => number): IngestMetrics {
  metrics.gauge('headwater_broadcasts', 'Broadcasters connected.', [], (gauge) =>
    gauge.set(liveBroadcasts()),
  );
  return {
    publishes: metrics.counter('headwater_ingest_publishes_total', 'Publications that went on air.'),
    bytes: metrics.counter('headwater_ingest_bytes_total', 'Payload received from broadcasters.', ['kind']),
    chunks: metrics.counter('headwater_ingest_frames_total', 'Frames packaged, one chunk each.'),
    discontinuities: metrics.counter(
      'headwater_ingest_discontinuities_total',
      'Epochs begun after the first of a stream: a broadcaster came back or changed its encoding.',
    ),
    refusals: metrics.counter('headwater_ingest_refused_total', 'Publications refused.', ['reason']),
    segments: metrics.histogram(
      'headwater_ingest_segment_duration_seconds',
      'Time between the key frames of broadcasters.',
      SEGMENT_BUCKETS_S,
    ),
  };
}
