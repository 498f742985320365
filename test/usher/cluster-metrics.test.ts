import { expect, test } from 'vitest';
import { NO_TOPOLOGY } from '../../network/map/topology.ts';
import { Metrics } from '../../network/metrics.ts';
import { describeCluster } from '../../usher/cluster-metrics.ts';
import { sceneOf } from '../../usher/placement/scene/scene.ts';
import { DRAIN, holding, NOW_MS, server, snapshot, stream } from '../tools/cluster/clusters.ts';

const cdn = {
  name: 'overflow',
  urlTemplate: 'https://cdn.example{path}',
  microUsdPerGb: 8_000,
  capMicroUsdPerMonth: 50_000_000,
  shields: 1,
};
const cluster = {
  ...snapshot(
    [
      server('a', { site: 'ams', holdings: [holding('alice', 5), holding('bob', 1)], sentMbps: 80 }),
      server('b', { site: 'ams', holdings: [holding('alice', 3)], drain: DRAIN }),
      server('c', { site: 'fra', holdings: [holding('alice', 100)], beatAtMs: NOW_MS - 60_000 }),
    ],
    [stream('alice', 'a'), stream('bob', 'a', { live: false })],
  ),
  spentMicroUsd: { overflow: 12_500_000 },
};

async function told(topStreams: number): Promise<string[]> {
  const metrics = new Metrics();
  const scene = sceneOf(cluster, { topology: { ...NO_TOPOLOGY, cdns: [cdn] } });
  const cdnViewers = () => ({ overflow: 7 });
  describeCluster({ metrics, scene: () => scene, ageS: () => 0.2, cdnViewers, topStreams });
  return (await metrics.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

test('who serves, is emptied or lost, and what the living of each site send and may send', async () => {
  expect(await told(0)).toEqual([
    'headwater_cluster_snapshot_age_seconds 0.2',
    'headwater_cluster_servers{state="serving"} 1',
    'headwater_cluster_servers{state="draining"} 1',
    'headwater_cluster_servers{state="lost"} 1',
    'headwater_cluster_viewers{site="ams"} 9',
    'headwater_cluster_egress_bytes_per_second{site="ams"} 10000000',
    'headwater_cluster_egress_committed_bytes_per_second{site="ams"} 0',
    'headwater_cluster_egress_capacity_bytes_per_second{site="ams"} 125000000',
    'headwater_cluster_streams{state="live"} 1',
    'headwater_cluster_streams{state="waiting"} 1',
    'headwater_cluster_copies 3',
    'headwater_cdn_viewers{cdn="overflow"} 7',
    'headwater_cdn_spent_dollars{cdn="overflow"} 12.5',
    'headwater_cdn_cap_dollars{cdn="overflow"} 50',
  ]);
});

test('streams have series of their own only as many as are wished, the most watched first', async () => {
  const lines = await told(1);
  expect(lines.filter((line) => line.includes('stream='))).toEqual([
    'headwater_stream_viewers{stream="alice"} 8',
    'headwater_stream_servers{stream="alice"} 2',
    'headwater_stream_arrivals_per_second{stream="alice"} 0',
  ]);
});
