import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isAlive } from '../../../network/state/liveness.ts';
import type { KnownServer, Snapshot } from '../../../network/state/state.ts';
import { place } from '../../../usher/placement/place.ts';
import { bookingOf } from '../../../usher/placement/promises/booking.ts';
import type { Decision, PlaceRequest, ServerChoice } from '../../../usher/placement/request.ts';
import { Kept } from '../../../usher/placement/scene/kept.ts';
import { roomMbps } from '../../../usher/placement/scene/loads.ts';
import { type Scene, sceneOf } from '../../../usher/placement/scene/scene.ts';
import { type RandomCluster, randomCluster } from '../../tools/cluster/random-clusters.ts';

const RUNS = { numRuns: 300 };

/** Places one viewer after another, each with what those before were promised. */
function placeAll({ requests }: RandomCluster, scene: Scene): Decision[] {
  return requests.map((request) => {
    const decision = place(scene, request);
    const [first] = serversIn(decision);
    const booking = first && isFirst(decision, first) ? bookingOf(scene, request.stream, first) : undefined;
    if (booking) scene.promised.book(request.viewer, booking, scene.snapshot.nowMs);
    return decision;
  });
}

function serversIn(decision: Decision): ServerChoice[] {
  return decision.kind === 'serve' ? decision.choices.filter((choice) => choice.kind === 'server') : [];
}

function isFirst(decision: Decision, choice: ServerChoice): boolean {
  return decision.kind === 'serve' && decision.choices[0] === choice;
}

const isOpen = (of: Snapshot, each: KnownServer): boolean =>
  isAlive(each.beatAtMs, of) && !each.drain && each.roles.includes('edge');

describe('in any cluster', () => {
  test('nothing is promised over a limit: not of a server, a host, an uplink or a link', () => {
    fc.assert(
      fc.property(randomCluster({ cdn: false }), (cluster) => {
        const scene = sceneOf(cluster.snapshot, { topology: cluster.topology });
        const before = new Map([...scene.loads].map(([resource, load]) => [resource, roomMbps(load)]));
        placeAll(cluster, scene);
        for (const [resource, load] of scene.loads)
          expect(roomMbps(load), resource).toBeGreaterThanOrEqual(Math.min(before.get(resource)!, -1e-6));
      }),
      RUNS,
    );
  });

  test('no viewer is sent to a server that is dead, emptied, no edge or avoided, nor twice to one', () => {
    fc.assert(
      fc.property(randomCluster({ cdn: true }), (cluster) => {
        const decisions = placeAll(cluster, sceneOf(cluster.snapshot, { topology: cluster.topology }));
        for (const [at, decision] of decisions.entries()) {
          const servers = serversIn(decision).map(({ server }) => server);
          for (const server of servers) {
            expect(isOpen(cluster.snapshot, server)).toBe(true);
            expect(cluster.requests[at]!.avoid).not.toContain(server.id);
          }
          expect(new Set(servers).size).toBe(servers.length);
        }
      }),
      RUNS,
    );
  });

  test('the same snapshot and requests give the same decisions, read at once or one change after another', () => {
    fc.assert(
      fc.property(randomCluster({ cdn: true }), randomCluster({ cdn: true }), (cluster, other) => {
        const { topology } = cluster;
        const kept = new Kept();
        sceneOf(other.snapshot, { topology, kept });
        const carried = placeAll(cluster, sceneOf(cluster.snapshot, { topology, kept }));
        expect(carried).toEqual(placeAll(cluster, sceneOf(cluster.snapshot, { topology })));
      }),
      RUNS,
    );
  });

  test('without a server that has no part in it a decision holds as it was', () => {
    fc.assert(
      fc.property(randomCluster({ cdn: false }), fc.nat(7), (cluster, at) => {
        const [request] = cluster.requests as [PlaceRequest];
        const { snapshot, topology } = cluster;
        const decision = place(sceneOf(snapshot, { topology }), request);
        const parts = serversIn(decision).flatMap(({ server, copyFrom }) => [server.id, copyFrom]);
        const gone = snapshot.servers[at % snapshot.servers.length]!;
        if (parts.includes(gone.id)) return;
        const closed = snapshot.servers.map((each) => (each === gone ? { ...each, roles: [] } : each));
        const after = place(sceneOf({ ...snapshot, servers: closed }, { topology }), request);
        expect(serversIn(after)[0]?.server.id).toBe(serversIn(decision)[0]?.server.id);
        const others = snapshot.servers.filter((each) => each !== gone);
        const without = place(sceneOf({ ...snapshot, servers: others }, { topology }), request);
        if (decision.kind === 'serve') expect(without.kind).toBe('serve');
      }),
      RUNS,
    );
  });

  test('nobody is refused whom any server has room for', () => {
    fc.assert(
      fc.property(randomCluster({ cdn: false }), (cluster) => {
        const scene = sceneOf(cluster.snapshot, { topology: cluster.topology });
        for (const request of cluster.requests) {
          const decision = place(scene, request);
          const couldServe = scene.snapshot.servers.filter((server) => couldTake(scene, server, request));
          expect(decision.kind).toBe(couldServe.length > 0 ? 'serve' : 'full');
          const [first] = serversIn(decision);
          const booking = first && bookingOf(scene, request.stream, first);
          if (booking) scene.promised.book(request.viewer, booking, scene.snapshot.nowMs);
        }
      }),
      RUNS,
    );
  });

  test('a CDN is the last resort, and serves only whom it may', () => {
    fc.assert(
      fc.property(randomCluster({ cdn: true }), (cluster) => {
        const scene = sceneOf(cluster.snapshot, { topology: cluster.topology });
        for (const [at, decision] of placeAll(cluster, scene).entries()) {
          if (decision.kind !== 'serve') continue;
          const cdns = decision.choices.filter((choice) => choice.kind === 'cdn');
          if (cdns.length === 0) continue;
          expect(cluster.requests[at]!.whence.country).toBe('DE');
          expect(cluster.snapshot.spentMicroUsd['cdn']).toBe(0);
          expect(cdns[0]!.shields.every((shield) => isOpen(cluster.snapshot, shield))).toBe(true);
          if (cluster.requests[at]!.policy !== 'cheapest') expect(decision.choices.at(-1)).toBe(cdns[0]);
        }
      }),
      RUNS,
    );
  });
});

