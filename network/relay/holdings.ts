// Which feeds a server has, from whom, and why: it is their origin, the plan wants them here, or somebody asked for them.

import type { Clock, Timer } from '../clock.ts';
import { reasonOf } from '../errors.ts';
import type { Feed, FeedReader } from '../feed/feed.ts';
import { type Feeds, SOURCE } from '../feed/feeds.ts';
import type { Dial } from '../http/dial.ts';
import type { Logger } from '../logger.ts';
import type { Chunk } from '../media/chunk.ts';
import type { Metrics } from '../metrics.ts';
import type { Follow, Parent } from '../state/state.ts';
import { Holding, type HoldingEvents } from './holding.ts';
import type { Relayed } from './relayed.ts';
import type { FeedName } from './request.ts';
import { untilStart } from './start.ts';

export interface HoldingsOptions {
  /** This server. */
  readonly id: string;
  readonly feeds: Feeds;
  readonly secrets: readonly string[];
  readonly dial: Dial;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Whom to follow without a plan, the best first; undefined when nobody knows of the rendition. */
  readonly find: (stream: string, rendition: string) => Promise<readonly Parent[] | undefined>;
  /** Viewers, and whoever else reads the feed here. */
  readonly readersOf: (stream: string, rendition: string) => number;
  /** How long a feed stays that nobody needs; by default 30 s. */
  readonly lingerMs?: number;
  /** How long a rung stays that nobody makes any more; by default 10 s. */
  readonly unmadeMs?: number;
}

/** How much of the slowest copy so far is left with each that was faster. */
const COPY_DECAY = 0.8;
const COPY_BUCKETS_S = [0.01, 0.03, 0.1, 0.3, 1, 3, 10];
const LATENCY_BUCKETS_S = [0.003, 0.01, 0.03, 0.1, 0.3, 1, 3];
const LINGER_MS = 30_000;
/** Another worker goes on with a rung sooner; players that are told that it is gone go to another rendition. */
const UNMADE_MS = 10_000;
/** The same where the plan knows of nobody who could. */
const WITHDRAWN_MS = 2_000;
const SWEEP_MS = 1_000;
/** How long somebody waits for the first segment of a feed that was not here. */
export const DEMAND_MS = 5_000;
/** A feed that nobody could feed for so long, and that nobody knows of any more, is over. */
const LOST_MS = 60_000;

type Parents = Pick<Holding, 'planned' | 'found' | 'backS'>;

export class Holdings implements HoldingEvents, Disposable {
  readonly #options: HoldingsOptions;
  readonly #held = new Map<string, Holding>();
  /** What is being looked for, once for all who ask. */
  readonly #searches = new Map<string, Promise<Holding | undefined>>();
  readonly #seeking = new Set<Holding>();
  readonly #sweep: Timer;
  readonly #gaps;
  readonly #copies;
  readonly #receivedBytes;
  readonly #latency;
  #copyMs = 0;
  #isClosed = false;

