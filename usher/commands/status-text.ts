// The cluster as text that a person can read: servers with their load, streams with their trees. Pure.

import { isAlive } from '../../network/state/liveness.ts';
import { makerOf } from '../../network/state/rungs.ts';
import type {
  Follow,
  Holding,
  KnownServer,
  RenditionRecord,
  Snapshot,
  StreamRecord,
} from '../../network/state/state.ts';
import { drainTexts } from './drain-text.ts';
import { tableLines } from './table.ts';

/** What is shown at most: a cluster of thousands is for the eyes of programs. */
const MAX_SERVERS = 100;
const MAX_STREAMS = 20;
const BAR = 10;

export function statusText(snapshot: Snapshot): string {
  const drains = drainTexts(snapshot).join('\n');
  const parts = [summary(snapshot), serverTable(snapshot), drains, ...streamTexts(snapshot)];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function summary(snapshot: Snapshot): string {
  const { servers, streams, planTerm } = snapshot;
  const living = servers.filter(({ beatAtMs }) => isAlive(beatAtMs, snapshot));
  const dead = servers.length - living.length;
  const viewers = sum(living.flatMap(({ holdings }) => holdings.map((held) => held.viewers)));
  const counts = `${count(servers.length, 'server')}${dead > 0 ? ` (${dead} dead)` : ''}, ${count(streams.length, 'stream')}, ${count(viewers, 'viewer')}`;
  return `${counts}, ${planTerm === 0 ? 'no plan yet' : `plan of term ${planTerm}`}`;
}

function serverTable(snapshot: Snapshot): string {
  const shown = snapshot.servers.slice(0, MAX_SERVERS);
  if (shown.length === 0) return '';
  const head = ['SERVER', 'SITE', 'ROLES', 'EGRESS', '', 'VIEWERS', 'FEEDS', ''];
  const rows = [head, ...shown.map((server) => serverRow(snapshot, server))];
  const lines = tableLines(rows, [4, 5, 6]);
  return [...lines, ...more(snapshot.servers.length, MAX_SERVERS)].join('\n');
}

function serverRow(snapshot: Snapshot, server: KnownServer): string[] {
  const { id, site, roles, sentMbps, egressMbps, holdings, drain, beatAtMs } = server;
  const silentS = Math.round((snapshot.nowMs - beatAtMs) / 1000);
  const dead = !isAlive(beatAtMs, snapshot) && `dead: silent for ${silentS} s`;
  return [
    id,
    site,
    roles.join(', '),
    bar(egressMbps > 0 ? sentMbps / egressMbps : 1),
    `${Math.round(sentMbps)}/${Math.round(egressMbps)} Mbps`,
    String(sum(holdings.map(({ viewers }) => viewers))),
    String(holdings.length),
    dead || (drain ? 'drains' : ''),
  ];
}

function bar(share: number): string {
  const full = Math.min(BAR, Math.max(0, Math.round(share * BAR)));
  return '█'.repeat(full) + '░'.repeat(BAR - full);
}

/** Those with the most viewers first. */
function streamTexts(snapshot: Snapshot): string[] {
  const ranked = snapshot.streams.map((stream) => ({ stream, viewers: viewersOf(snapshot, stream.name) }));
  ranked.sort((one, other) => other.viewers - one.viewers || (one.stream.name < other.stream.name ? -1 : 1));
  const texts = ranked.slice(0, MAX_STREAMS).map(({ stream }) => streamText(snapshot, stream));
  return [...texts, ...more(snapshot.streams.length, MAX_STREAMS)];
}

function more(all: number, shown: number): string[] {
  return all > shown ? [`and ${all - shown} more, which --json has`] : [];
}

function streamText(snapshot: Snapshot, stream: StreamRecord): string {
  const { name, live, lastMsn, term, renditions } = stream;
  const progress = lastMsn < 0 ? 'no segment yet' : `segment ${lastMsn}`;
  const head = `${name}: ${live ? 'live' : 'waits for its broadcaster'}, ${progress}, claimed in term ${term}`;
  const texts = renditions.map((rendition) => renditionText(snapshot, stream, rendition));
  return [head, ...jobTexts(snapshot, name), ...texts].join('\n');
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
interface Tree {
  readonly snapshot: Snapshot;
  /** Where the feed is written: the origin, or a worker. */
  readonly root: string;
  readonly servers: ReadonlyMap<string, KnownServer>;
  readonly held: ReadonlyMap<string, Holding>;
  readonly follows: ReadonlyMap<string, Follow>;
  readonly children: ReadonlyMap<string, readonly string[]>;
}

function readTree(snapshot: Snapshot, { name, origin }: StreamRecord, rendition: string): Tree {
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

function viewersOf(snapshot: Snapshot, name: string): number {
  const living = snapshot.servers.filter(({ beatAtMs }) => isAlive(beatAtMs, snapshot));
  const held = living.flatMap(({ holdings }) => holdings.filter(({ stream }) => stream === name));
  return sum(held.map(({ viewers }) => viewers));
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
