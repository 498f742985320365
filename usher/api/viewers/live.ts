// Where a viewer finds a stream: the multivariant playlist, and the redirect to progressive playback.

import { sleep } from '../../../network/clock.ts';
import { redirect, send, sendProblem } from '../../../network/http/answers.ts';
import type { Exchange } from '../../../network/http/exchange.ts';
import type { Route } from '../../../network/http/http.ts';
import { quoted } from '../../../network/names.ts';
import { BEAT_MS, isWithin } from '../../../network/state/liveness.ts';
import type { RenditionRecord } from '../../../network/state/state.ts';
import type { Spending } from '../../cdn/spending.ts';
import { multivariantPlaylist } from '../../multivariant.ts';
import type { Placer } from '../../placement/placer.ts';
import type { Decision, FullReason, PlaceRequest } from '../../placement/request.ts';
import { findStream } from '../../placement/scene/streams.ts';
import { isPlayable } from '../../plan/ladder.ts';
import { isComing, type LadderPolicies } from '../../plan/transcodes.ts';
import type { Presence } from '../../quality/presence.ts';
import { type Guest, nameOf, waysTo } from '../../steering/ways.ts';
import { admit, askFor, type GuestOptions, isCrowd, steeringUri, wayMaker } from './guests.ts';

export interface LiveOptions extends GuestOptions {
  readonly placer: Placer;
  readonly presence: Presence;
  readonly spending: Spending;
  /** Undefined: nothing is transcoded. */
  readonly ladders?: LadderPolicies | undefined;
}

/** A stream without a frame yet: how long its first viewers are held. */
const STARTING_MS = 5_000;
const STARTING_STEP_MS = 100;
/** A state that is new, or was lost, has heard of every stream within a beat that may be late: it knows none before that. */
const HEARD_MS = 1.5 * BEAT_MS;
/** How long the first viewer of a stream waits for rungs that are made on demand, and who can play nothing else for any. */
const LADDER_MS = 2_000;
const NEEDED_LADDER_MS = 5_000;

const REASONS: Readonly<Record<FullReason, string>> = {
  no_server: 'no server is there to serve viewers',
  no_room: 'every server that may serve it is full',
  address: 'much is promised to others at this address, who have not come for it',
  not_leased: 'what room is left is being shared out',
  cdn_spent: 'every server that may serve it is full, and what a CDN may cost this month is spent',
};

const TITLES = { 429: 'Too Many Requests', 503: 'Service Unavailable' } as const;

type Served = Extract<Decision, { kind: 'serve' }>;

export function liveRoutes(options: LiveOptions): Route[] {
  return [
    {
      kind: 'multivariant',
      method: 'GET',
      pattern: /^\/live\/(?<stream>[^/]+)\.m3u8$/,
      handle: (exchange) => sendMultivariant(options, exchange),
    },
    {
      kind: 'progressive',
      method: 'GET',
      pattern: /^\/live\/(?<stream>[^/]+)\.mp4$/,
      handle: (exchange) => redirectToProgressive(options, exchange),
    },
  ];
}

async function sendMultivariant(options: LiveOptions, exchange: Exchange): Promise<void> {
  const guest = admit(options, exchange);
  if (!guest || isCrowd(options, exchange)) return;
  const request = askFor(options, exchange, guest);
  const first = await serve(options, exchange, guest, request);
  const isComplete = !first || !(await untilLadder(options, guest.stream));
  const served = isComplete ? first : await serve(options, exchange, guest, request);
  if (!served) return;
  const ways = waysTo(served.choices, guest, wayMaker(options, exchange));
  const uri = steeringUri(
    options,
    guest,
    ways.map(({ id }) => id),
  );
  const playlist = multivariantPlaylist(listed(served), ways, uri);
  send(exchange, 200, 'application/vnd.apple.mpegurl', playlist, 'no-store');
}

