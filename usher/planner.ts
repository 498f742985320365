// The planner: which server follows which rendition from whom. A pure function of the snapshot.

import type {
  Assignment,
  Follow,
  Parent,
  PlanChanges,
  Snapshot,
  StreamRecord,
} from '../network/state/state.ts';
import { type Cluster, type Copies, readCluster, type ServerLoad } from './plan/cluster.ts';
import { bitrateMbps, demandMbps } from './plan/demand.ts';
import { chooseHolders } from './plan/holders.ts';
import { FILL, type Spread } from './plan/spread.ts';
import { type Branch, branchesOf, growTree, secondParent } from './plan/tree.ts';

/** What is wanted, by server id: an entry for every living server, so that one that is to follow nothing learns it. */
export type Plan = Readonly<Record<string, Assignment>>;

/** Renditions are planned in order of their names; each finds what those before it have left. */
export function plan(snapshot: Snapshot): Plan {
  const cluster = readCluster(snapshot);
  const follows = new Map([...cluster.loads.keys()].map((id) => [id, [] as Follow[]]));
  for (const stream of snapshot.streams)
    for (const [id, follow] of followsOf(cluster, stream)) follows.get(id)!.push(follow);
  return Object.fromEntries([...follows].map(([id, list]) => [id, { follows: list, successors: {} }]));
}

/** What makes `after` of `before`: assignments that are new or differ, null for servers of which nothing is said any more. */
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

type FollowBy = readonly [server: string, follow: Follow];

function followsOf(cluster: Cluster, stream: StreamRecord): FollowBy[] {
  const renditions = cluster.copies.get(stream.name);
  if (!renditions) return [];
  const root = cluster.loads.get(stream.origin);
  // Nothing is known yet of a broadcast that was just claimed; its servers go on as they are.
  if (stream.renditions.length === 0)
    return [...renditions.keys()].sort().flatMap((name) => asTheyAre(renditions.get(name)!));
  return stream.renditions.flatMap((rendition) => {
    const copies = renditions.get(rendition.name);
    if (!copies) return [];
    // Without its origin viewers live from the window, and the tree waits for the next origin as it is.
    if (!root || !copies.get(stream.origin)?.isHeld) return asTheyAre(copies);
    const bitrate = bitrateMbps(rendition);
    const spread = { root, copies, bitrateMbps: bitrate, demandMbps: demandMbps(copies, bitrate) };
    return spreadOver(spread, cluster.holders, { stream: stream.name, rendition: rendition.name });
  });
}

function asTheyAre(copies: Copies): FollowBy[] {
  return [...copies].flatMap(([id, { follow }]) => (follow ? [[id, follow] as const] : []));
}

function spreadOver(
  spread: Spread,
  candidates: readonly ServerLoad[],
  what: { readonly stream: string; readonly rendition: string },
): FollowBy[] {
  const holders = chooseHolders(spread, candidates);
  const tree = [...branchesOf(growTree(spread, holders))];
  book(spread, tree);
  return tree.flatMap((branch) => {
    if (!branch.parent) return [];
    const second = secondParent(branch);
    const parents = [branch.parent, ...(second ? [second] : [])].map(asParent);
    return [[branch.load.server.id, { ...what, parents }] as const];
  });
}

function asParent({ load }: Branch): Parent {
  return { id: load.server.id, relayUrl: load.server.relayUrl };
}

/** Writes down what the rendition will have its servers send: its new links, and the viewers who are yet to come. */
function book(spread: Spread, tree: readonly Branch[]): void {
  const { copies, bitrateMbps: bitrate } = spread;
  for (const { load, children } of copies.values()) load.usedMbps -= children * bitrate;
  for (const { load, children } of tree) load.usedMbps += children.length * bitrate;
  const serving = tree.filter(({ load }) => load.mayHold).map(({ load }) => load);
  const viewersMbps = (load: ServerLoad): number => (copies.get(load.server.id)?.viewers ?? 0) * bitrate;
  let comingMbps = serving.reduce((rest, load) => rest - viewersMbps(load), spread.demandMbps);
  for (const load of serving.sort((one, other) => (one.server.id < other.server.id ? -1 : 1))) {
    if (comingMbps <= 0) break;
    const taken = Math.min(comingMbps, Math.max(0, load.server.egressMbps * FILL - load.usedMbps));
    load.usedMbps += taken;
    comingMbps -= taken;
  }
}

function isSame(one: Assignment, other: Assignment): boolean {
  return (
    one.follows.length === other.follows.length &&
    one.follows.every((follow, at) => isSameFollow(follow, other.follows[at]!))
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
