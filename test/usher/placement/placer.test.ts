import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sleep } from '../../../network/clock.ts';
import { NO_TOPOLOGY, type Topology } from '../../../network/map/topology.ts';
import { readTopology } from '../../../network/map/topology-file.ts';
import { Metrics } from '../../../network/metrics.ts';
import type { LeaseAnswer, UsherReport } from '../../../network/state/lease.ts';
import { LEASE_MS } from '../../../network/state/liveness.ts';
import type { ClusterState, ServerRecord, Snapshot } from '../../../network/state/state.ts';
import { MemoryState } from '../../../network/state/state-memory.ts';
import { Placer } from '../../../usher/placement/placer.ts';
import { DEFAULT_POLICIES } from '../../../usher/placement/price/policy.ts';
import { PROMISE_MS } from '../../../usher/placement/promises/promises.ts';
import type { Decision } from '../../../usher/placement/request.ts';
import { holding, server, stream } from '../../tools/cluster/clusters.ts';
import { keepingLogger } from '../../tools/world/keeping-logger.ts';
import { SimulatedClock } from '../../tools/world/simulated-clock.ts';

const LIMIT_MBPS = 100;
const VIEWER_MBPS = 4;

/** A server that beats, and several ushers that send viewers to it, who arrive a little later. */
class Cluster {
  readonly clock = new SimulatedClock();
  readonly state: ClusterState = new MemoryState(this.clock);
  readonly logger = keepingLogger();
  /** Of the first usher. */
  readonly metrics = new Metrics();
  readonly placers: Placer[] = [];
  readonly came: string[] = [];
  isStateAway = false;
  /** How often somebody heard of one. */
  crowds = 0;
  isComing = true;
  /** And a report takes as long to reach it. */
  answersAfterMs = 0;
  /** The most that was used and promised at any time. */
  mostMbps = 0;
  /** Who is there, or may still come. */
  readonly #sent = new Set<string>();
  #viewers = 0;
  #seen: Snapshot | undefined;
  #arrived: string[] = [];
  readonly #topology: Topology;

  constructor(ushers: number, topology = NO_TOPOLOGY) {
    this.#topology = topology;
    this.clock.every(1_000, () => void this.#beat());
    for (let at = 0; at < ushers; at++) this.placers.push(this.#placer(at));
  }

  /** Until the state and the ushers know all of each other. */
  async start(): Promise<void> {
    await this.#beat();
    for (let at = 0; at < 50; at++) await this.pass(100);
  }

  /** Nobody reaches the state for a while: after that it does not know for LEASE_MS what ushers hold. */
  async loseState(): Promise<void> {
    await this.start();
    this.isStateAway = true;
    for (let at = 0; at < 50; at++) await this.pass(100);
    this.isStateAway = false;
    for (let at = 0; at < 10; at++) await this.pass(100);
  }

  async pass(ms: number): Promise<void> {
    await this.clock.pass(ms);
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** The next viewers, who ask ushers in turn, `everyMs` after one another; 0: all at one instant. */
  async place(count: number, everyMs: number, placers = this.placers): Promise<Decision[]> {
    const decisions: Decision[] = [];
    for (let at = 0; at < count; at++) {
      void this.#ask(placers[at % placers.length]!).then((decision) => decisions.push(decision));
      if (everyMs > 0) await this.pass(everyMs);
    }
    while (decisions.length < count) await this.pass(50);
    for (let at = 0; at < 5; at++) await this.pass(50);
    return decisions;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const placer of this.placers) await placer[Symbol.asyncDispose]();
  }

  async #ask(placer: Placer): Promise<Decision> {
    const session = `viewer-${this.#viewers++}`;
    const request = {
      stream: 'alice',
      viewer: session,
      whence: {},
      allowCdn: this.#topology.cdns.length > 0,
    };
    const decision = await placer.place(request, session);
    if (decision.kind === 'serve') this.#send(session);
    return decision;
  }

  /** The last one while the state is away. */
  async #snapshot(): Promise<Snapshot> {
    if (!this.#seen || !this.isStateAway) this.#seen = await this.state.snapshot();
    return this.#seen;
  }

  async #lease(report: UsherReport): Promise<LeaseAnswer> {
    const { clock, answersAfterMs } = this;
    if (answersAfterMs > 0) await sleep(clock, answersAfterMs);
    const answer = await this.state.lease(report);
    if (answersAfterMs > 0) await sleep(clock, answersAfterMs);
    return answer;
  }

