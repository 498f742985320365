// Random histories of a cluster, played to the state in memory and to the one in Redis: every answer is the same.

import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../network/clock.ts';
import { CodedError } from '../../../network/errors.ts';
import { BEAT_MS, FORGET_MS, LEASE_MS, MISSED_BEATS } from '../../../network/state/liveness.ts';
import type { ClusterState } from '../../../network/state/state.ts';
import { MemoryState } from '../../../network/state/state-memory.ts';
import { RedisState } from '../../../network/state/state-redis.ts';
import { holding, serverRecord, streamRecord } from '../../tools/cluster-records.ts';
import { keepingLogger } from '../../tools/keeping-logger.ts';
import { ManualClock } from '../../tools/manual-clock.ts';
import { RedisServer } from '../../tools/redis-server.ts';

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

const step = fc.oneof(
  fc.record({ verb: fc.constant('wait' as const), ms: passing }),
  fc.record({
    verb: fc.constant('beat' as const),
    server: identity,
    holds: fc.array(stream, { maxLength: 3 }),
    streams: fc.uniqueArray(announced, { selector: ({ name }) => name, maxLength: 3 }),
  }),
  fc.record({ verb: fc.constant('leave' as const), server: identity }),
  fc.record({ verb: fc.constant('find' as const), stream }),
  fc.record({ verb: fc.constant('claim' as const), server: identity, stream, takeover: fc.boolean() }),
  fc.record({
    verb: fc.constant('lead' as const),
    usher: fc.constantFrom('one', 'two'),
    term: fc.constantFrom('none', 'own', 'own', 'wrong'),
    changes: fc.dictionary(serverId, fc.option(assignment), { maxKeys: 2 }),
  }),
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** What its players remember of a history: the terms that they were given. */
interface Memory {
  readonly claims: Map<string, number>;
  readonly leads: Map<string, number>;
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
      const record = serverRecord(id, { instance, holdings: step.holds.map((name) => holding(name)) });
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
      const lead = await state.lead(step.usher, { none: undefined, own, wrong: 5 }[step.term], {
        plan: step.changes,
      });
      if (lead.kind === 'leading') memory.leads.set(step.usher, lead.term);
      return lead;
    }
  }
}

/** All that can be seen of a history: each answer or error code, and the cluster after it. */
async function history(state: ClusterState, clock: ManualClock, steps: readonly Step[]): Promise<unknown[]> {
  const memory: Memory = { claims: new Map(), leads: new Map() };
  const seen: unknown[] = [];
  for (const step of steps) {
    const answer = await play(state, clock, memory, step).catch((error: unknown) => {
      if (error instanceof CodedError) return error.code;
      throw error;
    });
    seen.push({ step, answer, after: await state.snapshot() });
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
    await using state = new RedisState({ address: redis.address(), ...options });
    expect(await history(state, sameClock, steps)).toEqual(
      await history(new MemoryState(clock), clock, steps),
    );
  });
  await fc.assert(property, { numRuns: RUNS });
});
