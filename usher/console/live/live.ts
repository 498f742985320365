// The live feed: everybody who listens hears the cluster as it is, and then once a second what changed.

import type { Clock } from '../../../network/clock.ts';
import { randomName } from '../../../network/hash.ts';
import { sendProblem } from '../../../network/http/answers.ts';
import { sendEndless } from '../../../network/http/endless.ts';
import { acceptsGzip } from '../../../network/http/entity.ts';
import type { Exchange } from '../../../network/http/exchange.ts';
import type { Metrics } from '../../../network/metrics.ts';
import { isStreamName, quoted, STREAM_NAME_RULE } from '../../../network/names.ts';
import type { Sight, Watch } from '../watch/watch.ts';
import { HEARTBEAT } from './frame.ts';
import { Listener } from './listener.ts';
import { Stage, type Tick } from './stage.ts';

export interface LiveOptions {
  readonly watch: Watch;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** For how long somebody may listen before it has to come again; undefined: it may not at all, and was told so. */
  readonly mayListen: (exchange: Exchange) => number | undefined;
}

const MAX_LISTENERS = 64;
/** Streams of one listener. */
const MAX_STREAMS = 4;
/** Pages take a longer silence for a connection that broke. */
const HEARTBEAT_MS = 5_000;
/** Who is behind for so many looks is not there any more. */
const MAX_MISSED = 60;
const RETRY_S = 5;

export class Live {
  readonly #options: LiveOptions;
  readonly #listeners = new Set<Listener>();
  #stage: Stage | undefined;
  #watching: Disposable | undefined;
  #quietSinceMs = 0;

  constructor(options: LiveOptions) {
    this.#options = options;
    options.metrics.gauge('headwater_console_listeners', 'Pages that listen to the console.', [], (gauge) =>
      gauge.set(this.listening),
    );
  }

  get listening(): number {
    return this.#listeners.size;
  }

  async listen(exchange: Exchange): Promise<void> {
    const mayForMs = this.#options.mayListen(exchange);
    const streams = mayForMs === undefined ? undefined : streamsIn(exchange);
    if (mayForMs === undefined || !streams || this.#isFull(exchange)) return;
    const sight = await this.#options.watch.sight();
    const stage = this.#stageAt(sight);
    const listener = this.#open(exchange, streams, mayForMs);
    if (!listener) return;
    const missed = stage.after(String(exchange.request.headers['last-event-id'] ?? ''));
    if (missed) for (const { frames } of missed) for (const frame of frames) listener.send(frame);
    else listener.send(stage.whole);
    for (const name of streams) listener.send(stage.stream(name, sight));
  }

  #isFull(exchange: Exchange): boolean {
    if (this.#listeners.size < MAX_LISTENERS) return false;
    exchange.response.setHeader('Retry-After', RETRY_S);
    sendProblem(exchange, 503, 'Service Unavailable', `${MAX_LISTENERS} pages listen already`);
    return true;
  }

  /** Who comes after a time without anybody hears what is new since. */
  #stageAt(sight: Sight): Stage {
    const { events } = this.#options.watch;
    if (!this.#stage) this.#stage = new Stage(randomName(6), sight, events.lastId);
    else if (this.#listeners.size === 0) this.#advance(sight);
    return this.#stage;
  }

  #open(exchange: Exchange, streams: readonly string[], mayForMs: number): Listener | undefined {
    const { response, request } = exchange;
    const isPacked = acceptsGzip(request);
    // Proxies are not to keep events for themselves.
    const headers = { 'X-Accel-Buffering': 'no', Vary: 'Accept-Encoding' };
    const encoding = isPacked ? { 'Content-Encoding': 'gzip' } : {};
    const outlet = sendEndless(exchange, 'text/event-stream', { ...headers, ...encoding });
    if (!outlet) return undefined;
    const onSent = (bytes: number): void => {
      exchange.bodyBytes += bytes;
    };
    const listener = new Listener({ outlet, packing: isPacked ? 'packed' : 'plain', streams, onSent });
    const end = this.#options.clock.after(mayForMs, () => outlet.destroy());
    this.#listeners.add(listener);
    response.once('close', () => {
      end.cancel();
      this.#drop(listener);
    });
    this.#watching ??= this.#options.watch.onLook((sight) => this.#tell(sight));
    return listener;
  }

  #drop(listener: Listener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    this.#watching?.[Symbol.dispose]();
    this.#watching = undefined;
  }

  #tell(sight: Sight): void {
    const nowMs = this.#options.clock.monotonic();
    const tick = this.#advance(sight);
    if (tick) this.#quietSinceMs = nowMs;
    const isQuiet = nowMs - this.#quietSinceMs >= HEARTBEAT_MS;
    if (isQuiet) this.#quietSinceMs = nowMs;
    for (const listener of this.#listeners)
      if (listener.isReadyAnew) this.#tellAnew(listener, sight);
      else if (listener.isBehind) skip(listener);
      else if (tick) tellTick(listener, tick);
      else if (isQuiet) listener.send(HEARTBEAT);
  }

  #advance(sight: Sight): Tick | undefined {
    const wanted = new Set([...this.#listeners].flatMap(({ streams }) => streams));
    return this.#stage?.advance(sight, wanted, (id) => this.#options.watch.events.after(id));
  }

  #tellAnew(listener: Listener, sight: Sight): void {
    listener.missed = 0;
    listener.send(this.#stage!.whole);
    for (const name of listener.streams) listener.send(this.#stage!.stream(name, sight));
  }
}

function tellTick(listener: Listener, { frames, streams }: Tick): void {
  for (const frame of frames) listener.send(frame);
  for (const name of listener.streams) {
    const frame = streams.get(name);
    if (frame) listener.send(frame);
  }
}

function skip(listener: Listener): void {
  listener.missed += 1;
  if (listener.missed > MAX_MISSED) listener.outlet.destroy();
}

/** Undefined when it has been answered that they make no sense. */
function streamsIn(exchange: Exchange): readonly string[] | undefined {
  const streams = [...new Set(exchange.query.getAll('stream'))];
  const wrong = streams.find((name) => !isStreamName(name));
  if (wrong === undefined && streams.length <= MAX_STREAMS) return streams;
  const detail =
    wrong === undefined
      ? `at most ${MAX_STREAMS} streams can be listened to; got ${streams.length}`
      : `a stream's name is ${STREAM_NAME_RULE}; got ${quoted(wrong)}`;
  sendProblem(exchange, 400, 'Bad Request', detail);
  return undefined;
}
