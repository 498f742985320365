// One stream as the console shows it: its ladder, the tree of each rendition as it is and as it is to be, and its jobs. Pure.

import { isAlive } from '../../../network/state/liveness.ts';
import { makerOf } from '../../../network/state/rungs.ts';
import type {
  Follow,
  Holding,
  KnownServer,
  RenditionRecord,
  Snapshot,
  StreamRecord,
} from '../../../network/state/state.ts';
import { findStream } from '../../placement/scene/streams.ts';
import type { JobFigures, RenditionFigures, StreamDetail, Table, TreeServer } from '../messages.ts';
import { kbpsOf, streamFigures, tableOf } from './cluster.ts';
import { streamCost, transitBySite } from './costs.ts';
import type { Look } from './look.ts';
import type { Tally } from './tally.ts';

/** Fewer chunks behind the root than this is the way between two beats. */
const ABREAST = 100;

/** Undefined: there is no such stream. */
export function streamDetail(name: string, look: Look, tally: Tally): StreamDetail | undefined {
  const { snapshot } = look;
  const stream = findStream(snapshot, name);
  if (!stream) return undefined;
  const cost = streamCost(tally, transitBySite(tally, look), look, stream, tally.streams.get(name));
  return {
    name,
    ...streamFigures(stream, look, tally),
    cost,
    ladder: tableOf(stream.renditions, (rendition) => [
      rendition.name,
      renditionFigures(snapshot, stream, rendition),
    ]),
    cdns: Object.fromEntries(look.cdnViewers.get(name) ?? []),
    jobs: jobsOf(snapshot, name),
  };
}

function renditionFigures(
  snapshot: Snapshot,
  stream: StreamRecord,
  rendition: RenditionRecord,
): RenditionFigures {
  const { codecs, width, height, frameRate, averageBps, name } = rendition;
  const tree = treeOf(snapshot, stream, name);
  const viewers = Object.values(tree).reduce((sum, server) => sum + server.viewers, 0);
  return { codecs, width, height, frameRate, kbps: kbpsOf(averageBps), viewers, tree };
}

interface Place {
  readonly server: KnownServer;
  readonly holding: Holding | undefined;
  readonly follow: Follow | undefined;
}

function treeOf(snapshot: Snapshot, { name, origin }: StreamRecord, rendition: string): Table<TreeServer> {
  const places = placesOf(snapshot, name, rendition);
  const root = makerOf(snapshot.servers, name, rendition)?.id ?? origin;
  const newest = places.find(({ server }) => server.id === root)?.holding?.next ?? 0;
  return tableOf(places, (place) => [place.server.id, treeServer(snapshot, place, root, newest)]);
}

/** Everybody who holds the rendition or is to follow it. */
function placesOf(snapshot: Snapshot, stream: string, rendition: string): Place[] {
  const isOfIt = (each: { readonly stream: string; readonly rendition: string }): boolean =>
    each.stream === stream && each.rendition === rendition;
  return snapshot.servers.flatMap((server) => {
    const holding = server.holdings.find(isOfIt);
    const follow = Object.hasOwn(snapshot.plan, server.id)
      ? snapshot.plan[server.id]!.follows.find(isOfIt)
      : undefined;
    return holding || follow ? [{ server, holding, follow }] : [];
  });
}

function treeServer(
  snapshot: Snapshot,
  { server, holding, follow }: Place,
  root: string,
  newest: number,
): TreeServer {
  const isRoot = server.id === root;
  const isDead = !isAlive(server.beatAtMs, snapshot);
  const parent = holding ? (holding.parent ?? undefined) : follow?.parents[0]?.id;
  const nextParent = follow?.parents.find(({ id }) => id !== parent)?.id;
  const behind = holding && !isRoot ? newest - holding.next : 0;
  return {
    site: server.site,
    state: isDead ? 'dead' : stateOf(isRoot, holding, follow),
    ...(isRoot || parent === undefined ? {} : { parent }),
    ...(nextParent === undefined ? {} : { nextParent }),
    viewers: isDead ? 0 : (holding?.viewers ?? 0),
    arrivalsPerS: isDead ? 0 : Number((holding?.arrivalsPerS ?? 0).toPrecision(2)),
    ...(behind > ABREAST ? { behind } : {}),
  };
}

function stateOf(
  isRoot: boolean,
  holding: Holding | undefined,
  follow: Follow | undefined,
): TreeServer['state'] {
  if (isRoot) return 'root';
  if (!holding) return 'coming';
  return follow ? 'held' : 'going';
}

function jobsOf(snapshot: Snapshot, stream: string): Table<JobFigures> {
  const jobs = snapshot.servers.flatMap(({ id, beatAtMs, transcoding }) => {
    const job = transcoding?.jobs.find((each) => each.stream === stream);
    return job && isAlive(beatAtMs, snapshot) ? [{ id, job }] : [];
  });
  return tableOf(jobs, ({ id, job }) => [id, jobFigures(job)]);
}

export function jobFigures({
  state,
  reason,
  renditions,
}: {
  readonly state: string;
  readonly reason: string;
  readonly renditions: readonly RenditionRecord[];
}): JobFigures {
  return { state, ...(reason === '' ? {} : { reason }), renditions: renditions.map(({ name }) => name) };
}