  #send(session: string): void {
    this.#sent.add(session);
    this.mostMbps = Math.max(this.mostMbps, this.#sent.size * VIEWER_MBPS);
    if (this.isComing) this.clock.after(150, () => this.#arrive(session));
    else this.clock.after(PROMISE_MS, () => this.#sent.delete(session));
  }

  #arrive(session: string): void {
    this.came.push(session);
    this.#arrived.push(session);
  }

  async #beat(): Promise<void> {
    if (this.isStateAway) return;
    const record: ServerRecord = {
      ...server('a', { roles: ['origin', 'edge'], egressMbps: LIMIT_MBPS, holdings: [holding('alice', 1)] }),
      committedMbps: this.came.length * VIEWER_MBPS,
      arrived: this.#arrived,
    };
    this.#arrived = [];
    await this.state.beat(record, [stream('alice', 'a')]);
  }

  #placer(at: number): Placer {
    const away = async (): Promise<never> => {
      throw new Error('away');
    };
    return new Placer({
      state: {
        snapshot: () => this.#snapshot(),
        lease: (report) => (this.isStateAway ? away() : this.#lease(report)),
      },
      clock: this.clock,
      logger: this.logger,
      metrics: at === 0 ? this.metrics : new Metrics(),
      usherId: `u${at}`,
      topology: () => this.#topology,
      policies: () => DEFAULT_POLICIES,
      spent: () => ({}),
      onCrowd: () => {
        this.crowds += 1;
      },
    });
  }
}

function served(decisions: readonly Decision[]): number {
  return decisions.filter(({ kind }) => kind === 'serve').length;
}

describe.each([1, 2, 4])('%i ushers', (ushers) => {
  let cluster: Cluster;
  beforeEach(async () => {
    cluster = new Cluster(ushers);
    await cluster.start();
  });
  afterEach(() => cluster[Symbol.asyncDispose]());

  test.each([
    ['one after another', 100],
    ['in a rush', 1],
    ['at one instant', 0],
  ])(
    'fill a server to its limit with viewers who come %s, and promise no megabit twice',
    async (_, everyMs) => {
      expect(served(await cluster.place(40, everyMs))).toBe(LIMIT_MBPS / VIEWER_MBPS);
      expect(cluster.mostMbps).toBe(LIMIT_MBPS);
      expect(cluster.came).toHaveLength(25);
    },
  );

  test('promise again what nobody came for', async () => {
    cluster.isComing = false;
    expect(served(await cluster.place(30, 20))).toBe(25);
    cluster.isComing = true;
    for (let at = 0; at < 120; at++) await cluster.pass(100);
    expect(served(await cluster.place(30, 20))).toBe(25);
    expect(cluster.mostMbps).toBe(LIMIT_MBPS);
  });
});

test.each([2, 3])(
  'at one instant %i ushers fill a server exactly, however long the state takes to answer',
  async (ushers) => {
    await using cluster = new Cluster(ushers);
    await cluster.start();
    cluster.answersAfterMs = 5;
    const decisions = await cluster.place(LIMIT_MBPS / VIEWER_MBPS, 0);
    expect(decisions.filter(({ kind }) => kind !== 'serve')).toEqual([]);
    expect(cluster.mostMbps).toBe(LIMIT_MBPS);
    cluster.answersAfterMs = 0;
    // Until what is on its way has been answered.
    await cluster.pass(50);
  },
);

