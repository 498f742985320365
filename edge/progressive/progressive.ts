// Progressive playback: one endless response that begins with the init and carries every chunk as it comes.

import type { Clock } from '../../network/clock.ts';
import type { Outflow } from '../../network/egress/outflow.ts';
import type { FeedReader } from '../../network/feed/feed.ts';
import type { Demand, Feeds } from '../../network/feed/feeds.ts';
import { redirect, sendProblem } from '../../network/http/answers.ts';
import { sendEndless } from '../../network/http/endless.ts';
import type { Exchange } from '../../network/http/exchange.ts';
import type { Route } from '../../network/http/http.ts';
import type { Outlet } from '../../network/http/listener.ts';
import type { Logger } from '../../network/logger.ts';
import type { Metrics } from '../../network/metrics.ts';
import { quoted } from '../../network/names.ts';
import { type Authorise, sendRefusal } from '../access.ts';
import { elsewhere, type SuccessorOf } from '../elsewhere.ts';
import type { ProgressiveSessions } from '../sessions/progressive-sessions.ts';
import type { Audience } from './audience.ts';
import { AHEAD_CHUNKS, placeIn } from './place.ts';
import { TokenEnds } from './token-ends.ts';

export interface ProgressiveOptions {
  readonly feeds: Feeds;
  /** For what is not here yet. */
  readonly demand: Demand;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly authorise: Authorise;
  readonly sessions: ProgressiveSessions;
  readonly audience: Audience;
  readonly successorOf: SuccessorOf;
  readonly outflow: Pick<Outflow, 'until'>;
  /** With `signed`, an answer ends soon after the token that it was given for. */
  readonly access: 'open' | 'signed';
}

/** How long a viewer waits for the first key frame of a feed that has just been opened. */
const FIRST_START_WAIT_MS = 5000;
/** Of a chunk, as players write it. */
export const SEQUENCE = /^\d{1,10}$/;
const LIVE = /^\/play\/(?<token>[^/]+)\/(?<stream>[^/]+)\/(?<rendition>[^/]+)\/live\.mp4$/;

export function progressiveRoutes(options: ProgressiveOptions): Route[] {
  const ends = options.access === 'signed' ? new TokenEnds(options.clock) : undefined;
  const handle = (exchange: Exchange): Promise<void> => play(options, ends, exchange);
  return [{ kind: 'progressive', method: 'GET', pattern: LIVE, handle }];
}

async function play(
  options: ProgressiveOptions,
  ends: TokenEnds | undefined,
  exchange: Exchange,
): Promise<void> {
  const viewer = options.authorise(exchange);
  if (!viewer) return;
  const from = readFrom(exchange);
  if (from === 'bad') return;
  const { stream, rendition } = viewer;
  const { feeds, demand } = options;
  const successor = options.successorOf(stream);
  if (successor) return redirect(exchange, 307, elsewhere(successor, exchange));
  const feed = feeds.get(stream, rendition) ?? (await demand(stream, rendition));
  if (!feed) {
    const detail = `the stream ${quoted(stream)} has no rendition ${quoted(rendition)} here`;
    return sendProblem(exchange, 404, 'Not Found', detail);
  }
  if (!(await hasStart(feed, options.clock))) {
    const detail = feed.ended ?? `no key frame came within ${FIRST_START_WAIT_MS} ms`;
    return sendProblem(exchange, 404, 'Not Found', `the stream has nothing to begin with: ${detail}`);
  }
  // Who comes from another server has little in hand, and wants no more than what is being sent.
  if (from === undefined) await options.outflow.until(openingBytes(feed));
  if (exchange.response.destroyed) return;
  const connection = options.sessions.connect(viewer);
  if (connection.kind === 'refused') return sendRefusal(exchange, connection);
  exchange.response.once('close', connection.end);
  const outlet = seat(options.audience, exchange, feed, from);
  if (outlet) ends?.watch(outlet, viewer.expiresAtMs);
}

/** The chunk asked for, undefined when none is; a value that is no sequence number has been answered. */
function readFrom(exchange: Exchange): number | undefined | 'bad' {
  const text = exchange.query.get('from');
  if (text === null) return undefined;
  if (SEQUENCE.test(text)) return Number(text);
  sendProblem(exchange, 400, 'Bad Request', `from=${quoted(text)} is not the sequence number of a chunk`);
  return 'bad';
}

/** What a viewer is sent at first: from the newest key frame on. */
function openingBytes(feed: FeedReader): number {
  const start = feed.newestStart();
  const views = start ? feed.wire(start.sequence, feed.next) : [];
  return views.reduce((sum, { length }) => sum + length, 0);
}

/** Resolves when the feed holds something to begin with, or has ended, or too much time has gone by. */
async function hasStart(feed: FeedReader, clock: Clock): Promise<boolean> {
  if (feed.newestStart() || feed.ended !== undefined) return feed.ended === undefined;
  return new Promise((resolve) => {
    const settle = (): void => {
      timer.cancel();
      unsubscribe();
      resolve(feed.ended === undefined && feed.newestStart() !== undefined);
    };
    const timer = clock.after(FIRST_START_WAIT_MS, settle);
    const unsubscribe = feed.subscribe((chunk) => {
      if (chunk === undefined || feed.newestStart()) settle();
    });
  });
}

/** `Headwater-Sequence` tells a player that resumes whether it gets what it asked for. */
function seat(
  audience: Audience,
  exchange: Exchange,
  feed: FeedReader,
  from: number | undefined,
): Outlet | undefined {
  const place = placeIn(feed, from);
  if (place) {
    const outlet = sendEndless(exchange, 'video/mp4', { 'Headwater-Sequence': place.sequence });
    if (outlet) audience.seat(feed, outlet, place);
    return outlet;
  }
  const window = `${feed.first} to ${feed.next - 1}`;
  const detail = `chunk ${from} is more than ${AHEAD_CHUNKS} ahead of the window, which is ${window}`;
  sendProblem(exchange, 400, 'Bad Request', detail);
  return undefined;
}
