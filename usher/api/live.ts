// Where a viewer finds a stream: the multivariant playlist, and the redirect to progressive playback.

import { type Clock, sleep } from '../../network/clock.ts';
import { randomName } from '../../network/hash.ts';
import { type Exchange, type Route, redirect, send, sendProblem } from '../../network/http.ts';
import { reachableUrl } from '../../network/reachable.ts';
import { newSession, readSession, writeSession } from '../../network/session.ts';
import type { ClusterState, StreamRecord } from '../../network/state/state.ts';
import { signToken, verifyToken } from '../../network/token.ts';
import { multivariantPlaylist } from '../multivariant.ts';
import { Placer } from '../placement/placer.ts';
import type { Decision, PlaceRequest } from '../placement/request.ts';

export interface LiveOptions {
  readonly state: Pick<ClusterState, 'snapshot'>;
  readonly clock: Clock;
  readonly secrets: readonly string[];
  /** `signed`: a viewer must bring a token for the stream. */
  readonly access: 'open' | 'signed';
}

interface PlacingOptions extends LiveOptions {
  readonly placer: Placer;
}

/** How long a viewer of open playback may watch before the player has to ask again. */
const SESSION_MS = 24 * 3_600_000;
/** A stream without a frame yet: how long its first viewers are held. */
const STARTING_MS = 5_000;
const STARTING_STEP_MS = 100;

export function liveRoutes(options: LiveOptions): Route[] {
  const placer = new Placer({ state: options.state });
  return [
    {
      kind: 'multivariant',
      method: 'GET',
      pattern: /^\/live\/(?<stream>[^/]+)\.m3u8$/,
      handle: (exchange) => sendMultivariant({ ...options, placer }, exchange),
    },
    {
      kind: 'progressive',
      method: 'GET',
      pattern: /^\/live\/(?<stream>[^/]+)\.mp4$/,
      handle: (exchange) => redirectToProgressive({ ...options, placer }, exchange),
    },
  ];
}

async function sendMultivariant(options: PlacingOptions, exchange: Exchange): Promise<void> {
  const placed = await placeViewer(options, exchange);
  if (!placed) return;
  const playlist = multivariantPlaylist(
    placed.stream.renditions,
    (rendition) => `${placed.base}/${rendition}/index.m3u8`,
  );
  send(exchange, 200, 'application/vnd.apple.mpegurl', playlist, 'no-store');
}

/** `from` is passed on: a player that lost its server goes on at the next chunk. */
async function redirectToProgressive(options: PlacingOptions, exchange: Exchange): Promise<void> {
  const placed = await placeViewer(options, exchange);
  if (!placed) return;
  const from = exchange.query.get('from');
  const query = from === null ? '' : `?from=${encodeURIComponent(from)}`;
  redirect(exchange, 302, `${placed.base}/${placed.stream.renditions[0]!.name}/live.mp4${query}`);
}

interface Placed {
  readonly stream: StreamRecord;
  /** URL of the stream at its server, the viewer's token in its path. */
  readonly base: string;
}

/** Answers the refusal itself, and gives undefined, when the viewer may not or can't be served. */
async function placeViewer(options: PlacingOptions, exchange: Exchange): Promise<Placed | undefined> {
  const name = exchange.params['stream']!;
  const nowMs = options.clock.now();
  let expiresAtMs = nowMs + SESSION_MS;
  if (options.access === 'signed') {
    const verdict = verifyToken(options.secrets, exchange.query.get('token') ?? '', {
      purpose: 'play',
      stream: name,
      nowMs,
    });
    if (verdict.kind === 'refused') {
      sendProblem(exchange, 403, 'Forbidden', `${verdict.reason}; add ?token=<token> to the URL`);
      return undefined;
    }
    expiresAtMs = verdict.grant.expiresAtMs;
  }
  const session = readSession(newSession(randomName, ''));
  const request = { stream: name, viewer: session.id, whence: {}, allowCdn: false };
  const decision = await untilStarted(options, request, session.id);
  if (decision.kind === 'unknown') {
    sendProblem(exchange, 404, 'Not Found', `no stream '${name}' is live`);
    return undefined;
  }
  const choice = decision.kind === 'serve' ? decision.choices[0] : undefined;
  if (choice?.kind !== 'server') {
    if (decision.kind === 'full') exchange.response.setHeader('Retry-After', decision.retryAfterS);
    sendProblem(exchange, 503, 'Service Unavailable', `no server has room for '${name}' now`);
    return undefined;
  }
  const { uplink, server } = choice;
  const grant = {
    purpose: 'play',
    stream: name,
    expiresAtMs,
    session: writeSession({ ...session, uplink }),
  } as const;
  const origin = reachableUrl(server.mediaUrl, exchange);
  return { stream: decision.stream, base: `${origin}/play/${signToken(options.secrets, grant)}/${name}` };
}

/** Places again while the stream is known and has no rendition yet: its first frames are on their way. */
async function untilStarted(
  options: PlacingOptions,
  request: PlaceRequest,
  session: string,
): Promise<Decision> {
  const deadline = options.clock.monotonic() + STARTING_MS;
  for (;;) {
    const decision = await options.placer.place(request, session);
    if (decision.kind === 'unknown' || decision.stream.renditions.length > 0) return decision;
    if (options.clock.monotonic() >= deadline) return { kind: 'unknown' };
    await sleep(options.clock, STARTING_STEP_MS);
  }
}
