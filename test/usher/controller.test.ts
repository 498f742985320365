import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CodedError } from '../../network/errors.ts';
import { NO_TOPOLOGY } from '../../network/map/topology.ts';
import { readTopology } from '../../network/map/topology-file.ts';
import { Metrics } from '../../network/metrics.ts';
import type { ClusterState, ServerRecord, Snapshot, StreamRecord } from '../../network/state/state.ts';
import { MemoryState } from '../../network/state/state-memory.ts';
import { Controller } from '../../usher/controller.ts';
import { plan } from '../../usher/planner.ts';
import { holding, parentsIn, server, stream } from '../tools/cluster/clusters.ts';
import { keepingLogger } from '../tools/world/keeping-logger.ts';
import { ManualClock } from '../tools/world/manual-clock.ts';

const STEP_MS = 100;
const FAR = readTopology(`
sites:
  fra1: { uplinks: { wide: { kind: peering, capacityMbps: 1000, asns: [3320] } } }
  far: { uplinks: { transit: { kind: transit, capacityMbps: 1000, pricePerGb: 0.005 } } }
links: [{ sites: [fra1, far], capacityMbps: 1000, pricePerGb: 0.002 }]
`);

/** All that was begun has come as far as it can without time. */
const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

let clock: ManualClock;
let state: MemoryState;
let members: Map<string, { record: ServerRecord; streams: readonly StreamRecord[] }>;
let ushers: Controller[];

beforeEach(() => {
  clock = new ManualClock();
  state = new MemoryState(clock);
  members = new Map();
  ushers = [];
});
afterEach(async () => {
  for (const usher of ushers) await usher[Symbol.asyncDispose]();
});

function join(id: string, changes: Partial<ServerRecord> = {}, streams: readonly StreamRecord[] = []): void {
  const { beatAtMs: _, ...record } = server(id, changes);
  members.set(id, { record, streams });
}

/** Lets time pass; servers beat each second. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += STEP_MS) {
    if (clock.now() % 1_000 === 0)
      for (const { record, streams } of members.values()) await state.beat(record, streams);
    clock.advance(STEP_MS);
    await pause();
  }
}

function start(
  usherId: string,
  seen: Partial<Pick<ClusterState, 'snapshot' | 'lead'>> = state,
  topology = NO_TOPOLOGY,
) {
  const metrics = new Metrics();
  const logger = keepingLogger();
  const usher = new Controller({
    state: {
      snapshot: () => (seen.snapshot ? seen.snapshot() : state.snapshot()),
      lead: (...words) => (seen.lead ? seen.lead(...words) : state.lead(...words)),
      wake: () => state.wake(),
      watch: (...words) => state.watch(...words),
    },
    clock,
    logger,
    metrics,
    topology: () => topology,
    usherId,
  });
  ushers.push(usher);
  const value = async (name: string): Promise<number> =>
    Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(await metrics.text())?.[1]);
  return { usher, value, lines: logger.lines };
}

/** One watched edge of an origin that serves no viewers itself. */
function joinAlice(): void {
  join('origin', { roles: ['origin'], holdings: [holding('alice')] }, [stream('alice', 'origin')]);
  join('edge', { holdings: [holding('alice', 5)] });
}

const planned = async (): Promise<Map<string, string>> => parentsIn((await state.snapshot()).plan, 'alice');

describe('an usher that leads', () => {
  test('that is woken plans at once, and no sooner than a tenth of a second after its last turn', async () => {
    joinAlice();
    const { usher, value } = start('one');
    await pass(4_000);
    const turns = async (): Promise<number> => value('headwater_plan_turns_total{result="led"}');
    const before = await turns();
    usher.wake();
    usher.wake();
    await pass(100);
    expect(await turns()).toBe(before + 1);
    usher.wake();
    usher.wake();
    await pass(100);
    expect(await turns()).toBe(before + 2);
  });

  test('is woken by another that sees a crowd', async () => {
    joinAlice();
    const { value } = start('one');
    await pass(4_000);
    const { usher: other, value: otherValue } = start('two');
    await pass(1_000);
    const before = await value('headwater_plan_turns_total{result="led"}');
    const othersBefore = await otherValue('headwater_plan_turns_total{result="followed"}');
    other.wake();
    await pass(100);
    expect(await value('headwater_plan_turns_total{result="led"}')).toBe(before + 1);
    expect(await otherValue('headwater_plan_turns_total{result="followed"}')).toBe(othersBefore);
  });

  test('plans for whoever joins within a turn after its beat, and writes what changed alone', async () => {
    joinAlice();
    const { usher, value } = start('one');
    await pass(4_000);
    expect(usher.isLeading).toBe(true);
    expect(await planned()).toEqual(new Map([['edge', 'origin']]));
    expect(await value('headwater_plan_changes_total')).toBe(2);
    join('late', { holdings: [holding('alice', 1)] });
    await pass(1_600);
    expect((await planned()).has('late')).toBe(true);
    expect(await value('headwater_usher_leading')).toBe(1);
    // Both edges have their second parent now, each the other.
    expect(await value('headwater_plan_changes_total')).toBe(4);
    expect(await value('headwater_plan_duration_seconds_count')).toBeGreaterThan(1);
  });

  test('drops a server that died from the plan', async () => {
    joinAlice();
    start('one');
    await pass(4_000);
    members.delete('edge');
    await pass(4_000);
    expect(Object.keys((await state.snapshot()).plan)).toEqual(['origin']);
  });

  test('makes no plan before every server had the time to beat', async () => {
    joinAlice();
    start('one');
    await pass(2_900);
    expect((await state.snapshot()).plan).toEqual({});
    await pass(700);
    expect((await planned()).size).toBe(1);
  });
});

