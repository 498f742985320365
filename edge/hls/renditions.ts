// The renditions that HLS players ask this process for: one for each feed, and for a while for a feed that has ended.

import type { Clock } from '../../network/clock.ts';
import type { Feeds } from '../../network/feed/feeds.ts';
import type { Metrics } from '../../network/metrics.ts';
import type { RenditionReport } from './playlist.ts';
import type { OnBuilt } from './playlist-forms.ts';
import { Rendition } from './rendition.ts';

export interface RenditionsOptions {
  readonly feeds: Feeds;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/** A player that is paused, or far behind, still has so long to find out that the stream is over. */
const MIN_LINGER_MS = 10_000;

export class Renditions {
  readonly #feeds: Feeds;
  readonly #clock: Clock;
  readonly #onBuilt: OnBuilt;
  /** Bounded by the feeds that are open and those that ended within the time that they linger. */
  readonly #renditions = new Map<string, Rendition>();

  constructor({ feeds, clock, metrics }: RenditionsOptions) {
    this.#feeds = feeds;
    this.#clock = clock;
    const built = metrics.counter('headwater_hls_playlists_built_total', 'Media playlists made, by form.', [
      'form',
      'encoding',
    ]);
    this.#onBuilt = (form, encoding) => built.inc({ form, encoding });
    metrics.gauge(
      'headwater_hls_waiting_requests',
      'HLS requests held back until a part is whole.',
      [],
      (gauge) => gauge.set(this.#waiting()),
    );
  }

  /** The rendition of an open feed, or of the last one with its names if that ended a short while ago. */
  get(stream: string, name: string): Rendition | undefined {
    const key = `${stream}/${name}`;
    const known = this.#renditions.get(key);
    const feed = this.#feeds.get(stream, name);
    if (!feed || known?.feed === feed) return known;
    const rendition = new Rendition({
      feed,
      clock: this.#clock,
      onBuilt: this.#onBuilt,
      reports: () => this.#reportsBeside(stream, name),
      onEnd: (ended) => {
        if (ended.feed.isCut) this.#renditions.delete(key);
        else this.#linger(key, ended);
      },
    });
    this.#renditions.set(key, rendition);
    return rendition;
  }

  /** Of those that are here: of others this server does not know how far they are. */
  #reportsBeside(stream: string, name: string): RenditionReport[] {
    return this.#feeds.namesOf(stream).flatMap((other) => {
      const last = other === name ? undefined : this.get(stream, other)?.lastPart;
      return last ? [{ name: other, last }] : [];
    });
  }

  /**
   * When a presentation is removed, what its playlist listed has to remain for as long as that is (RFC 8216bis 6.2.1); the
   * playlist itself remains as long, to say that it has ended.
   */
  #linger(key: string, ended: Rendition): void {
    this.#clock.after(Math.max(MIN_LINGER_MS, 2 * ended.listedMs), () => {
      if (this.#renditions.get(key) === ended) this.#renditions.delete(key);
    });
  }

  #waiting(): number {
    let waiting = 0;
    for (const rendition of this.#renditions.values()) waiting += rendition.waiting.size;
    return waiting;
  }
}
