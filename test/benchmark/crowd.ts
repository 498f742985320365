// A crowd at real servers: copies grow ahead of it, what does not fit goes to a CDN and comes back, and no card is overfilled.

import { writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive } from '../../network/state/liveness.ts';
import { STREAM, TestCluster, until } from '../tools/cluster/test-cluster.ts';
import { Broadcaster } from '../tools/rtmp/broadcaster.ts';
import { HlsSession } from '../tools/viewers/hls-session.ts';
import { freePort } from '../tools/world/free-port.ts';
import { NginxCdn } from '../tools/world/nginx-cdn.ts';
import { PortCounters } from '../tools/world/port-counters.ts';
import { type Report, table } from './report.ts';
import type { BenchmarkOptions } from './run.ts';

const EDGES = 19;
const EGRESS_MBPS = 50;
const JOIN_S = 10;
const STAY_S = 15;
/** The share of the crowd that leaves then, over as long as it came. */
const LEAVING = 0.7;
const RETURN_S = 30;
const ASK_MS = 5_000;
const USHER = 'u1';

interface Second {
  readonly s: number;
  readonly own: number;
  readonly cdn: number;
  readonly refused: number;
  readonly copies: number;
  /** Of what servers have committed themselves to, and of what the kernel sent, the fullest server's share. */
  readonly committed: number;
  readonly sent: number;
}

/** `viewers` join within 10 s. With 19 edges of 50 Mbps and a stream of 0.4, some 2,000 fit: give more to see the CDN. */
export async function benchmarkCrowd(options: Pick<BenchmarkOptions, 'viewers'>): Promise<Report> {
  const viewers = Math.max(...options.viewers);
  await using stack = new AsyncDisposableStack();
  const cdnPort = await freePort();
  const cluster = stack.use(await startCluster(cdnPort));
  const shields = Object.fromEntries(cluster.serverIds.map((id) => [id, cluster.server(id).mediaUrl]));
  stack.use(await NginxCdn.start(cdnPort, shields));
  stack.use(new Broadcaster(cluster.publishUrl('o1'), { size: '320x180', videoKbps: 300 }));
  await until(
    () => 'the stream is known',
    async () => (await cluster.snapshot()).streams.some(({ renditions }) => renditions.length > 0),
  );
  const ports = new Map(cluster.serverIds.map((id) => [Number(new URL(shields[id]!).port), id]));
  const counters = stack.use(await PortCounters.start([...ports.keys()]));
  const watch = new Watch(cluster, counters);
  const everybody = await joinAll(cluster, viewers, watch);
  const sessions = [...everybody];
  await watch.seconds(STAY_S, sessions);
  await leave(sessions, Math.floor(viewers * LEAVING), watch);
  await watch.seconds(RETURN_S, sessions);
  const report = reportOf(watch.log, everybody);
  await Promise.all(sessions.map((session) => session.leave()));
  return report;
}

async function startCluster(cdnPort: number): Promise<TestCluster> {
  const ids = Array.from({ length: EDGES }, (_, at) => `e${at + 1}`);
  const edge = (at: number) => ({
    site: at % 2 === 0 ? 'ams' : 'iad',
    roles: ['edge'] as const,
    egressMbps: EGRESS_MBPS,
  });
  const servers = {
    o1: { site: 'ams', roles: ['origin', 'edge'] as const, egressMbps: EGRESS_MBPS },
    ...Object.fromEntries(ids.map((id, at) => [id, edge(at)])),
  };
  const topology = join(await mkdtemp(join(tmpdir(), 'headwater-crowd-')), 'topology.yaml');
  writeFileSync(topology, topologyText(cdnPort));
  return TestCluster.start({ servers, ushers: [USHER], usherConfig: { map: { topology } } });
}

function topologyText(cdnPort: number): string {
  const transit = { kind: 'transit', capacityMbps: 10_000, pricePerMbpsMonth: 0.3 };
  const site = { position: { latitude: 52.3, longitude: 4.8 }, uplinks: { transit } };
  const overflow = {
    urlTemplate: `http://127.0.0.1:${cdnPort}/{shield}{path}`,
    pricePerGb: 0.01,
    capPerMonth: 1_000,
    shields: 2,
  };
  const links = [{ sites: ['ams', 'iad'], capacityMbps: 1_000, pricePerGb: 0.005, rttMs: 80 }];
  return JSON.stringify({ sites: { ams: site, iad: site }, links, cdns: { overflow } });
}

