// Which streams there are, and what is known of each.

import type { Clock } from '../../network/clock.ts';
import { sendJson, sendProblem } from '../../network/http/answers.ts';
import type { Exchange } from '../../network/http/exchange.ts';
import type { Route } from '../../network/http/http.ts';
import { reachableUrl } from '../../network/http/reachable.ts';
import { isAlive } from '../../network/state/liveness.ts';
import type { ClusterState, Snapshot, StreamRecord } from '../../network/state/state.ts';
import { signToken, verifyToken } from '../../network/token.ts';

export interface StreamsOptions {
  readonly state: Pick<ClusterState, 'snapshot'>;
  readonly secrets: readonly string[];
  /** `private`: of a stream's picture only learns who brings a token to play it. */
  readonly thumbnails: 'public' | 'private';
  readonly clock: Clock;
}

/** Addresses of pictures stay the same for so long, so that browsers keep what they have, and are valid for twice as long. */
const THUMBNAIL_MS = 3_600_000;

export function streamRoutes(options: StreamsOptions): Route[] {
  return [
    {
      kind: 'streams',
      method: 'GET',
      pattern: /^\/api\/streams$/,
      handle: (exchange) => sendStreams(options, exchange),
    },
    {
      kind: 'stream',
      method: 'GET',
      pattern: /^\/api\/streams\/(?<stream>[^/]+)$/,
      handle: (exchange) => sendStream(options, exchange),
    },
  ];
}

async function sendStreams(options: StreamsOptions, exchange: Exchange): Promise<void> {
  const snapshot = await options.state.snapshot();
  const pictures = thumbnails(snapshot, options, exchange);
  const streams = snapshot.streams.map((stream) => describe(snapshot, stream, pictures));
  sendJson(exchange, { streams });
}

async function sendStream(options: StreamsOptions, exchange: Exchange): Promise<void> {
  const snapshot = await options.state.snapshot();
  const name = exchange.params['stream']!;
  const stream = snapshot.streams.find((known) => known.name === name);
  if (stream) sendJson(exchange, describe(snapshot, stream, thumbnails(snapshot, options, exchange)));
  else sendProblem(exchange, 404, 'Not Found', `no stream '${name}' is live`);
}

type Thumbnails = ReadonlyMap<string, string>;

export type StreamAnswer = ReturnType<typeof describe>;

function describe(snapshot: Snapshot, stream: StreamRecord, pictures: Thumbnails) {
  return {
    name: stream.name,
    live: stream.live,
    startedAt: new Date(stream.startedAtMs).toISOString(),
    viewers: viewersOf(snapshot, stream.name),
    thumbnail: pictures.get(stream.name) ?? null,
    renditions: stream.renditions.map(({ name, codecs, width, height, frameRate, averageBps }) => ({
      name,
      codecs,
      width,
      height,
      frameRate,
      bitrateKbps: Math.round(averageBps / 1000),
    })),
  };
}

/** An address is for the picture alone, whatever else its reader may do. */
function thumbnails(snapshot: Snapshot, options: StreamsOptions, exchange: Exchange): Thumbnails {
  const { secrets, clock } = options;
  const pictures = new Map<string, string>();
  const expiresAtMs = (Math.floor(clock.now() / THUMBNAIL_MS) + 2) * THUMBNAIL_MS;
  for (const { mediaUrl, thumbnails: streams = [], beatAtMs } of snapshot.servers)
    for (const stream of isAlive(beatAtMs, snapshot) ? streams : []) {
      if (pictures.has(stream) || !maySee(options, exchange, stream)) continue;
      const token = signToken(secrets, { purpose: 'picture', stream, expiresAtMs, session: '' });
      pictures.set(stream, `${reachableUrl(mediaUrl, exchange)}/thumb/${token}/${stream}.jpg`);
    }
  return pictures;
}

function maySee(
  { secrets, thumbnails, clock }: StreamsOptions,
  { query }: Exchange,
  stream: string,
): boolean {
  if (thumbnails === 'public') return true;
  const token = query.get('token');
  const wanted = { purpose: 'play', stream, nowMs: clock.now() } as const;
  return token !== null && verifyToken(secrets, token, wanted).kind === 'valid';
}

function viewersOf(snapshot: Snapshot, stream: string): number {
  const living = snapshot.servers.filter(({ beatAtMs }) => isAlive(beatAtMs, snapshot));
  const held = living.flatMap(({ holdings }) => holdings.filter((holding) => holding.stream === stream));
  return held.reduce((sum, { viewers }) => sum + viewers, 0);
}
