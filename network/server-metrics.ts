// What a server tells Prometheus of itself as a whole: what it sends and may send, the feeds that it holds, how its drain goes.

import type { Clock } from './clock.ts';
import type { Bearing } from './egress/bearing.ts';
import type { Commitments } from './egress/commitments.ts';
import type { Egress } from './egress/egress.ts';
import type { Outflow } from './egress/outflow.ts';
import type { Feed } from './feed/feed.ts';
import type { Feeds } from './feed/feeds.ts';
import type { Metrics } from './metrics.ts';
import type { Left } from './state/draining.ts';

export interface ServerMetricsOptions {
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly egress: Pick<Egress, 'mbps'>;
  readonly bearing: Pick<Bearing, 'mbps'>;
  readonly commitments: Pick<Commitments, 'mbps'>;
  readonly outflow: Pick<Outflow, 'waiting'>;
  readonly feeds: Feeds;
  readonly draining: { readonly isOn: boolean };
  /** What still depends on this server. */
  readonly left: () => Left;
}

/** A feed without a chunk for so long stands still: chunks are frames. */
const STALLED_MS = 3_000;
const BYTES_PER_MEGABIT = 125_000;

export function describeServer(options: ServerMetricsOptions): void {
  describeEgress(options);
  describeFeeds(options);
  describeDrain(options);
}

function describeEgress({ metrics, egress, bearing, commitments, outflow }: ServerMetricsOptions): void {
  const bytesPerS = (what: string, help: string, mbps: () => number): void => {
    metrics.gauge(`headwater_egress_${what}bytes_per_second`, help, [], (gauge) =>
      gauge.set(mbps() * BYTES_PER_MEGABIT),
    );
  };
  bytesPerS('', 'What this server sent within the last second.', () => egress.mbps);
  bytesPerS('capacity_', 'What this server may send, and its core can bear.', () => bearing.mbps);
  bytesPerS(
    'committed_',
    'What those it has admitted may have it send, by the average bitrates of what they watch.',
    () => commitments.mbps,
  );
  metrics.gauge(
    'headwater_egress_waiting_responses',
    'Responses to viewers who begin that wait until there is egress for them.',
    [],
    (gauge) => gauge.set(outflow.waiting),
  );
}

function describeFeeds({ metrics, feeds, clock }: ServerMetricsOptions): void {
  const each = <Value>(value: (feed: Feed) => Value): Value[] =>
    [...feeds.all()].map(({ feed }) => value(feed));
  const agesMs = (): number[] =>
    each((feed) => clock.now() - (feed.at(feed.next - 1)?.arrivedAtMs ?? clock.now()));
  metrics.gauge('headwater_feeds', 'Feeds held in memory.', [], (gauge) => gauge.set(each(() => 0).length));
  metrics.gauge('headwater_feed_bytes', 'Bytes held in all feeds.', [], (gauge) =>
    gauge.set(each(({ bytesHeld }) => bytesHeld).reduce((sum, bytes) => sum + bytes, 0)),
  );
  metrics.gauge('headwater_feed_window_seconds', 'Media time held in the shortest feed.', [], (gauge) => {
    const heldMs = each((feed) => feed.heldMs);
    gauge.set(heldMs.length > 0 ? Math.min(...heldMs) / 1000 : 0);
  });
  metrics.gauge(
    'headwater_feed_age_seconds',
    'Time since the newest chunk of the feed that stands still longest came to its origin.',
    [],
    (gauge) => gauge.set(Math.max(0, ...agesMs()) / 1000),
  );
  metrics.gauge('headwater_feeds_stalled', 'Feeds without a chunk for 3 seconds.', [], (gauge) =>
    gauge.set(agesMs().filter((ageMs) => ageMs >= STALLED_MS).length),
  );
}

function describeDrain({ metrics, draining, left }: ServerMetricsOptions): void {
  metrics.gauge('headwater_draining', 'Whether this server is being emptied: 1 or 0.', [], (gauge) =>
    gauge.set(draining.isOn ? 1 : 0),
  );
  metrics.gauge('headwater_drain_left', 'What still depends on this server.', ['kind'], (gauge) => {
    for (const [kind, count] of Object.entries(left())) gauge.set({ kind }, count);
  });
}
