// Who makes which rungs in a cluster.

import type { Snapshot } from '../../../network/state/state.ts';

/** By stream, the worker that says to make the rung, and is to. */
export function makersIn({ servers, plan }: Snapshot): ReadonlyMap<string, string> {
  const makers = servers.flatMap(({ id, transcoding }) =>
    (transcoding?.jobs ?? []).flatMap(({ stream, state, renditions }) => {
      const isPlanned = plan[id]?.transcodes?.some((transcode) => transcode.stream === stream);
      return isPlanned && state === 'running' && renditions.length > 0 ? [[stream, id] as const] : [];
    }),
  );
  return new Map(makers);
}
