// The audience: all progressive viewers of this process, a fan-out for each feed that has any, and the beat they share.

import type { Clock } from '../../network/clock.ts';
import type { Outflow } from '../../network/egress/outflow.ts';
import type { FeedReader } from '../../network/feed/feed.ts';
import type { Outlet } from '../../network/http/listener.ts';
import type { Logger } from '../../network/logger.ts';
import type { Metrics } from '../../network/metrics.ts';
import { type Signal, writeSignal } from '../../network/relay/signal.ts';
import { Beat } from './beat.ts';
import { Fanout, type FanoutCounters } from './fanout.ts';
import type { Place } from './place.ts';

export interface AudienceOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly outflow: Pick<Outflow, 'spend'>;
  /** Milliseconds between two writes to a viewer, 0 for as chunks come; by default the number of viewers decides. */
  readonly beatMs?: number | undefined;
}

export class Audience {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #counters: FanoutCounters;
  readonly #fanouts = new Map<FeedReader, Fanout>();
  readonly #beat: Beat;
  #viewers = 0;

  constructor({ clock, logger, metrics, outflow, beatMs }: AudienceOptions) {
    this.#clock = clock;
    this.#logger = logger;
    this.#counters = countersOf(metrics, outflow);
    this.#beat = new Beat({ clock, beatMs, flush: (slot, slots) => this.#flush(slot, slots) });
    const help = 'Time between two writes to a progressive viewer; 0 while chunks are written as they come.';
    metrics.gauge('headwater_progressive_beat_seconds', help, [], (gauge) => gauge.set(this.#beat.ms / 1000));
  }

  /** Takes an outlet whose response has begun, and writes the feed to it until either is over. */
  seat(feed: FeedReader, outlet: Outlet, place: Place): void {
    const fanout = this.#fanouts.get(feed) ?? this.#open(feed);
    this.#beat.adjust(++this.#viewers);
    fanout.add(outlet, place);
  }

  /** Says something to everybody, between two chunks. Whoever's connection is full does not hear it. */
  tell(signal: Signal): void {
    const bytes = Buffer.from(writeSignal(signal));
    for (const fanout of this.#fanouts.values()) fanout.tell(bytes);
  }

  *#flush(slot: number, slots: number): Generator<void> {
    for (const fanout of this.#fanouts.values()) yield* fanout.flush(slot, slots);
  }

  #open(feed: FeedReader): Fanout {
    const fanout: Fanout = new Fanout({
      feed,
      clock: this.#clock,
      counters: this.#counters,
      isImmediate: () => this.#beat.ms === 0,
      onLeave: () => this.#left(feed, fanout),
      onFault: (err) => this.#logger.error({ err }, 'writing to a progressive viewer failed'),
    });
    this.#fanouts.set(feed, fanout);
    return fanout;
  }

  #left(feed: FeedReader, fanout: Fanout): void {
    this.#beat.adjust(--this.#viewers);
    if (fanout.size > 0) return;
    fanout.close();
    this.#fanouts.delete(feed);
  }
}

function countersOf(metrics: Metrics, outflow: Pick<Outflow, 'spend'>): FanoutCounters {
  const sent = metrics.counter(
    'headwater_progressive_sent_bytes_total',
    'Bytes written to progressive viewers.',
  );
  const count = (bytes: number): void => {
    sent.inc(bytes);
    outflow.spend(bytes);
  };
  return {
    bytes: { inc: count },
    skips: metrics.counter(
      'headwater_progressive_skips_total',
      'Writes not made because the connection of a progressive viewer was full.',
    ),
    jumps: metrics.counter(
      'headwater_progressive_jumps_total',
      'Progressive viewers moved to the newest key frame because they lagged behind.',
    ),
    letGo: metrics.counter(
      'headwater_progressive_let_go_total',
      'Progressive viewers closed because their connection took nothing for too long.',
    ),
  };
}
