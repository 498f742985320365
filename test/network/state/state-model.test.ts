// Random histories of a cluster, played to the state in memory and to the one in Redis: every answer is the same.

import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../network/clock.ts';
import { CodedError } from '../../../network/errors.ts';
import type { MonthSpend } from '../../../network/state/lease.ts';
import { BEAT_MS, FORGET_MS, LEASE_MS, MISSED_BEATS } from '../../../network/state/liveness.ts';
import { RedisState } from '../../../network/state/redis/state-redis.ts';
import type { ClusterState } from '../../../network/state/state.ts';
import { MemoryState } from '../../../network/state/state-memory.ts';
import { holding, serverRecord, streamRecord, usherReport } from '../../tools/cluster/cluster-records.ts';
import { RedisServer } from '../../tools/cluster/redis-server.ts';
import { keepingLogger } from '../../tools/world/keeping-logger.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';

const RUNS = 150;
const STEPS = 60;

const serverId = fc.constantFrom('a', 'b', 'c');
const identity = fc.record({ id: serverId, instance: fc.constantFrom('1', '1', '1', '2') });
const stream = fc.constantFrom('alice', 'bob', 'al');
/** Of the term that its last claim was given, by whomever. */
const announced = fc.record({
  name: stream,
  later: fc.constantFrom(0, 0, 0, -1, 1),
  live: fc.boolean(),
  lastMsn: fc.nat(9),
});
const passing = fc.constantFrom(
  ...[1, BEAT_MS, BEAT_MS, MISSED_BEATS * BEAT_MS - 1, MISSED_BEATS * BEAT_MS],
  ...[LEASE_MS, FORGET_MS - 1, FORGET_MS],
);
const assignment = fc.record({
  follows: fc.array(fc.record({ stream, rendition: fc.constant('source'), parents: fc.constant([]) }), {
    maxLength: 2,
  }),
  successors: fc.constant({}),
});

const mbps = fc.integer({ min: 0, max: 40 }).map((value) => value * 2.7);
const want = fc.record({ limitMbps: fc.constant(100), usedMbps: mbps, heldMbps: mbps, wantMbps: mbps });
const drain = fc.record({ sinceMs: fc.nat(9), deadlineMs: fc.constantFrom(null, 99) });
const account = fc.record({
  monthStartMs: fc.constant(5),
  intervals: fc.nat(9),
  intervalStartMs: fc.constant(7),
  intervalMbitSum: fc.constant(0.5),
  top: fc.constant([3, 2]),
  gigabytes: fc.constant(1.5),
});

