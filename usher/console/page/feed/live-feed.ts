// What the page hears of the cluster: usher's server-sent events, put together, also past a connection that broke.

import type { Clock, Timer } from '../../../../network/clock.ts';
import { BackOff } from '../../../player/back-off.ts';
import { browserChance } from '../../../player/clock.ts';
import type { Cluster, ClusterEvent, LiveMessages, StreamDetail } from '../../messages.ts';
import { applyPatch } from '../../patch.ts';

/** `lost`: it is tried again; what is shown is as old as the last message. */
export type Connection = 'connecting' | 'live' | 'lost';

export interface Heard {
  readonly cluster: Cluster;
  /** Those that were asked for; null: there is none of that name. */
  readonly streams: ReadonlyMap<string, StreamDetail | null>;
}

export interface LiveFeedOptions {
  readonly clock: Clock;
  /** Streams whose trees are wanted too. */
  readonly streams: readonly string[];
  readonly heard: (heard: Heard) => void;
  readonly happened: (events: readonly ClusterEvent[]) => void;
  readonly changed: (connection: Connection) => void;
}

/** Usher says something each second, or at least that it is there. */
const SILENCE_MS = 12_000;
const RETRY = { firstMs: 500, capMs: 10_000 };
/** A page that nobody sees need not hear. */
const HIDDEN_MS = 30_000;

export class LiveFeed {
  readonly #options: LiveFeedOptions;
  readonly #backOff = new BackOff(RETRY, browserChance);
  readonly #streams = new Map<string, StreamDetail | null>();
  #cluster: Cluster | undefined;
  #source: EventSource | undefined;
  /** Of the silence while it is open, of the next try while it is not. */
  #timer: Timer | undefined;
  #hiding: Timer | undefined;

  constructor(options: LiveFeedOptions) {
    this.#options = options;
    document.addEventListener('visibilitychange', () => this.#onVisibility());
    this.#open();
  }

  #open(): void {
    this.#timer?.cancel();
    const query = new URLSearchParams(this.#options.streams.map((name) => ['stream', name]));
    const source = new EventSource(`/api/console/live?${query}`);
    this.#source = source;
    source.addEventListener('error', () => this.#onError(source));
    this.#on(source, 'cluster', (cluster) => this.#take({ cluster }));
    this.#on(
      source,
      'change',
      (patch) => this.#cluster && this.#take({ cluster: applyPatch(this.#cluster, patch) }),
    );
    this.#on(source, 'stream', (told) => this.#take({ told }));
    this.#on(source, 'stream-change', ({ name, patch }) => {
      const before = this.#streams.get(name);
      if (before) this.#take({ told: { name, stream: applyPatch(before, patch) } });
    });
    this.#on(source, 'events', this.#options.happened);
  }

  #on<Name extends keyof LiveMessages>(
    source: EventSource,
    name: Name,
    take: (message: LiveMessages[Name]) => void,
  ): void {
    source.addEventListener(name, ({ data }: MessageEvent<string>) => {
      this.#listen();
      take(JSON.parse(data) as LiveMessages[Name]);
    });
  }

  #take({ cluster, told }: { readonly cluster?: Cluster; readonly told?: LiveMessages['stream'] }): void {
    if (cluster) this.#cluster = cluster;
    if (told) this.#streams.set(told.name, told.stream);
    if (this.#cluster) this.#options.heard({ cluster: this.#cluster, streams: this.#streams });
  }

  #listen(): void {
    this.#backOff.reset();
    this.#options.changed('live');
    this.#timer?.cancel();
    this.#timer = this.#options.clock.after(SILENCE_MS, () => this.#lose());
  }

  /** Where it can, the browser tries again by itself, and hears what it missed. */
  #onError({ readyState }: EventSource): void {
    if (readyState === EventSource.CLOSED) this.#lose();
    else this.#options.changed('lost');
  }

  #lose(): void {
    this.#close();
    this.#options.changed('lost');
    this.#timer = this.#options.clock.after(this.#backOff.next(), () => void this.#retry());
  }

  /** Whoever is signed in no more is asked to do it again, and comes back to this page. */
  async #retry(): Promise<void> {
    const answer = await fetch('/api/console/me', { cache: 'no-store' }).catch(() => undefined);
    if (answer?.status === 401) location.reload();
    else if (answer?.ok) this.#open();
    else this.#lose();
  }

  #close(): void {
    this.#timer?.cancel();
    this.#source?.close();
    this.#source = undefined;
  }

  #onVisibility(): void {
    this.#hiding?.cancel();
    if (document.hidden) this.#hiding = this.#options.clock.after(HIDDEN_MS, () => this.#close());
    else if (!this.#source) this.#open();
  }
}
