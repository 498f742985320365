// The cluster as it is, where to push, and what time it is here.

import type { Clock } from '../../network/clock.ts';
import { type Route, sendJson } from '../../network/http/http.ts';
import { reachableUrl } from '../../network/http/reachable.ts';
import type { ClusterState } from '../../network/state/state.ts';
import { ingestList } from '../ingests.ts';

export function clusterRoutes({
  state,
  clock,
}: {
  readonly state: Pick<ClusterState, 'snapshot'>;
  readonly clock: Clock;
}): Route[] {
  return [
    {
      kind: 'cluster',
      method: 'GET',
      pattern: /^\/api\/cluster$/,
      handle: async (exchange) => sendJson(exchange, await state.snapshot()),
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
