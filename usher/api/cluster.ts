// The cluster as it is, for operators; where to push, and what time it is here, for all.

import type { Clock } from '../../network/clock.ts';
import { sendJson } from '../../network/http/answers.ts';
import type { Route } from '../../network/http/http.ts';
import { reachableUrl } from '../../network/http/reachable.ts';
import type { ClusterState } from '../../network/state/state.ts';
import { ingestList } from '../ingests.ts';
import type { Operators } from '../operators/operators.ts';

export function clusterRoutes({
  state,
  clock,
  operators,
}: {
  readonly state: Pick<ClusterState, 'snapshot'>;
  readonly clock: Clock;
  readonly operators: Operators;
}): Route[] {
  return [
    {
      kind: 'cluster',
      method: 'GET',
      pattern: /^\/api\/cluster$/,
      handle: async (exchange) => {
        if (operators.admit(exchange)) sendJson(exchange, await state.snapshot());
      },
    },
    {
      kind: 'ingests',
      method: 'GET',
      pattern: /^\/ingests$/,
      handle: async (exchange) =>
        sendJson(
          exchange,
          ingestList(await state.snapshot(), (url) => reachableUrl(url, exchange)),
        ),
    },
    {
      kind: 'time',
      method: 'GET',
      pattern: /^\/api\/time$/,
      handle: (exchange) => sendJson(exchange, { nowMs: clock.now() }),
    },
  ];
}