describe('of two ushers', () => {
  test('one leads, and the other within five seconds after the first is gone', async () => {
    joinAlice();
    const link = breakable();
    const one = start('one', link.state);
    const two = start('two');
    await pass(5_000);
    expect([one.usher.isLeading, two.usher.isLeading]).toEqual([true, false]);
    expect(await two.value('headwater_usher_leading')).toBe(0);
    link.isBroken = true;
    join('late', { holdings: [holding('alice', 1)] });
    await pass(4_900);
    expect(two.usher.isLeading).toBe(true);
    expect((await planned()).has('late')).toBe(true);
  });

  test('one leads, and the other at its next turn when the first ends in order', async () => {
    const one = start('one');
    const two = start('two');
    await pass(1_000);
    await one.usher[Symbol.asyncDispose]();
    expect(one.usher.isLeading).toBe(false);
    await pass(600);
    expect(two.usher.isLeading).toBe(true);
  });

  test('one that leads can end also while the state is away', async () => {
    const link = breakable();
    const { usher, lines } = start('one', link.state);
    await pass(1_000);
    link.isBroken = true;
    await usher[Symbol.asyncDispose]();
    expect(lines.at(-1)?.message).toBe('the lead is not given back: it lapses');
  });

  test('one that could not speak for longer than its lease finds the other leading, and follows', async () => {
    joinAlice();
    const link = breakable();
    const one = start('one', link.state);
    const two = start('two');
    await pass(5_000);
    link.isBroken = true;
    await pass(5_000);
    expect([one.usher.isLeading, two.usher.isLeading]).toEqual([false, true]);
    link.isBroken = false;
    await pass(1_000);
    expect([one.usher.isLeading, two.usher.isLeading]).toEqual([false, true]);
    expect(one.lines.map(({ message }) => message)).toEqual([
      'this usher leads',
      'no plan can be made: what was planned stays',
      'this usher leads no more',
      'cluster state is back',
    ]);
  });
});

describe('an outage of the state', () => {
  test('is logged once with its code, counted each turn, and leaves the plan as it is', async () => {
    joinAlice();
    const link = breakable();
    const { usher, value, lines } = start('one', link.state);
    await pass(4_000);
    const before = await state.snapshot();
    link.isBroken = true;
    await pass(2_000);
    expect(lines.filter(({ level }) => level === 'warn')).toEqual([
      expect.objectContaining({ fields: { code: 'state_unavailable', reason: 'it is away' } }),
    ]);
    expect(await value('headwater_plan_turns_total{result="failed"}')).toBe(4);
    expect(await value('headwater_usher_leading')).toBe(0);
    link.isBroken = false;
    await pass(600);
    expect(usher.isLeading).toBe(true);
    expect(lines.at(-1)!.message).toBe('cluster state is back');
    expect((await state.snapshot()).plan).toEqual(before.plan);
  });

  test('that loses everything is followed by what was written before, once the servers are back', async () => {
    joinAlice();
    join('far-2', {
      site: 'far',
      sentMbps: 20,
      committedMbps: 20,
      uplinks: { transit: 20 },
      holdings: [holding('alice', 5)],
    });
    const { usher } = start('one', {}, FAR);
    await pass(4_000);
    join('far-1', { site: 'far', holdings: [holding('alice', 5)] });
    await pass(30_000);
    const before = await state.snapshot();
    expect(plan({ ...before, plan: {} }, { topology: FAR })).not.toEqual(before.plan);
    state = new MemoryState(clock);
    await pass(2_000);
    expect(await planned()).toEqual(new Map());
    await pass(2_000);
    expect(usher.isLeading).toBe(true);
    expect(await state.snapshot()).toMatchObject({ plan: before.plan, accounts: before.accounts });
    expect(before.accounts['far/transit']?.gigabytes).toBeGreaterThan(0);
  });
});

test('turns never overlap, and an end waits for the one that is on its way', async () => {
  let answer = (_: Snapshot): void => {};
  let asked = 0;
  const slow: Pick<ClusterState, 'snapshot'> = {
    snapshot: () => {
      asked += 1;
      return new Promise((resolve) => {
        answer = resolve;
      });
    },
  };
  const { usher } = start('one', slow);
  await pass(5_000);
  expect(asked).toBe(1);
  let hasEnded = false;
  const ended = usher[Symbol.asyncDispose]().then(() => {
    hasEnded = true;
  });
  await pause();
  expect(hasEnded).toBe(false);
  answer(await state.snapshot());
  await ended;
  await pass(2_000);
  expect(asked).toBe(1);
  expect(clock.pending).toBe(0);
});

function breakable() {
  const link = {
    isBroken: false,
    state: {
      snapshot: async () => {
        check();
        return state.snapshot();
      },
      lead: async (...words: Parameters<ClusterState['lead']>) => {
        check();
        return state.lead(...words);
      },
    },
  };
  const check = (): void => {
    if (link.isBroken) throw new CodedError('state_unavailable', 'it is away');
  };
  return link;
}
