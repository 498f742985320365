// What makes one plan of another, and how much that moves. Pure.

import type { Assignment, Follow, PlanChanges, Successor } from '../../network/state/state.ts';
import type { Plan } from '../planner.ts';

/** Assignments that are new or differ, null for servers of which nothing is said any more. */
export function changesOf(before: Plan, after: Plan): PlanChanges {
  const old = new Map(Object.entries(before));
  const changes = new Map<string, Assignment | null>();
  for (const [id, assignment] of Object.entries(after)) {
    const last = old.get(id);
    if (!last || !isSame(last, assignment)) changes.set(id, assignment);
    old.delete(id);
  }
  for (const id of old.keys()) changes.set(id, null);
  return Object.fromEntries(changes);
}

/** Copies that servers begin to make, those they let go, and those that they are to have from another parent. */
export interface Tally {
  made: number;
  withdrawn: number;
  moved: number;
}

export function tallyOf(before: Plan, changes: PlanChanges): Tally {
  const tally = { made: 0, withdrawn: 0, moved: 0 };
  for (const [id, assignment] of Object.entries(changes)) {
    const old = new Map((before[id]?.follows ?? []).map((follow) => [keyOf(follow), follow]));
    for (const follow of assignment?.follows ?? []) {
      const last = old.get(keyOf(follow));
      if (!last) tally.made += 1;
      else if (last.parents[0]?.id !== follow.parents[0]?.id) tally.moved += 1;
      old.delete(keyOf(follow));
    }
    tally.withdrawn += old.size;
  }
  return tally;
}

function keyOf({ stream, rendition }: Follow): string {
  return `${stream}/${rendition}`;
}

function isSame(one: Assignment, other: Assignment): boolean {
  return (
    one.follows.length === other.follows.length &&
    one.follows.every((follow, at) => isSameFollow(follow, other.follows[at]!)) &&
    isSameSuccessors(one.successors, other.successors) &&
    // Few, and small.
    JSON.stringify(one.transcodes) === JSON.stringify(other.transcodes)
  );
}

function isSameFollow(one: Follow, other: Follow): boolean {
  return (
    one === other ||
    (one.stream === other.stream &&
      one.rendition === other.rendition &&
      one.parents.length === other.parents.length &&
      one.parents.every(
        ({ id, relayUrl }, at) => id === other.parents[at]!.id && relayUrl === other.parents[at]!.relayUrl,
      ))
  );
}

type Successors = Readonly<Record<string, Successor>>;

function isSameSuccessors(one: Successors, other: Successors): boolean {
  const streams = Object.keys(one);
  return (
    streams.length === Object.keys(other).length &&
    streams.every((stream) => {
      const successor = Object.hasOwn(other, stream) ? other[stream] : undefined;
      return successor?.id === one[stream]!.id && successor.mediaUrl === one[stream]!.mediaUrl;
    })
  );
}
