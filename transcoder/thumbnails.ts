// Pictures of live streams: the newest key frame of each, as JPEG, made anew every 10 s.

import type { Clock, Timer } from '../network/clock.ts';
import type { FeedReader } from '../network/feed/feed.ts';
import { sha256 } from '../network/hash.ts';
import { sendProblem } from '../network/http/answers.ts';
import { type Entity, sendEntity } from '../network/http/entity.ts';
import type { Exchange } from '../network/http/exchange.ts';
import type { Route } from '../network/http/http.ts';
import { quoted } from '../network/names.ts';
import { verifyToken } from '../network/token.ts';

export interface ThumbnailsOptions {
  /** The sources that are here, by stream. */
  readonly sources: () => Iterable<readonly [stream: string, source: FeedReader]>;
  /** Makes a JPEG of media that begins with a key frame; undefined where that is not to be had. */
  readonly picture: (media: readonly Uint8Array[]) => Promise<Uint8Array | undefined>;
  readonly clock: Clock;
  readonly secrets: readonly string[];
}

const PERIOD_MS = 10_000;
const LOOK_MS = 1_000;
/** In a second: with more streams than that makes, each has its turn later. */
const MAX_MADE = 3;
const ETAG_DIGITS = 16;

interface Thumbnail {
  /** When it was asked for, monotonic; of which chunk. */
  readonly atMs: number;
  readonly sequence: number;
  readonly entity: Entity | undefined;
}

export class Thumbnails implements Disposable {
  readonly routes: readonly Route[];
  readonly #options: ThumbnailsOptions;
  readonly #made = new Map<string, Thumbnail>();
  readonly #timer: Timer;
  #isBusy = false;

  constructor(options: ThumbnailsOptions) {
    this.#options = options;
    this.routes = [
      {
        kind: 'thumbnail',
        method: 'GET',
        pattern: /^\/thumb\/(?<token>[^/]+)\/(?<stream>[^/]+)\.jpg$/,
        handle: (exchange) => this.#send(exchange),
      },
    ];
    this.#timer = options.clock.every(LOOK_MS, () => this.#look());
  }

  /** Streams that there is a picture of. */
  get streams(): readonly string[] {
    return [...this.#made].flatMap(([stream, { entity }]) => (entity ? [stream] : []));
  }

  [Symbol.dispose](): void {
    this.#timer.cancel();
  }

  #send(exchange: Exchange): void {
    const { token = '', stream = '' } = exchange.params;
    const { secrets, clock } = this.#options;
    const verdict = verifyToken(secrets, token, { purpose: 'picture', stream, nowMs: clock.now() });
    if (verdict.kind === 'refused') {
      sendProblem(exchange, 403, 'Forbidden', verdict.reason);
      return;
    }
    const entity = this.#made.get(stream)?.entity;
    if (entity) sendEntity(exchange, entity);
    else sendProblem(exchange, 404, 'Not Found', `there is no picture of ${quoted(stream)} here`);
  }

  /** Those that are due, the longest first; a source that stands still keeps its picture. */
  async #look(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    const sources = new Map(this.#options.sources());
    for (const stream of this.#made.keys()) if (!sources.has(stream)) this.#made.delete(stream);
    const due = [...sources].filter(([stream, source]) => this.#isDue(this.#made.get(stream), source));
    const dueAtMs = (stream: string): number => this.#made.get(stream)?.atMs ?? 0;
    due.sort(([one], [other]) => dueAtMs(one) - dueAtMs(other));
    for (const [stream, source] of due.slice(0, MAX_MADE)) await this.#renew(stream, source);
    this.#isBusy = false;
  }

  #isDue(last: Thumbnail | undefined, source: FeedReader): boolean {
    const start = source.newestStart();
    if (!start || start.sequence === last?.sequence) return false;
    return !last || this.#options.clock.monotonic() - last.atMs >= PERIOD_MS;
  }

  async #renew(stream: string, source: FeedReader): Promise<void> {
    const { sequence } = source.newestStart()!;
    const atMs = this.#options.clock.monotonic();
    // Also where it fails: a source of which no picture can be made is tried again as late as any.
    const last = this.#made.get(stream)?.entity;
    this.#made.set(stream, { atMs, sequence, entity: last });
    const entity = await this.#make(source, sequence);
    if (entity) this.#made.set(stream, { atMs, sequence, entity });
  }

  async #make(source: FeedReader, sequence: number): Promise<Entity | undefined> {
    const chunk = source.at(sequence);
    const init = chunk && source.initOf(chunk.epoch);
    if (init?.lead.kind !== 'video') return undefined;
    const jpeg = await this.#options.picture([init.bytes, chunk!.bytes]);
    if (!jpeg) return undefined;
    return {
      views: [jpeg],
      type: 'image/jpeg',
      etag: `"${sha256(jpeg, ETAG_DIGITS)}"`,
      cacheControl: `max-age=${PERIOD_MS / 1000}`,
    };
  }
}