const step = fc.oneof(
  fc.record({ verb: fc.constant('wait' as const), ms: passing }),
  fc.record({
    verb: fc.constant('beat' as const),
    server: identity,
    holds: fc.array(stream, { maxLength: 3 }),
    drains: fc.constantFrom(null, null, 'wished', 'own'),
    streams: fc.uniqueArray(announced, { selector: ({ name }) => name, maxLength: 3 }),
  }),
  fc.record({ verb: fc.constant('leave' as const), server: identity }),
  fc.record({ verb: fc.constant('find' as const), stream }),
  fc.record({ verb: fc.constant('claim' as const), server: identity, stream, takeover: fc.boolean() }),
  fc.record({
    verb: fc.constant('lead' as const),
    usher: fc.constantFrom('one', 'two'),
    term: fc.constantFrom('none', 'own', 'own', 'wrong'),
    plan: fc.dictionary(serverId, fc.option(assignment), { maxKeys: 2 }),
    accounts: fc.dictionary(fc.constantFrom('fra1/x', 'ams1/y'), fc.option(account), { maxKeys: 2 }),
    resigns: fc.constantFrom(false, false, true),
  }),
  fc.record({
    verb: fc.constant('lease' as const),
    usher: fc.constantFrom('one', 'two'),
    /** That it comes after the next. */
    isLate: fc.constantFrom(false, false, false, true),
    /** How old its snapshot is. */
    ageMs: fc.constantFrom(0, 100, BEAT_MS, FORGET_MS, -BEAT_MS),
    wants: fc.dictionary(fc.constantFrom('server/a', 'link/x/y'), want, { maxKeys: 2 }),
    spentMicroUsd: fc.dictionary(fc.constantFrom('fast', 'wide'), fc.nat(99), { maxKeys: 2 }),
    knows: fc.boolean(),
  }),
  fc.record({ verb: fc.constant('drain' as const), server: serverId, drain: fc.option(drain) }),
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** What its players remember of a history: the terms that they were given. */
interface Memory {
  readonly claims: Map<string, number>;
  readonly leads: Map<string, number>;
  /** Of reports, by usher. */
  readonly sequences: Map<string, number>;
  month: MonthSpend | undefined;
}

async function play(state: ClusterState, clock: ManualClock, memory: Memory, step: Step): Promise<unknown> {
  switch (step.verb) {
    case 'wait':
      return clock.advance(step.ms);
    case 'leave':
      return state.leave(step.server);
    case 'find':
      return state.find(step.stream);
    case 'beat': {
      const { id, instance } = step.server;
      const drain = step.drains && { sinceMs: 5, deadlineMs: null, wished: step.drains === 'wished' };
      const holdings = step.holds.map((name) => holding(name));
      const record = serverRecord(id, { instance, drain, holdings });
      const streams = step.streams.map(({ name, later, live, lastMsn }) =>
        streamRecord(name, id, Math.max(0, (memory.claims.get(name) ?? 5) + later), { live, lastMsn }),
      );
      return state.beat(record, streams);
    }
    case 'claim': {
      const claim = await state.claim(step.stream, step.server, { takeover: step.takeover });
      memory.claims.set(step.stream, claim.term);
      return claim;
    }
    case 'lead': {
      const own = memory.leads.get(step.usher);
      const lead = await state.lead(step.usher, { none: undefined, own, wrong: 5 }[step.term], step);
      if (lead.kind === 'leading') memory.leads.set(step.usher, lead.term);
      return lead;
    }
    case 'lease': {
      const { usher, isLate, ageMs, wants, spentMicroUsd, knows } = step;
      const last = memory.sequences.get(usher) ?? 1;
      memory.sequences.set(usher, last + 1);
      const changes = { sequence: isLate ? last - 1 : last + 1, asOfMs: clock.now() - ageMs };
      const month = knows ? memory.month : undefined;
      const answer = await state.lease(usherReport(usher, wants, { ...changes, spentMicroUsd, month }));
      memory.month = answer.month;
      return answer;
    }
    case 'drain':
      return state.drain(step.server, step.drain);
  }
}

/** All that can be seen of a history: each answer or error code, and the cluster after it, as observers see it who look in turn. */
async function history(
  [state, ...observers]: readonly [ClusterState, ...ClusterState[]],
  clock: ManualClock,
  steps: readonly Step[],
): Promise<unknown[]> {
  const memory: Memory = { claims: new Map(), leads: new Map(), sequences: new Map(), month: undefined };
  // Until nobody can hold what a lost state would not know of: in memory there was none before.
  for (let sequence = 0; sequence * BEAT_MS <= LEASE_MS; sequence++) {
    await state.lease(usherReport('first', {}, { sequence }));
    clock.advance(BEAT_MS);
  }
  const readers = [state, ...observers];
  const seen: unknown[] = [];
  for (const [index, step] of steps.entries()) {
    const answer = await play(state, clock, memory, step).catch((error: unknown) => {
      if (error instanceof CodedError) return error.code;
      throw error;
    });
    seen.push({ step, answer, after: await readers[index % readers.length]!.snapshot() });
  }
  return seen;
}

let redis: RedisServer;
beforeAll(async () => {
  redis = await RedisServer.start();
});
afterAll(() => redis[Symbol.asyncDispose]());

test(`${RUNS} random histories look the same in memory and in Redis`, async () => {
  const property = fc.asyncProperty(fc.array(step, { maxLength: STEPS, size: 'max' }), async (steps) => {
    const [clock, sameClock] = [new ManualClock(), new ManualClock()];
    const options = { clock: systemClock, logger: keepingLogger(), now: () => sameClock.now() };
    const address = redis.address();
    await using state = new RedisState({ address, ...options });
    await using one = new RedisState({ address, ...options });
    await using two = new RedisState({ address, ...options });
    expect(await history([state, one, two], sameClock, steps)).toEqual(
      await history([new MemoryState(clock)], clock, steps),
    );
  });
  await fc.assert(property, { numRuns: RUNS });
});
