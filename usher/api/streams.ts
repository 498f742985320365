// Which streams there are, and what is known of each.

import { type Exchange, type Route, sendJson, sendProblem } from '../../network/http.ts';
import { isAlive } from '../../network/state/liveness.ts';
import type { ClusterState, Snapshot, StreamRecord } from '../../network/state/state.ts';

type State = Pick<ClusterState, 'snapshot'>;

export function streamRoutes(state: State): Route[] {
  return [
    {
      kind: 'streams',
      method: 'GET',
      pattern: /^\/api\/streams$/,
      handle: (exchange) => sendStreams(state, exchange),
    },
    {
      kind: 'stream',
      method: 'GET',
      pattern: /^\/api\/streams\/(?<stream>[^/]+)$/,
      handle: (exchange) => sendStream(state, exchange),
    },
  ];
}

async function sendStreams(state: State, exchange: Exchange): Promise<void> {
  const snapshot = await state.snapshot();
  sendJson(exchange, { streams: snapshot.streams.map((stream) => describe(snapshot, stream)) });
}

async function sendStream(state: State, exchange: Exchange): Promise<void> {
  const snapshot = await state.snapshot();
  const name = exchange.params['stream']!;
  const stream = snapshot.streams.find((known) => known.name === name);
  if (stream) sendJson(exchange, describe(snapshot, stream));
  else sendProblem(exchange, 404, 'Not Found', `no stream '${name}' is live`);
}

function describe(snapshot: Snapshot, stream: StreamRecord) {
  return {
    name: stream.name,
    live: stream.live,
    startedAt: new Date(stream.startedAtMs).toISOString(),
    viewers: viewersOf(snapshot, stream.name),
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

function viewersOf(snapshot: Snapshot, stream: string): number {
  const living = snapshot.servers.filter(({ beatAtMs }) => isAlive(beatAtMs, snapshot));
  const held = living.flatMap(({ holdings }) => holdings.filter((holding) => holding.stream === stream));
  return held.reduce((sum, { viewers }) => sum + viewers, 0);
}
