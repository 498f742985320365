import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../../network/clock.ts';
import { CodedError } from '../../../network/errors.ts';
import type { LeaseAnswer, UsherReport } from '../../../network/state/lease.ts';
import { GRANT_MS, Lessee } from '../../../network/state/lessee.ts';
import { BEAT_MS, LEASE_MS } from '../../../network/state/liveness.ts';
import { RedisState } from '../../../network/state/redis/state-redis.ts';
import { MemoryState } from '../../../network/state/state-memory.ts';
import { RedisServer } from '../../tools/cluster/redis-server.ts';
import { keepingLogger } from '../../tools/world/keeping-logger.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';

const A = 'server/a';
const RUNS = 60;
const STEPS = 300;
const LIMIT_MBPS = 50;

function sight(clock: ManualClock, usedMbps: number, spareMbps: number, promisedMbps = 0) {
  const wants = { [A]: { limitMbps: 100, usedMbps, promisedMbps, spareMbps } };
  return { asOfMs: clock.now(), wants, demand: {} };
}

describe('a lessee', () => {
  function start() {
    const clock = new ManualClock();
    const state = new MemoryState(clock);
    const open = (id: string, lease = (report: UsherReport) => state.lease(report)) =>
      new Lessee({ state: { lease }, clock, id });
    return { clock, state, open };
  }

  test('may hand out what it was granted, for GRANT_MS after it asked', async () => {
    const { clock, open } = start();
    const one = open('one');
    expect(one.grantedMbps(A)).toBe(0);
    await one.report(sight(clock, 40, 30));
    expect(one.grantedMbps(A)).toBe(30);
    clock.advance(GRANT_MS - 1);
    expect(one.grantedMbps(A)).toBe(30);
    clock.advance(1);
    expect(one.grantedMbps(A)).toBe(0);
  });

  test('has given away what was handed out and is seen as used', async () => {
    const { clock, open } = start();
    const [one, two] = [open('one'), open('two')];
    await one.report(sight(clock, 0, 30));
    one.arrive(A, 12);
    expect(one.grantedMbps(A)).toBe(18);
    await one.report(sight(clock, 12, 30));
    expect(one.grantedMbps(A)).toBe(30);
    await two.report(sight(clock, 12, 100));
    expect(two.grantedMbps(A)).toBe(58);
  });

  test('goes by less than it asked for as soon as it asks, and by what arrived meanwhile', async () => {
    const { clock, state, open } = start();
    const answers: ((answer: LeaseAnswer) => void)[] = [];
    const one = open('one', () => new Promise((resolve) => answers.push(resolve)));
    const month = { startMs: 0, spentMicroUsd: {} };
    const first = one.report(sight(clock, 0, 30));
    answers.shift()!({ granted: { [A]: 30 }, month, unsettledMs: 0 });
    await first;
    const second = one.report(sight(clock, 0, 20));
    expect(one.grantedMbps(A)).toBe(20);
    one.arrive(A, 5);
    expect(one.grantedMbps(A)).toBe(15);
    answers.shift()!({ granted: { [A]: 20 }, month, unsettledMs: 0 });
    await second;
    expect(one.grantedMbps(A)).toBe(15);
    await state[Symbol.asyncDispose]();
  });

  test('asks once at a time, and goes on with what it has when nobody answers', async () => {
    const { clock, state, open } = start();
    const away = new CodedError('state_unavailable', 'Redis is away');
    const lease = vi.fn((report: UsherReport) => state.lease(report));
    const one = open('one', lease);
    await Promise.all([one.report(sight(clock, 0, 30)), one.report(sight(clock, 0, 99))]);
    expect(lease).toHaveBeenCalledTimes(1);
    lease.mockRejectedValueOnce(away);
    await expect(one.report(sight(clock, 0, 30))).rejects.toBe(away);
    expect(one.grantedMbps(A)).toBe(30);
    expect(lease.mock.lastCall?.[0]).toMatchObject({ sequence: 2, wants: { [A]: { heldMbps: 30 } } });
  });

  test('tells what it spent until that is answered, and once', async () => {
    const { clock, state, open } = start();
    const lease = vi.fn((report: UsherReport) => state.lease(report));
    const one = open('one', lease);
    one.spend('fast', 1_000.4);
    lease.mockRejectedValueOnce(new CodedError('state_unavailable', 'Redis is away'));
    await expect(one.report(sight(clock, 0, 0))).rejects.toThrow();
    await one.report(sight(clock, 0, 0));
    one.spend('fast', 20);
    await one.report(sight(clock, 0, 0));
    await one.report(sight(clock, 0, 0));
    expect((await state.snapshot()).spentMicroUsd).toEqual({ fast: 1_020 });
    expect(lease.mock.lastCall?.[0].month?.spentMicroUsd).toEqual({ fast: 1_020 });
  });

  test('of two who want everything gets what the other leaves, and nothing stays unused', async () => {
    const { clock, open } = start();
    const [one, two] = [open('one'), open('two')];
    for (let round = 0; round < 5; round++) {
      await one.report(sight(clock, 0, 70));
      await two.report(sight(clock, 0, 70));
      clock.advance(500);
    }
    expect([one.grantedMbps(A), two.grantedMbps(A)]).toEqual([70, 30]);
  });
});