  constructor(options: HoldingsOptions) {
    this.#options = options;
    const { clock, metrics } = options;
    this.#sweep = clock.every(SWEEP_MS, () => this.#linger());
    this.#gaps = metrics.counter('headwater_relay_gaps_total', 'Feeds that could not go on, and began anew.');
    this.#copies = metrics.histogram(
      'headwater_relay_copy_duration_seconds',
      'Time from when a feed of another server is wanted here until all that its parent had of it is.',
      COPY_BUCKETS_S,
    );
    this.#receivedBytes = metrics.counter(
      'headwater_relay_received_bytes_total',
      'Bytes of media taken from other servers.',
    );
    this.#latency = metrics.histogram(
      'headwater_relay_latency_seconds',
      'Time from when a frame came to its origin until it is here, once for each part.',
      LATENCY_BUCKETS_S,
    );
    this.#describe(metrics);
  }

  /** What comes from other servers. */
  get followed(): readonly Holding[] {
    return [...this.#held.values()].filter((holding) => holding.isFollowed);
  }

  /** Whether this server writes a rendition itself. */
  writes(stream: string, rendition: string): boolean {
    return this.#get({ stream, rendition })?.isFollowed === false;
  }

  /** Whom a rendition comes from now. */
  parentOf(stream: string, rendition: string): Parent | undefined {
    return this.#held.get(keyOf({ stream, rendition }))?.parent;
  }

  /** How long a copy takes of late: of the slow ones, for who waits for one must not wait in vain. 0 before the first. */
  get copyMs(): number {
    return this.#copyMs;
  }

  /** How many servers follow feeds from here, once for each feed. */
  get children(): number {
    return [...this.#held.values()].reduce((sum, { relayed }) => sum + relayed.followers, 0);
  }

  /** Makes what is followed what the plan wants. Feeds that this server is the origin of stay as they are. */
  assign(follows: readonly Follow[]): void {
    const keys = new Set(follows.map(keyOf));
    for (const [key, holding] of this.#held) if (!keys.has(key)) holding.plan(undefined);
    for (const follow of follows) {
      const parents = this.#withoutSelf(follow.parents);
      const holding = this.#get(follow);
      if (holding) holding.plan(parents);
      else this.#begin(follow, { planned: parents, found: [], backS: undefined }, 'the plan wants it');
    }
  }

  /**
   * The feed of a rendition, once there is a segment to begin with. Undefined when there is none within a few seconds. `backS`:
   * how much of what others hold of it is wanted if it is not here yet; by default enough for a viewer.
   */
  async demand(stream: string, rendition: string, backS?: number): Promise<FeedReader | undefined> {
    const { clock } = this.#options;
    const untilMs = clock.monotonic() + DEMAND_MS;
    for (;;) {
      const holding = await this.#obtain({ stream, rendition }, backS);
      if (!holding) return undefined;
      const release = holding.retain();
      const outcome = await untilStart(holding.feed, clock, untilMs - clock.monotonic());
      release();
      if (outcome === 'started') return holding.feed;
      if (outcome !== 'cut' || clock.monotonic() >= untilMs) return undefined;
    }
  }

  /** As `demand`, for a server that is to follow the feed from here: that waits for the first segment by itself. */
  async obtain(stream: string, rendition: string): Promise<Relayed | undefined> {
    return (await this.#obtain({ stream, rendition }))?.relayed;
  }

  /** This server becomes the origin of a rendition: what it followed goes on in the same feed, which is to be written now. */
  adopt(stream: string, rendition: string): Feed {
    return this.#get({ stream, rendition })?.lead() ?? this.#options.feeds.open(stream, rendition);
  }

  /** Another server is the origin from now on: this one follows it, in the feed that it wrote if that can go on. */
  release(stream: string, rendition: string, feed: Feed, parents: readonly Parent[]): void {
    const holding = this.#get({ stream, rendition });
    if (holding?.feed !== feed || holding.isFollowed) return;
    holding.find(this.#withoutSelf(parents));
    holding.follow(feed, this.#options.clock.monotonic());
  }

  onGap(holding: Holding): void {
    this.#gaps.inc();
    this.#begin(holding.name, holding, 'what comes next is gone: the feed begins anew');
  }

  onTaken({ isCaughtUp }: Holding, { startsPart, arrivedAtMs, bytes }: Chunk): void {
    this.#receivedBytes.inc(bytes.length);
    // What a copy begins with is old.
    if (startsPart && isCaughtUp) this.#latency.observe((this.#options.clock.now() - arrivedAtMs) / 1000);
  }

  onCopied(_: Holding, tookMs: number): void {
    this.#copies.observe(tookMs / 1000);
    this.#copyMs = Math.max(tookMs, this.#copyMs * COPY_DECAY);
  }

  onEnd({ name }: Holding, reason: string): void {
    this.#held.delete(keyOf(name));
    this.#options.feeds.close(name.stream, name.rendition, reason);
  }

  onExhausted(holding: Holding): void {
    if (this.#seeking.has(holding)) return;
    this.#seeking.add(holding);
    this.#seek(holding).finally(() => this.#seeking.delete(holding));
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#sweep.cancel();
    for (const holding of this.#held.values()) holding.close();
    this.#held.clear();
  }

  #describe(metrics: Metrics): void {
    metrics.gauge('headwater_relay_follows', 'Feeds that come from other servers.', [], (gauge) =>
      gauge.set(this.followed.length),
    );
    metrics.gauge('headwater_relay_unfed', 'Feeds that no parent has anything of now.', [], (gauge) =>
      gauge.set(this.followed.filter(({ relayed }) => !relayed.lineage.isFed).length),
    );
    metrics.gauge(
      'headwater_relay_hops',
      'Servers before this one of the feed that comes furthest; 0 at the origin.',
      [],
      (gauge) =>
        gauge.set(Math.max(0, ...this.followed.map(({ relayed }) => relayed.lineage.path.length - 1))),
    );
  }

  /** What is here of a rendition. A feed that was opened by somebody else than this is this server's own. */
  #get(name: FeedName): Holding | undefined {
    const key = keyOf(name);
    const feed = this.#options.feeds.get(name.stream, name.rendition);
    const known = this.#held.get(key);
    if (known?.feed === feed) return known;
    known?.close();
    this.#held.delete(key);
    return feed && this.#hold(name, feed);
  }

  #hold(name: FeedName, feed: FeedReader, backS?: number): Holding {
    const { id, secrets, dial, clock } = this.#options;
    const logger = this.#options.logger.child({ ...name });
    const holding = new Holding({ id, name, feed, backS, secrets, dial, clock, logger, events: this });
    this.#held.set(keyOf(name), holding);
    return holding;
  }

  /** Readers of a feed that this one replaces find it when they learn why theirs ended. */
  #begin(
    { stream, rendition }: FeedName,
    { planned, found, backS }: Parents,
    reason: string,
    askedAtMs = this.#options.clock.monotonic(),
  ): Holding {
    const { feeds, logger } = this.#options;
    logger.info({ stream, rendition, reason }, 'begins to follow');
    const feed = feeds.create();
    const holding = this.#hold({ stream, rendition }, feed, backS);
    feeds.put(stream, rendition, feed, reason);
    holding.plan(planned);
    holding.find(found);
    holding.follow(feed, askedAtMs);
    return holding;
  }

  async #obtain(name: FeedName, backS?: number): Promise<Holding | undefined> {
    const holding = this.#get(name);
    if (holding) return holding;
    const key = keyOf(name);
    const search =
      this.#searches.get(key) ?? this.#search(name, backS).finally(() => this.#searches.delete(key));
    this.#searches.set(key, search);
    return search;
  }

  async #search(name: FeedName, backS: number | undefined): Promise<Holding | undefined> {
    const askedAtMs = this.#options.clock.monotonic();
    const found = await this.#find(name);
    const holding = this.#get(name);
    if (holding || this.#isClosed || !Array.isArray(found) || found.length === 0) return holding;
    return this.#begin(name, { planned: undefined, found, backS }, 'it was asked for', askedAtMs);
  }

  /** Without parents that can be followed, somebody else may know of others, or that there are none any more. */
  async #seek(holding: Holding): Promise<void> {
    const found = await this.#find(holding.name);
    if (this.#held.get(keyOf(holding.name)) !== holding || !holding.isFollowed) return;
    if (Array.isArray(found)) holding.find(found);
    else if (found === 'unknown' && holding.unfedMs() > LOST_MS) {
      this.onEnd(holding, 'no server has the stream any more');
    }
  }

  async #find({ stream, rendition }: FeedName): Promise<readonly Parent[] | 'unknown' | 'unavailable'> {
    try {
      const found = await this.#options.find(stream, rendition);
      return found ? this.#withoutSelf(found) : 'unknown';
    } catch (error) {
      this.#options.logger.warn(
        { stream, rendition, reason: reasonOf(error) },
        'parents can not be looked up',
      );
      return 'unavailable';
    }
  }

  #linger(): void {
    const { feeds, readersOf, lingerMs = LINGER_MS, unmadeMs = UNMADE_MS } = this.#options;
    for (const holding of this.#held.values()) {
      const { stream, rendition } = holding.name;
      const isGone = feeds.get(stream, rendition) !== holding.feed;
      const isIdle = holding.idleMs(readersOf(stream, rendition)) > lingerMs && holding.isFollowed;
      const patienceMs = holding.isWithdrawn ? Math.min(unmadeMs, WITHDRAWN_MS) : unmadeMs;
      const isUnmade = holding.unfedMs() > patienceMs && rendition !== SOURCE && holding.isFollowed;
      if (!isGone && !isIdle && !isUnmade) continue;
      holding.close();
      this.#held.delete(keyOf(holding.name));
      if (isIdle) feeds.drop(stream, rendition, 'nobody needs it here');
      else if (isUnmade) feeds.drop(stream, rendition, 'nobody makes it any more');
    }
  }

  #withoutSelf(parents: readonly Parent[]): readonly Parent[] {
    return parents.filter(({ id }) => id !== this.#options.id);
  }
}

function keyOf({ stream, rendition }: FeedName): string {
  return `${stream}/${rendition}`;
}
