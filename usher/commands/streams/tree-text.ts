// A stream as text that a person can read: what is live of it, and the tree of each rendition. Pure.

import { type Paint, PLAIN } from '../../../network/command/paint.ts';
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

export function treeText(snapshot: Snapshot, stream: StreamRecord, paint: Paint = PLAIN): string {
  const { name, live, lastMsn, term, renditions } = stream;
  const progress = lastMsn < 0 ? 'no segment yet' : `segment ${lastMsn}`;
  const state = live ? paint.green('live') : paint.yellow('waits for its broadcaster');
  const head = `${paint.bold(name)}: ${state}, ${progress}, claimed in term ${term}`;
  const texts = renditions.map((rendition) => renditionText(snapshot, stream, rendition));
  return [head, ...jobTexts(snapshot, name), ...texts].join('\n');
}

/** Of all renditions, on the servers that live. */
export function viewersOf(snapshot: Snapshot, name: string): number {
  const living = snapshot.servers.filter(({ beatAtMs }) => isAlive(beatAtMs, snapshot));
  const held = living.flatMap(({ holdings }) => holdings.filter(({ stream }) => stream === name));
  return sum(held.map(({ viewers }) => viewers));
}

/** Who transcodes it, with what went wrong last. */
function jobTexts(snapshot: Snapshot, name: string): string[] {
  return snapshot.servers.flatMap(({ id, beatAtMs, transcoding }) => {
    const job = transcoding?.jobs.find(({ stream }) => stream === name);
    if (!job || !isAlive(beatAtMs, snapshot)) return [];
    return [`  transcoded on ${id}: ${[job.state, job.reason].filter((word) => word).join(', ')}`];
  });
}

function renditionText(snapshot: Snapshot, stream: StreamRecord, rendition: RenditionRecord): string {
  const tree = readTree(snapshot, stream, rendition.name);
  const { width, height, frameRate, averageBps, codecs } = rendition;
  const picture = height > 0 ? `${width}x${height} ${Number(frameRate.toFixed(2))} fps, ` : '';
  const viewers = sum([...tree.held.values()].map((held) => held.viewers));
  const holders = count(tree.held.size, 'server');
  return [
    `  ${rendition.name}: ${picture}${(averageBps / 1e6).toFixed(1)} Mbps, ${codecs}, ${count(viewers, 'viewer')} on ${holders}`,
    ...drawTree(tree),
  ].join('\n');
}

/** A rendition as it is on living servers, and as it should be. */
export interface Tree {
  readonly snapshot: Snapshot;
  /** Where the feed is written: the origin, or a worker. */
  readonly root: string;
  readonly servers: ReadonlyMap<string, KnownServer>;
  readonly held: ReadonlyMap<string, Holding>;
  readonly follows: ReadonlyMap<string, Follow>;
  readonly children: ReadonlyMap<string, readonly string[]>;
}

export function readTree(snapshot: Snapshot, { name, origin }: StreamRecord, rendition: string): Tree {
  const isOfIt = (each: { readonly stream: string; readonly rendition: string }): boolean =>
    each.stream === name && each.rendition === rendition;
  const held = new Map<string, Holding>();
  const follows = new Map<string, Follow>();
  for (const { id, beatAtMs, holdings } of snapshot.servers) {
    const holding = holdings.find(isOfIt);
    if (holding && isAlive(beatAtMs, snapshot)) held.set(id, holding);
  }
  for (const [id, assignment] of Object.entries(snapshot.plan)) {
    const follow = assignment.follows.find(isOfIt);
    if (follow) follows.set(id, follow);
  }
  const children = Map.groupBy([...follows.keys()].sort(), (id) => follows.get(id)!.parents[0]?.id ?? '');
  const servers = new Map(snapshot.servers.map((server) => [server.id, server]));
  const root = makerOf(snapshot.servers, name, rendition)?.id ?? origin;
  return { snapshot, root, servers, held, follows, children };
}

/** Each server once, whatever the plan says; then who has no way to the origin by the plan, and who is not in it. */
function drawTree(tree: Tree): string[] {
  const drawn = new Set<string>();
  const lines = drawBelow(tree, tree.root, '  ', '  ', drawn);
  const lost = [...tree.follows.keys()].filter((id) => !drawn.has(id)).sort();
  const apart = [...tree.held.keys()].filter((id) => !drawn.has(id) && !tree.follows.has(id)).sort();
  for (const [title, ids] of [
    ['without a way to the origin', lost],
    ['outside the plan', apart],
  ] as const)
    if (ids.length > 0) lines.push(`  ${title}:`, ...ids.map((id) => `  · ${serverLine(tree, id)}`));
  return lines;
}

function drawBelow(tree: Tree, id: string, first: string, rest: string, drawn: Set<string>): string[] {
  drawn.add(id);
  const children = (tree.children.get(id) ?? []).filter((child) => !drawn.has(child));
  const below = children.flatMap((child, at) => {
    if (drawn.has(child)) return [];
    const isLast = at === children.length - 1;
    return drawBelow(
      tree,
      child,
      `${rest}${isLast ? '└─ ' : '├─ '}`,
      `${rest}${isLast ? '   ' : '│  '}`,
      drawn,
    );
  });
  return [`${first}${serverLine(tree, id)}`, ...below];
}

function serverLine(tree: Tree, id: string): string {
  const { servers, held, follows, root, snapshot } = tree;
  const server = servers.get(id);
  const holding = held.get(id);
  const second = follows.get(id)?.parents[1]?.id;
  const behind = (held.get(root)?.next ?? 0) - (holding?.next ?? 0);
  if (!server) return `${id} (gone)`;
  const isDead = !isAlive(server.beatAtMs, snapshot);
  const words = [
    isDead && 'dead',
    holding && count(holding.viewers, 'viewer'),
    !isDead && !holding && 'has nothing yet',
    holding && behind > 0 && held.has(root) && `${count(behind, 'chunk')} behind`,
    server.drain && 'drains',
    second && `else from ${second}`,
  ];
  return `${id} (${server.site}) ${words.filter((word) => word).join(', ')}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