describe('with ushers who place viewers at random', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await RedisServer.start();
  });
  afterAll(() => redis[Symbol.asyncDispose]());

  const which = { usher: fc.nat(2), server: fc.nat(1) };
  const fate = fc.constantFrom('heard', 'heard', 'heard', 'heard', 'slow', 'lost', 'unanswered', 'late');
  const step = fc.oneof(
    {
      weight: 20,
      arbitrary: fc.record({
        kind: fc.constant('look' as const),
        ...which,
        spareMbps: fc.constantFrom(0, 10, 40, 100),
        /** How many snapshots old what it looks at is. */
        age: fc.constantFrom(0, 0, 1, 2),
        fate,
      }),
    },
    {
      weight: 20,
      arbitrary: fc.record({
        kind: fc.constant('place' as const),
        ...which,
        mbps: fc.constantFrom(2, 10),
        count: fc.constantFrom(1, 4),
        delayMs: fc.nat(LEASE_MS - GRANT_MS - BEAT_MS - 1),
      }),
    },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('beat' as const), server: which.server }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('leave' as const), server: which.server }) },
    {
      weight: 20,
      arbitrary: fc.record({
        kind: fc.constant('wait' as const),
        ms: fc.constantFrom<number>(10, 50, 200, 900),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('die' as const), usher: which.usher }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('lose' as const) }) },
  );

  test('no server ever gets more than it may carry, whatever is lost or late and whoever dies', async () => {
    const client = redis.client();
    let served = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: STEPS, maxLength: STEPS }), async (steps) => {
        const clock = new ManualClock();
        const options = { clock: systemClock, logger: keepingLogger(), now: () => clock.now() };
        await using state = new RedisState({ address: redis.address(), ...options });
        const world = new World(clock, state);
        for (const ms of [0, LEASE_MS / 2, LEASE_MS / 2]) await world.take({ kind: 'wait', ms });
        for (const each of steps) {
          if (each.kind === 'lose') await client.flushall();
          else await world.take(each);
        }
        served += world.served;
      }),
      { numRuns: RUNS },
    );
    client.disconnect();
    expect(served).toBeGreaterThan(500);
  });

  type Step = Exclude<typeof step extends fc.Arbitrary<infer Value> ? Value : never, { kind: 'lose' }>;

  interface Viewer {
    readonly server: number;
    readonly mbps: number;
  }

  interface Placer {
    readonly lessee: Lessee;
    /** What it handed out and does not see used. */
    readonly promised: Set<Viewer>;
    seen: Seen;
    /** What becomes of its next report. */
    fate: string;
    isWaiting: boolean;
  }

  interface Beat {
    readonly usedMbps: number;
    readonly arrived: ReadonlySet<Viewer>;
  }

  /** A snapshot. */
  interface Seen {
    readonly atMs: number;
    readonly beats: readonly Beat[];
  }

  class World {
    readonly #clock: ManualClock;
    readonly #state: RedisState;
    readonly #servers = [0, 1].map(() => ({ viewers: new Set<Viewer>(), arrived: new Set<Viewer>() }));
    /** The newest last. */
    readonly #snapshots: Seen[];
    readonly #placers: Placer[];
    readonly #slow: (() => void)[] = [];
    readonly #late: UsherReport[] = [];
    #born = 0;
    served = 0;

    constructor(clock: ManualClock, state: RedisState) {
      this.#clock = clock;
      this.#state = state;
      clock.every(BEAT_MS, () => {
        for (const server of this.#servers.keys()) this.#beat(server);
      });
      const beats = this.#servers.map(() => ({ usedMbps: 0, arrived: new Set<Viewer>() }));
      this.#snapshots = [{ atMs: clock.now(), beats }];
      this.#placers = [0, 1, 2].map(() => this.#bear());
    }

    async take(step: Step): Promise<void> {
      if (step.kind === 'wait') await this.#wait(step.ms);
      if (step.kind === 'beat') this.#beat(step.server);
      if (step.kind === 'leave') this.#leave(step.server);
      if (step.kind === 'die') this.#placers[step.usher] = this.#bear();
      if (step.kind === 'place')
        for (let at = 0; at < step.count; at++) this.#place(this.#placers[step.usher]!, step);
      if (step.kind === 'look') await this.#look(this.#placers[step.usher]!, step);
    }

    async #wait(ms: number): Promise<void> {
      this.#clock.advance(ms);
      for (const answer of this.#slow.splice(0)) answer();
      // Servers beat meanwhile.
      await this.#state.lead('waiting', 0, {});
    }

    #bear(): Placer {
      const lease = (report: UsherReport) => this.#carry(placer.fate, report);
      const lessee = new Lessee({ state: { lease }, clock: this.#clock, id: `usher-${this.#born++}` });
      const placer: Placer = {
        lessee,
        promised: new Set(),
        seen: this.#snapshots.at(-1)!,
        fate: 'heard',
        isWaiting: false,
      };
      return placer;
    }

    #beat(server: number): void {
      const { viewers, arrived } = this.#servers[server]!;
      const beat = { usedMbps: sum(viewers), arrived: new Set(arrived) };
      this.#snapshots.push({
        atMs: this.#clock.now(),
        beats: this.#snapshots.at(-1)!.beats.with(server, beat),
      });
    }

    #leave(server: number): void {
      const [first] = this.#servers[server]!.viewers;
      if (first) this.#servers[server]!.viewers.delete(first);
    }

    #place({ lessee, promised, seen }: Placer, { server, mbps, delayMs }: Step & { kind: 'place' }): void {
      const open = sum([...promised].filter((each) => each.server === server));
      const roomMbps =
        Math.min(lessee.grantedMbps(`server/${server}`), LIMIT_MBPS - seen.beats[server]!.usedMbps) - open;
      if (roomMbps < mbps) return;
      const viewer = { server, mbps };
      promised.add(viewer);
      this.#clock.after(delayMs, () => {
        const { viewers, arrived } = this.#servers[server]!;
        viewers.add(viewer);
        arrived.add(viewer);
        this.served++;
        expect(sum(viewers)).toBeLessThanOrEqual(LIMIT_MBPS);
      });
    }

    async #look(placer: Placer, { spareMbps, age, fate }: Step & { kind: 'look' }): Promise<void> {
      const snapshot = this.#snapshots.at(-1 - age);
      if (snapshot && snapshot.atMs >= placer.seen.atMs) placer.seen = snapshot;
      for (const viewer of placer.promised) {
        if (!placer.seen.beats[viewer.server]!.arrived.has(viewer)) continue;
        placer.lessee.arrive(`server/${viewer.server}`, viewer.mbps);
        placer.promised.delete(viewer);
      }
      if (placer.isWaiting) return;
      placer.fate = fate;
      const wants = placer.seen.beats.map(({ usedMbps }, server) => {
        const promisedMbps = sum([...placer.promised].filter((each) => each.server === server));
        return [`server/${server}`, { limitMbps: LIMIT_MBPS, usedMbps, promisedMbps, spareMbps }] as const;
      });
      const asked = placer.lessee.report({
        asOfMs: placer.seen.atMs,
        wants: Object.fromEntries(wants),
        demand: {},
      });
      placer.isWaiting = true;
      const done = asked
        .catch(() => {})
        .finally(() => {
          placer.isWaiting = false;
        });
      if (fate !== 'slow') await done;
    }

    async #carry(fate: string, report: UsherReport): Promise<LeaseAnswer> {
      if (fate === 'lost') throw new Error('lost');
      if (fate === 'late') this.#late.push(report);
      if (fate === 'late') throw new Error('too late');
      const answer = await this.#state.lease(report);
      for (const late of this.#late.splice(0)) await this.#state.lease(late);
      if (fate === 'unanswered') throw new Error('unanswered');
      if (fate === 'slow') await new Promise<void>((resolve) => this.#slow.push(resolve));
      return answer;
    }
  }

  function sum(viewers: Iterable<Viewer>): number {
    return [...viewers].reduce((total, { mbps }) => total + mbps, 0);
  }
});