/** Told apart from placement: whether a server has room for the lowest rendition, and the stream or a way to get it. */
function couldTake(scene: Scene, server: KnownServer, request: PlaceRequest): boolean {
  const { snapshot, promised } = scene;
  const stream = snapshot.streams.find(({ name }) => name === request.stream)!;
  const rates = stream.renditions.map(({ averageBps }) => averageBps / 1e6);
  const copyMbps = rates.reduce((sum, mbps) => sum + mbps, 0);
  const mbps = Math.min(...rates);
  const has = (resource: string, needMbps: number): boolean => {
    const load = scene.loads.get(resource);
    return !load || load.limitMbps - load.usedMbps - load.booked.mbps >= needMbps - 1e-6;
  };
  const canSend = ({ id, site, host }: KnownServer, needMbps: number): boolean =>
    has(`server/${id}`, needMbps) && has(`host/${site}/${host}`, needMbps);
  const holds = (each: KnownServer): boolean =>
    each.id === stream.origin || each.holdings.some((held) => held.stream === stream.name);
  const isToHold = ({ id }: KnownServer): boolean =>
    promised.isComing(stream.name, id) ||
    snapshot.plan[id]!.follows.some((follow) => follow.stream === stream.name);
  const canGet = snapshot.servers.some((parent) => {
    const isLinked =
      parent.site === server.site ||
      (scene.loads.has(linkOf(parent, server)) && has(linkOf(parent, server), copyMbps));
    const mayFeed = isAlive(parent.beatAtMs, snapshot) && (!parent.drain || parent.id === stream.origin);
    const isOneHost = parent.site === server.site && parent.host === server.host;
    const hostMbps = isOneHost ? copyMbps + mbps : copyMbps;
    const canPass =
      has(`server/${parent.id}`, copyMbps) && has(`host/${parent.site}/${parent.host}`, hostMbps);
    return mayFeed && holds(parent) && canPass && isLinked;
  });
  const uplinks = request.whence.asn === 64_500 ? ['ix'] : ['transit'];
  return (
    isOpen(snapshot, server) &&
    !request.avoid!.includes(server.id) &&
    canSend(server, mbps) &&
    uplinks.some((uplink) => has(`uplink/${server.site}/${uplink}`, mbps)) &&
    (holds(server) || isToHold(server) || canGet)
  );
}

function linkOf(one: KnownServer, other: KnownServer): string {
  return `link/${[one.site, other.site].sort().join('/')}`;
}
