// What happened to transcoding jobs between two looks: the plan gave them to others, or they failed. Pure.

import type { Snapshot } from '../../../network/state/state.ts';
import type { Look } from '../figures/look.ts';
import type { Happening } from '../messages.ts';

export function jobHappenings({ snapshot: before }: Look, { snapshot: after }: Look): Happening[] {
  return [...moved(before, after), ...failed(before, after)];
}

function moved(before: Snapshot, after: Snapshot): Happening[] {
  const [old, fresh] = [plannedWorkers(before), plannedWorkers(after)];
  return [...fresh].flatMap(([stream, to]): Happening[] => {
    const from = old.get(stream);
    return from === undefined || from === to ? [] : [{ kind: 'job-moved', stream, from, to }];
  });
}

/** By stream, who is to transcode it. */
function plannedWorkers({ plan }: Snapshot): Map<string, string> {
  const workers = new Map<string, string>();
  for (const [id, { transcodes }] of Object.entries(plan))
    for (const { stream } of transcodes ?? []) workers.set(stream, id);
  return workers;
}

function failed(before: Snapshot, after: Snapshot): Happening[] {
  const known = new Set(failures(before).map(({ server, stream }) => `${server}/${stream}`));
  return failures(after)
    .filter(({ server, stream }) => !known.has(`${server}/${stream}`))
    .map((failure) => ({ kind: 'job-failed', ...failure }));
}

function failures({ servers }: Snapshot) {
  return servers.flatMap(({ id: server, transcoding }) =>
    (transcoding?.jobs ?? [])
      .filter(({ state }) => state === 'failed')
      .map(({ stream, reason }) => ({ server, stream, reason })),
  );
}
