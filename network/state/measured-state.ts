// The cluster state, with a watch: how long each verb takes, how often it fails, and what time it says that it is.

import type { ClusterClock } from '../cluster-clock.ts';
import { CodedError } from '../errors.ts';
import type { Metrics } from '../metrics.ts';
import type { ClusterState } from './state.ts';

const BUCKETS_S = [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1];

/** Answers as `state` does. Of what is asked each second the clock hears the time. */
export function measured(
  state: ClusterState,
  { metrics, clock }: { readonly metrics: Metrics; readonly clock: Pick<ClusterClock, 'monotonic' | 'hear'> },
): ClusterState {
  const durations = metrics.histogram(
    'headwater_state_request_duration_seconds',
    'Time in which the cluster state answers, by verb.',
    BUCKETS_S,
    ['verb'],
  );
  const failures = metrics.counter(
    'headwater_state_failures_total',
    'Questions to the cluster state that were not answered, by verb and code.',
    ['verb', 'code'],
  );
  const timed = async <Answer>(verb: string, ask: () => Promise<Answer>): Promise<Answer> => {
    const startedAtMs = clock.monotonic();
    try {
      return await ask();
    } catch (error) {
      failures.inc({ verb, code: error instanceof CodedError ? error.code : 'fault' });
      throw error;
    } finally {
      durations.observe({ verb }, (clock.monotonic() - startedAtMs) / 1000);
    }
  };
  const heard = async <Answer extends { readonly nowMs: number }>(
    verb: string,
    ask: () => Promise<Answer>,
  ): Promise<Answer> => {
    const askedAtMs = clock.monotonic();
    const answer = await timed(verb, ask);
    clock.hear(answer.nowMs, askedAtMs, clock.monotonic());
    return answer;
  };
  return {
    beat: (server, streams) => heard('beat', () => state.beat(server, streams)),
    leave: (server) => timed('leave', () => state.leave(server)),
    find: (stream) => timed('find', () => state.find(stream)),
    claim: (stream, server, options) => timed('claim', () => state.claim(stream, server, options)),
    watch: (id, onChange) => state.watch(id, onChange),
    lead: (usherId, term, changes) => timed('lead', () => state.lead(usherId, term, changes)),
    lease: (report) => timed('lease', () => state.lease(report)),
    drain: (serverId, drain) => timed('drain', () => state.drain(serverId, drain)),
    wake: () => timed('wake', () => state.wake()),
    snapshot: () => heard('snapshot', () => state.snapshot()),
    [Symbol.asyncDispose]: () => state[Symbol.asyncDispose](),
  };
}
