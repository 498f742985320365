// What happened between two looks at the cluster. Pure.

import type { Look } from '../figures/look.ts';
import type { Happening } from '../messages.ts';
import { copyHappenings } from './copies.ts';
import { jobHappenings } from './jobs.ts';
import { serverHappenings } from './servers.ts';

/** More at once is a storm, of which a list says no more than a number does. */
const MAX_AT_ONCE = 100;

/** Both are of settled snapshots (`isSettled`): from others servers may be missing that are there. */
export function eventsBetween(before: Look, after: Look): Happening[] {
  const all = [
    ...serverHappenings(before, after),
    ...originHappenings(before, after),
    ...copyHappenings(before, after),
    ...jobHappenings(before, after),
    ...cdnHappenings(before, after),
    ...leadHappenings(before, after),
    ...gapHappenings(before, after),
  ];
  if (all.length <= MAX_AT_ONCE) return all;
  return [...all.slice(0, MAX_AT_ONCE - 1), { kind: 'more', count: all.length - MAX_AT_ONCE + 1 }];
}

/** Streams of both are in order of their names: there may be very many, and few change. */
function originHappenings({ snapshot: before }: Look, { snapshot: after }: Look): Happening[] {
  const happenings: Happening[] = [];
  let at = 0;
  for (const { name: stream, origin: to } of after.streams) {
    while (at < before.streams.length && before.streams[at]!.name < stream) at++;
    const was = before.streams[at];
    if (was?.name !== stream || was.origin === to) continue;
    happenings.push({ kind: 'origin-changed', stream, from: was.origin, to });
  }
  return happenings;
}

/** Names that an event gives as examples. */
const MAX_STREAMS = 5;

function cdnHappenings(before: Look, after: Look): Happening[] {
  return after.topology.cdns.flatMap(({ name: cdn, capMicroUsdPerMonth: capMicroUsd }): Happening[] => {
    const [was, is] = [before, after].map((look) => (look.cdnMicroUsdPerHour.get(cdn) ?? 0) > 0);
    const [spent, spends] = [before, after].map(({ snapshot }) => snapshot.spentMicroUsd[cdn] ?? 0);
    return [
      ...(!was && is ? [{ kind: 'overflow-began', cdn, streams: streamsOn(after, cdn) } as const] : []),
      ...(was && !is ? [{ kind: 'overflow-ended', cdn } as const] : []),
      ...(spent! < capMicroUsd && spends! >= capMicroUsd
        ? [{ kind: 'cap-reached', cdn, capMicroUsd } as const]
        : []),
    ];
  });
}

/** Those with the most viewers there, as far as this usher knows. */
function streamsOn({ cdnViewers }: Look, cdn: string): string[] {
  const counts = [...cdnViewers].flatMap(([stream, byCdn]) => {
    const viewers = byCdn.get(cdn) ?? 0;
    return viewers > 0 ? [{ stream, viewers }] : [];
  });
  counts.sort((one, other) => other.viewers - one.viewers);
  return counts.slice(0, MAX_STREAMS).map(({ stream }) => stream);
}

/** Who leads is known to an usher that has heard of it; else the term of the plan tells that it is another. */
function leadHappenings(before: Look, after: Look): Happening[] {
  const [was, is] = [before.leader.id, after.leader.id];
  const { planTerm } = after.snapshot;
  if (was !== undefined && is !== undefined)
    return was === is ? [] : [{ kind: 'leader-changed', leader: is, planTerm }];
  const isOther = before.snapshot.planTerm !== 0 && before.snapshot.planTerm !== planTerm;
  if (!isOther) return [];
  return [{ kind: 'leader-changed', ...(is === undefined ? {} : { leader: is }), planTerm }];
}

/** Gaps of a recording that is seen for the first time are no news. */
function gapHappenings(before: Look, after: Look): Happening[] {
  return [...after.gaps].flatMap(([recording, count]): Happening[] => {
    const known = before.gaps.get(recording);
    const stream = recording.slice(0, recording.lastIndexOf('.'));
    return known === undefined || count <= known ? [] : [{ kind: 'recording-gap', stream, recording }];
  });
}
