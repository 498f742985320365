// What an usher tells Prometheus of the cluster, by the snapshot that it places viewers by. Each usher tells all of it.

import type { Metrics } from '../network/metrics.ts';
import { isAlive } from '../network/state/liveness.ts';
import type { KnownServer, Snapshot } from '../network/state/state.ts';
import type { Scene } from './placement/scene/scene.ts';

export interface ClusterMetricsOptions {
  readonly metrics: Metrics;
  /** The newest; undefined before the first. */
  readonly scene: () => Scene | undefined;
  /** How old the snapshot is. */
  readonly ageS: () => number;
  /** Sessions that watch by a CDN now, by the CDN's name. */
  readonly cdnViewers: () => Readonly<Record<string, number>>;
  /** So many of the most watched streams have series of their own. */
  readonly topStreams: number;
}

const BYTES_PER_MEGABIT = 125_000;
const MICRO = 1e6;

export function describeCluster(options: ClusterMetricsOptions): void {
  describeServers(options);
  describeSites(options);
  describeStreams(options);
  describeCdns(options);
}

function describeServers({ metrics, scene, ageS }: ClusterMetricsOptions): void {
  metrics.gauge(
    'headwater_cluster_snapshot_age_seconds',
    'Age of the snapshot that viewers are placed by.',
    [],
    (gauge) => gauge.set(ageS()),
  );
  metrics.gauge(
    'headwater_cluster_servers',
    'Servers that the cluster knows: serving, draining, or lost (not heard of).',
    ['state'],
    (gauge) => {
      const { snapshot } = scene() ?? {};
      for (const state of ['serving', 'draining', 'lost'])
        gauge.set(
          { state },
          snapshot?.servers.filter((server) => stateOf(server, snapshot) === state).length ?? 0,
        );
    },
  );
}

function stateOf(server: KnownServer, snapshot: Snapshot): 'serving' | 'draining' | 'lost' {
  if (!isAlive(server.beatAtMs, snapshot)) return 'lost';
  return server.drain === null ? 'serving' : 'draining';
}

/** Sites are as many as there are datacenters. */
function describeSites({ metrics, scene }: ClusterMetricsOptions): void {
  const bySite = (what: string, help: string, value: (server: KnownServer) => number): void => {
    metrics.gauge(`headwater_cluster_${what}`, help, ['site'], (gauge) => {
      const { snapshot } = scene() ?? {};
      for (const server of snapshot?.servers ?? [])
        if (isAlive(server.beatAtMs, snapshot!)) gauge.inc({ site: server.site }, value(server));
    });
  };
  bySite('viewers', 'Viewers of live streams, by the site of their servers.', viewersOf);
  bySite(
    'egress_bytes_per_second',
    'What the servers of a site send.',
    ({ sentMbps }) => sentMbps * BYTES_PER_MEGABIT,
  );
  bySite(
    'egress_committed_bytes_per_second',
    'What the servers of a site are committed to send.',
    ({ committedMbps }) => committedMbps * BYTES_PER_MEGABIT,
  );
  bySite(
    'egress_capacity_bytes_per_second',
    'What the servers of a site that are not being emptied may send.',
    ({ egressMbps, drain }) => (drain === null ? egressMbps * BYTES_PER_MEGABIT : 0),
  );
}

function viewersOf({ holdings }: KnownServer): number {
  return holdings.reduce((sum, { viewers }) => sum + viewers, 0);
}

interface StreamTally {
  viewers: number;
  arrivalsPerS: number;
  readonly servers: Set<string>;
}

function describeStreams({ metrics, scene, topStreams }: ClusterMetricsOptions): void {
  metrics.gauge(
    'headwater_cluster_streams',
    'Streams: live, or waiting for their broadcasters to come back.',
    ['state'],
    (gauge) => {
      const streams = scene()?.snapshot.streams ?? [];
      const live = streams.filter((stream) => stream.live).length;
      gauge.set({ state: 'live' }, live);
      gauge.set({ state: 'waiting' }, streams.length - live);
    },
  );
  metrics.gauge(
    'headwater_cluster_copies',
    'Feeds that servers hold, all renditions and origins included.',
    [],
    (gauge) => {
      const { snapshot } = scene() ?? {};
      const alive = snapshot?.servers.filter((server) => isAlive(server.beatAtMs, snapshot)) ?? [];
      gauge.set(alive.reduce((sum, { holdings }) => sum + holdings.length, 0));
    },
  );
  const top = (what: string, help: string, value: (tally: StreamTally) => number): void => {
    metrics.gauge(`headwater_stream_${what}`, help, ['stream'], (gauge) => {
      for (const [stream, tally] of topOf(scene()?.snapshot, topStreams)) gauge.set({ stream }, value(tally));
    });
  };
  if (topStreams === 0) return;
  top('viewers', 'Viewers of each of the most watched streams.', ({ viewers }) => viewers);
  top('servers', 'Servers that have each of the most watched streams.', ({ servers }) => servers.size);
  top(
    'arrivals_per_second',
    'How fast viewers come to each of the most watched streams.',
    ({ arrivalsPerS }) => arrivalsPerS,
  );
}

function topOf(snapshot: Snapshot | undefined, count: number): (readonly [string, StreamTally])[] {
  const tallies = new Map<string, StreamTally>();
  for (const server of snapshot?.servers ?? []) {
    if (!isAlive(server.beatAtMs, snapshot!)) continue;
    for (const { stream, viewers, arrivalsPerS } of server.holdings) {
      const tally = tallies.getOrInsertComputed(stream, () => ({
        viewers: 0,
        arrivalsPerS: 0,
        servers: new Set(),
      }));
      tally.viewers += viewers;
      tally.arrivalsPerS += arrivalsPerS;
      tally.servers.add(server.id);
    }
  }
  return [...tallies].sort(([, one], [, other]) => other.viewers - one.viewers).slice(0, count);
}

/** CDNs are as many as the topology names. */
function describeCdns({ metrics, scene, cdnViewers }: ClusterMetricsOptions): void {
  metrics.gauge(
    'headwater_cdn_viewers',
    'Viewers whose players told this usher that they watch by a CDN.',
    ['cdn'],
    (gauge) => {
      const viewers = cdnViewers();
      for (const { cdn } of scene()?.cdns ?? []) gauge.set({ cdn: cdn.name }, viewers[cdn.name] ?? 0);
    },
  );
  metrics.gauge('headwater_cdn_spent_dollars', 'What was spent on a CDN this month.', ['cdn'], (gauge) => {
    const { snapshot, cdns = [] } = scene() ?? {};
    for (const { cdn } of cdns)
      gauge.set({ cdn: cdn.name }, (snapshot?.spentMicroUsd[cdn.name] ?? 0) / MICRO);
  });
  metrics.gauge('headwater_cdn_cap_dollars', 'What may be spent on a CDN in a month.', ['cdn'], (gauge) => {
    for (const { cdn } of scene()?.cdns ?? []) gauge.set({ cdn: cdn.name }, cdn.capMicroUsdPerMonth / MICRO);
  });
}
