// Pictures of live streams: the newest key frame of each, as JPEG, made anew every 10 s.

import type { Clock, Timer } from '../network/clock.ts';
import type { FeedReader } from '../network/feed/feed.ts';
import { sha256 } from '../network/hash.ts';
import { type Entity, type Exchange, type Route, sendEntity, sendProblem } from '../network/http/http.ts';
import { quoted } from '../network/names.ts';
import { verifyToken } from '../network/token.ts';
import type { Ffmpeg } from './ffmpeg/ffmpeg.ts';
import { thumbnailArgs } from './ffmpeg/ffmpeg-args.ts';

export interface ThumbnailsOptions {
  /** The sources that are here, by stream. */
  readonly sources: () => Iterable<readonly [stream: string, source: FeedReader]>;
  readonly startFfmpeg: (args: readonly string[], outputs: number) => Ffmpeg;
  readonly clock: Clock;
  readonly secrets: readonly string[];
}

const PERIOD_MS = 10_000;
const LOOK_MS = 1_000;
/** One picture at a time, and none may take longer. */
const PATIENCE_MS = 5_000;
const MAX_BYTES = 1024 * 1024;
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
  #ffmpeg: Ffmpeg | undefined;

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
    this.#ffmpeg?.kill('the server stops');
  }

  #send(exchange: Exchange): void {
    const { token = '', stream = '' } = exchange.params;
    const { secrets, clock } = this.#options;
    const verdict = verifyToken(secrets, token, { purpose: 'play', stream, nowMs: clock.now() });
    if (verdict.kind === 'refused') {
      sendProblem(exchange, 403, 'Forbidden', verdict.reason);
      return;
    }
    const entity = this.#made.get(stream)?.entity;
    if (entity) sendEntity(exchange, entity);
    else sendProblem(exchange, 404, 'Not Found', `there is no picture of ${quoted(stream)} here`);
  }

  /** Those that are due, one after the other; a source that stands still keeps its picture. */
  async #look(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    const sources = new Map(this.#options.sources());
    for (const stream of this.#made.keys()) if (!sources.has(stream)) this.#made.delete(stream);
    for (const [stream, source] of sources) {
      const atMs = this.#options.clock.monotonic();
      const last = this.#made.get(stream);
      const start = source.newestStart();
      if (!start || start.sequence === last?.sequence || (last && atMs - last.atMs < PERIOD_MS)) continue;
      const { sequence } = start;
      // Also where it fails: a source of which no picture can be made is tried again as late as any.
      this.#made.set(stream, { atMs, sequence, entity: last?.entity });
      const entity = await this.#make(source, sequence);
      if (entity) this.#made.set(stream, { atMs, sequence, entity });
    }
    this.#isBusy = false;
  }

  async #make(source: FeedReader, sequence: number): Promise<Entity | undefined> {
    const chunk = source.at(sequence);
    const init = chunk && source.initOf(chunk.epoch);
    if (init?.lead.kind !== 'video') return undefined;
    const ffmpeg = this.#options.startFfmpeg(thumbnailArgs(), 1);
    this.#ffmpeg = ffmpeg;
    const patience = this.#options.clock.after(PATIENCE_MS, () => ffmpeg.kill('it took too long'));
    const parts: Buffer[] = [];
    ffmpeg.outputs[0]!.on('data', (bytes: Buffer) => parts.push(bytes));
    ffmpeg.input.write(init.bytes);
    ffmpeg.input.end(chunk!.bytes);
    await ffmpeg.ended;
    patience.cancel();
    const jpeg = Buffer.concat(parts);
    if (jpeg.length === 0 || jpeg.length > MAX_BYTES) return undefined;
    return {
      views: [jpeg],
      type: 'image/jpeg',
      etag: `"${sha256(jpeg, ETAG_DIGITS)}"`,
      cacheControl: `max-age=${PERIOD_MS / 1000}`,
    };
  }
}