/** Evenly over JOIN_S. */
async function joinAll(cluster: TestCluster, viewers: number, watch: Watch): Promise<HlsSession[]> {
  const sessions: HlsSession[] = [];
  const usherUrl = cluster.usher(USHER).url;
  for (let second = 0; second < JOIN_S; second++) {
    const joins = (async () => {
      const perStep = viewers / JOIN_S / 20;
      for (let step = 1; step <= 20; step++) {
        while (sessions.length < (second * viewers) / JOIN_S + step * perStep && sessions.length < viewers)
          sessions.push(new HlsSession({ usherUrl, stream: STREAM, askEveryMs: ASK_MS }));
        await delay(45);
      }
    })();
    await Promise.all([joins, watch.second(sessions)]);
  }
  await until(
    () => 'everybody has come or was refused',
    () => sessions.every(({ place }) => place !== 'joining'),
  );
  return sessions;
}

async function leave(sessions: HlsSession[], count: number, watch: Watch): Promise<void> {
  for (let second = 0; second < JOIN_S; second++) {
    const leaving = sessions.splice(0, Math.ceil(count / JOIN_S));
    await Promise.all([...leaving.map((session) => session.leave()), watch.second(sessions)]);
  }
}

/** Looks once a second. */
class Watch {
  readonly log: Second[] = [];
  readonly #cluster: TestCluster;
  readonly #counters: PortCounters;
  #bytes: ReadonlyMap<number, number> = new Map();
  #atMs = performance.now();

  constructor(cluster: TestCluster, counters: PortCounters) {
    this.#cluster = cluster;
    this.#counters = counters;
  }

  async seconds(count: number, sessions: readonly HlsSession[]): Promise<void> {
    for (let second = 0; second < count; second++) await this.second(sessions);
  }

  async second(sessions: readonly HlsSession[]): Promise<void> {
    await delay(1_000);
    const [snapshot, bytes] = await Promise.all([this.#cluster.snapshot(), this.#counters.read()]);
    const elapsedS = (performance.now() - this.#atMs) / 1000;
    const rates = [...bytes].map(
      ([port, sum]) => ((sum - (this.#bytes.get(port) ?? 0)) * 8) / 1e6 / elapsedS,
    );
    this.#bytes = bytes;
    this.#atMs = performance.now();
    const living = snapshot.servers.filter(({ beatAtMs }) => isAlive(beatAtMs, snapshot));
    const places = sessions.map(({ place }) => (typeof place === 'object' ? place.pathway : place));
    const cdn = places.filter((place) => place.startsWith('cdn-')).length;
    const refused = places.filter((place) => place === 'refused' || place === 'failed').length;
    this.log.push({
      s: this.log.length + 1,
      own: places.length - cdn - refused - places.filter((place) => place === 'joining').length,
      cdn,
      refused,
      copies: living.filter(({ holdings }) => holdings.some(({ stream }) => stream === STREAM)).length,
      committed: Math.max(...living.map(({ committedMbps, egressMbps }) => committedMbps / egressMbps)),
      sent: Math.max(...rates) / EGRESS_MBPS,
    });
  }
}

function reportOf(log: readonly Second[], sessions: readonly HlsSession[]): Report {
  const share = (part: number): string => `${(part * 100).toFixed(0)} %`;
  const rows = log.map(({ s, own, cdn, refused, copies, committed, sent }) => [
    ...[s, own, cdn, refused, copies].map(String),
    share(committed),
    share(sent),
  ]);
  const head = ['s', 'own servers', 'CDN', 'refused', 'copies', 'fullest, committed', 'fullest, sent'];
  const moves = sessions.reduce((sum, session) => sum + session.moves, 0);
  const failures = sessions.flatMap((session) => session.failures);
  const told = Map.groupBy(failures, (words) => words.replaceAll(/\d{4,}/g, 'N').slice(0, 160));
  const words = [...told].map(([what, each]) => `${each.length} x ${what}`);
  const text = `${table(head, rows)}\nViewers moved ${moves} times in all. ${words.join('\n')}\n`;
  return { data: { log, moves, failures: words }, text };
}
