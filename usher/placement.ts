// Placement: which server a viewer is sent to. A pure function of the snapshot and the request.

import { isAlive } from '../network/state/liveness.ts';
import type { KnownServer, ServerRecord, Snapshot, StreamRecord } from '../network/state/state.ts';
import { rendezvous } from './rendezvous.ts';

export type Decision =
  | { readonly kind: 'serve'; readonly server: ServerRecord; readonly stream: StreamRecord }
  | { readonly kind: 'unknown' };

export interface PlacementRequest {
  readonly stream: string;
  /** The viewer's session or address: who asks again comes to the same of several servers that are equal. */
  readonly viewer: string;
}

/** Servers are equal whose free egress is in the same tenth of their capacity: beats are too old to say more. */
const STEPS = 10;

/**
 * The freest of the servers that are to hold the stream, those first that do. Nobody holds it but an origin that serves no
 * viewers: the freest edge, which will follow it, and the origin itself where there is none.
 */
export function place(snapshot: Snapshot, request: PlacementRequest): Decision {
  const stream = snapshot.streams.find(({ name }) => name === request.stream);
  if (!stream) return { kind: 'unknown' };
  const living = snapshot.servers.filter(({ beatAtMs }) => isAlive(beatAtMs, snapshot));
  const edges = living.filter(({ roles, drain }) => roles.includes('edge') && !drain);
  const origin = living.find(({ id }) => id === stream.origin);
  const planned = edges.filter((server) => server === origin || isPlanned(snapshot, server, stream.name));
  const ready = planned.filter((server) => holds(server, stream.name) && freeSteps(server) > 0);
  const server =
    freest(ready, request.viewer) ??
    freest(planned, request.viewer) ??
    (origin && (freest(edges, request.viewer) ?? origin));
  return server ? { kind: 'serve', server, stream } : { kind: 'unknown' };
}

function isPlanned({ plan }: Snapshot, { id }: KnownServer, stream: string): boolean {
  return Object.hasOwn(plan, id) && plan[id]!.follows.some((follow) => follow.stream === stream);
}

function holds({ holdings }: KnownServer, name: string): boolean {
  return holdings.some(({ stream }) => stream === name);
}

function freest(servers: readonly KnownServer[], viewer: string): KnownServer | undefined {
  const steps = servers.map(freeSteps);
  const most = Math.max(...steps);
  const equals = servers.filter((_, at) => steps[at] === most);
  const ranks = new Map(equals.map((server) => [server, rendezvous(viewer, server.id)]));
  return equals.reduce<KnownServer | undefined>(
    (best, server) => (best && ranks.get(best)! >= ranks.get(server)! ? best : server),
    undefined,
  );
}

function freeSteps({ egressMbps, sentMbps }: KnownServer): number {
  return egressMbps > 0 ? Math.floor((1 - sentMbps / egressMbps) * STEPS) : Number.NEGATIVE_INFINITY;
}