test('what an usher had leased returns when it is gone, and until then nobody else has it', async () => {
  await using cluster = new Cluster(2);
  await cluster.start();
  const [lost, other] = cluster.placers as [Placer, Placer];
  cluster.isComing = false;
  expect(served(await cluster.place(20, 10, [lost]))).toBe(20);
  await lost[Symbol.asyncDispose]();
  expect(served(await cluster.place(10, 10, [other]))).toBe(5);
  for (let passedMs = 0; passedMs < LEASE_MS; passedMs += 100) await cluster.pass(100);
  expect(served(await cluster.place(25, 10, [other]))).toBe(20);
});

test('while the state is away two ushers promise half of what was free each', async () => {
  await using cluster = new Cluster(2);
  await cluster.start();
  cluster.isStateAway = true;
  for (let at = 0; at < 5; at++) await cluster.pass(100);
  cluster.isComing = false;
  expect(served(await cluster.place(20, 10, [cluster.placers[0]!]))).toBe(12);
  expect(served(await cluster.place(40, 10))).toBe(12);
  const said = cluster.logger.lines.map(({ message }) => message);
  expect(said.filter((msg) => msg === 'an equal part of what is free is handed out')).toHaveLength(2);
});

const WITH_CDN = readTopology(`
sites: { fra1: { uplinks: { transit: { kind: transit, capacityMbps: 10000, pricePerMbpsMonth: 1 } } } }
cdns:
  overflow: { urlTemplate: 'https://cdn.example{path}', pricePerGb: 0.01, capPerMonth: 100 }
`);

test('as long as a state that was lost lends nothing, servers that are free serve, and no CDN', async () => {
  await using cluster = new Cluster(1, WITH_CDN);
  await cluster.loseState();
  const ways = (await cluster.place(20, 100)).map((decision) =>
    decision.kind === 'serve' ? decision.choices[0]!.kind : decision.kind,
  );
  expect(ways).toEqual(Array(20).fill('server'));
});

test('who comes while servers may not have been heard yet waits for them, and is not turned away', async () => {
  await using cluster = new Cluster(1);
  const origin = server('o', { roles: ['origin'], holdings: [holding('bob', 0)] });
  await cluster.state.beat(origin, [stream('bob', 'o')]);
  const request = { stream: 'bob', viewer: 'viewer', whence: {}, allowCdn: false };
  const decided = cluster.placers[0]!.place(request, 'viewer');
  await cluster.pass(400);
  await cluster.state.beat(server('b', { roles: ['edge'] }), []);
  for (let at = 0; at < 10; at++) await cluster.pass(100);
  expect(await decided).toMatchObject({ kind: 'serve', choices: [{ server: { id: 'b' } }] });
});

test('who was sent where is counted, and what is over its limit', async () => {
  await using cluster = new Cluster(1);
  await cluster.start();
  await cluster.place(30, 20);
  const text = await cluster.metrics.text();
  expect(text).toContain('headwater_placements_total{result="server",reason=""} 25\n');
  expect(text).toContain('headwater_placements_total{result="full",reason="no_room"} 5\n');
  expect(text).toContain('headwater_over_limit{kind="server"} 0\n');
});

test('a crowd is told of at once, once for each time that it is twice what was known of it', async () => {
  await using cluster = new Cluster(1);
  await cluster.start();
  await cluster.place(9, 0);
  expect(cluster.crowds).toBe(0);
  await cluster.pass(2_000);
  await cluster.place(20, 0);
  expect(cluster.crowds).toBe(1);
});

test('the planner is told who comes for what, by the site that would serve them', async () => {
  await using cluster = new Cluster(1);
  await cluster.start();
  await cluster.place(20, 100);
  const [usher] = (await cluster.state.snapshot()).ushers;
  expect(usher!.demand['alice']!['fra1']).toBeGreaterThan(5);
  expect(usher!.demand['alice']!['fra1']).toBeLessThan(15);
});