/** An endless response is nothing for a CDN. `from` is passed on: a player that lost its server goes on at the next chunk. */
async function redirectToProgressive(options: LiveOptions, exchange: Exchange): Promise<void> {
  const guest = admit(options, exchange);
  if (!guest || isCrowd(options, exchange)) return;
  const request = { ...askFor(options, exchange, guest), allowCdn: false };
  const served = await serve(options, exchange, guest, request);
  if (!served) return;
  const [way] = waysTo(served.choices, guest, wayMaker(options, exchange));
  const playlist = way!.urlOf(listed(served)[0]!.name);
  const from = exchange.query.get('from');
  const query = from === null ? '' : `?from=${encodeURIComponent(from)}`;
  redirect(exchange, 307, `${playlist.slice(0, playlist.lastIndexOf('/'))}/live.mp4${query}`);
}

/** Undefined when the refusal has been answered. */
async function serve(
  options: LiveOptions,
  exchange: Exchange,
  { stream, session }: Guest,
  request: PlaceRequest,
): Promise<Served | undefined> {
  const decision = await untilStarted(options, request, session);
  if (decision.kind === 'serve') {
    const best = decision.choices[0]!;
    const nowMs = options.clock.monotonic();
    options.presence.see(session, best, nowMs);
    if (best.kind === 'cdn') options.spending.send(session, best.cdn, best.mbps, nowMs, request.network);
    options.viewerLog.say({ session, stream, ...nameOf(best) }, 'viewer is placed');
    return decision;
  }
  if (decision.kind === 'unknown') {
    sendProblem(exchange, 404, 'Not Found', `no stream ${quoted(stream)} is live`);
    return undefined;
  }
  options.viewerLog.say({ session, stream, reason: decision.reason }, 'viewer is turned away');
  exchange.response.setHeader('Retry-After', decision.retryAfterS);
  const status = decision.reason === 'address' ? 429 : 503;
  sendProblem(exchange, status, TITLES[status], `${quoted(stream)}: ${REASONS[decision.reason]}`);
  return undefined;
}

/** A stream that has no rendition yet is waited for: its first frames are on their way. */
async function untilStarted(
  { placer, clock }: LiveOptions,
  request: PlaceRequest,
  session: string,
): Promise<Decision> {
  const deadline = clock.monotonic() + STARTING_MS;
  for (;;) {
    const { snapshot } = await placer.scene();
    const stream = findStream(snapshot, request.stream);
    if (!stream && !isWithin(snapshot.sinceMs, snapshot.nowMs, HEARD_MS)) return { kind: 'unknown' };
    if (stream && stream.renditions.length > 0) return placer.place(request, session);
    if (clock.monotonic() >= deadline) return { kind: 'unknown' };
    await sleep(clock, STARTING_STEP_MS);
  }
}

/**
 * Players read the playlist once: what is made on demand is waited for, now that it is asked for, as long as a worker may make it.
 * So is what browsers can play of a source that they can't: Chromium fails on any but the first of open GOPs.
 * Returns whether it was waited for.
 */
async function untilLadder({ placer, clock, ladders }: LiveOptions, stream: string): Promise<boolean> {
  const startedAtMs = clock.monotonic();
  for (let hasWaited = false; ; hasWaited = true) {
    const { snapshot } = await placer.scene();
    if (!ladders || !isComing(snapshot, stream, ladders(stream))) return hasWaited;
    const [source] = findStream(snapshot, stream)!.renditions;
    const patienceMs = isPlayable(source!) ? LADDER_MS : NEEDED_LADDER_MS;
    if (clock.monotonic() - startedAtMs >= patienceMs) return hasWaited;
    await sleep(clock, STARTING_STEP_MS);
  }
}

/** Those that the viewer was promised room for. */
function listed({ stream, choices }: Served): readonly RenditionRecord[] {
  const highestBps = choices[0]!.mbps * 1e6 + 1;
  return stream.renditions.filter(({ averageBps }) => averageBps <= highestBps);
}
