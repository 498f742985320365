// A snapshot read for planning: each rendition with the servers where it is and is to be, and what these send. Pure.

import { SOURCE } from '../../network/feed/feeds.ts';
import type { Topology } from '../../network/map/topology.ts';
import { makerOf } from '../../network/state/rungs.ts';
import type { Follow, Snapshot, StreamRecord } from '../../network/state/state.ts';
import type { Policies, Policy } from '../placement/price/policy.ts';
import { type Arrivals, bitrateMbps, readDemand } from './demand.ts';
import { type Ground, type PlanServer, readGround, send } from './ground.ts';
import type { PlanMemory } from './memory.ts';

/** A rendition on one living server. */
export interface Copy {
  readonly on: PlanServer;
  /** It has the feed; else the plan wants it to. */
  isHeld: boolean;
  /** A CDN pulls it from there. */
  isPulled: boolean;
  viewers: number;
  arrivalsPerS: number;
  /** What the plan says so far. */
  follow: Follow | undefined;
  /** Its first parent, by the plan so far, if that has the rendition. */
  parent: Copy | undefined;
  /** How many servers follow it, by the plan so far. */
  children: number;
}

/** A rendition as it is spread over servers. */
export interface Spread {
  readonly stream: StreamRecord;
  readonly policy: Policy;
  readonly rendition: string;
  readonly bitrateMbps: number;
  /** In order of the servers' ids. */
  readonly copies: Copy[];
  /** That of its origin. Undefined while that has none, or no living server is its origin. */
  root: Copy | undefined;
  /** Who comes, by the name of the site that would serve them best; undefined: nobody asks ushers, and the servers say who comes. */
  asked: ReadonlyMap<string, Arrivals> | undefined;
}

export interface Cluster {
  readonly ground: Ground;
  /** In order of their names: all renditions of each. */
  readonly streams: readonly SpreadStream[];
}

export interface SpreadStream {
  readonly stream: StreamRecord;
  readonly policy: Policy;
  readonly spreads: Spread[];
}

export interface ClusterOptions {
  readonly topology: Topology;
  readonly policies: Policies;
  readonly memory: PlanMemory;
}

export function readCluster(snapshot: Snapshot, { topology, policies, memory }: ClusterOptions): Cluster {
  const ground = readGround(snapshot, topology);
  const streams = new Map(snapshot.streams.map((stream) => [stream.name, spreadStream(stream, policies)]));
  for (const server of ground.servers.values()) readServer(snapshot, ground, server, streams);
  const knownMbps = new Float64Array(ground.servers.size);
  for (const { stream, spreads } of streams.values()) {
    if (stream.renditions.length === 0)
      spreads.sort((one, other) => (one.rendition < other.rendition ? -1 : 1));
    for (const spread of spreads) {
      tieCopies(spread, ground, rootOf(spread, snapshot, ground));
      countUse(spread, ground, knownMbps);
    }
  }
  // What was sent so far is there too: archives, and followers that no plan knows of. What was promised is not yet.
  for (const server of ground.servers.values())
    send(server, Math.max(0, knownMbps[server.index]! - server.load.usedMbps));
  if (topology.cdns.length > 0) for (const { spreads } of streams.values()) keepForCdns(spreads);
  for (const [name, asked] of readDemand(snapshot)) {
    const of = streams.get(name);
    const lastingPerS: LastingPerS = (site, perS) => memory.lastingPerS(name, site, snapshot.nowMs, perS);
    if (of) shareOut(of.spreads, asked, lastingPerS);
  }
  return { ground, streams: [...streams.values()] };
}

export function newCopy(on: PlanServer): Copy {
  return {
    on,
    isHeld: false,
    isPulled: false,
    viewers: 0,
    arrivalsPerS: 0,
    follow: undefined,
    parent: undefined,
    children: 0,
  };
}

export function copyOn({ copies }: Spread, server: PlanServer | undefined): Copy | undefined {
  if (!server) return undefined;
  let from = 0;
  let to = copies.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (copies[middle]!.on.index < server.index) from = middle + 1;
    else to = middle;
  }
  return copies[from]?.on === server ? copies[from] : undefined;
}

/** What of a server's sending a rendition accounts for. */
export function ownMbps({ viewers, children }: Copy, bitrateMbps: number): number {
  return (viewers + children) * bitrateMbps;
}

function spreadStream(stream: StreamRecord, policies: Policies): SpreadStream {
  const policy = policies.of(stream.name);
  const spreads = stream.renditions.map((record) =>
    spreadOf(stream, policy, record.name, bitrateMbps(record)),
  );
  return { stream, policy, spreads };
}

function spreadOf(stream: StreamRecord, policy: Policy, rendition: string, mbps: number): Spread {
  return { stream, policy, rendition, bitrateMbps: mbps, copies: [], root: undefined, asked: undefined };
}

type Streams = ReadonlyMap<string, SpreadStream>;

/** A server of which the plan says nothing is to do what it does: so a plan that was lost is made again as it was. */
function readServer({ plan }: Snapshot, { servers }: Ground, on: PlanServer, streams: Streams): void {
  const { id, holdings } = on.server;
  const isPlanned = Object.hasOwn(plan, id);
  for (const { stream, rendition, viewers, isPulled, arrivalsPerS, parent } of holdings) {
    const copy = copyAt(streams.get(stream), rendition, on);
    if (!copy) continue;
    copy.isHeld = true;
    copy.isPulled ||= isPulled === true;
    copy.viewers += viewers;
    copy.arrivalsPerS += arrivalsPerS;
    const from = parent !== null && !isPlanned && servers.get(parent)?.server;
    if (from) copy.follow = { stream, rendition, parents: [{ id: from.id, relayUrl: from.relayUrl }] };
  }
  if (!isPlanned) return;
  for (const follow of plan[id]!.follows) {
    const copy = copyAt(streams.get(follow.stream), follow.rendition, on);
    if (copy) copy.follow ??= follow;
  }
}

/** Servers are read one after the other: if this one has the rendition already, it is the last. */
function copyAt(of: SpreadStream | undefined, rendition: string, on: PlanServer): Copy | undefined {
  const copies = of && spreadNamed(of, rendition)?.copies;
  if (!copies) return undefined;
  const last = copies.at(-1);
  if (last?.on === on) return last;
  const copy = newCopy(on);
  copies.push(copy);
  return copy;
}

/** Nothing is known yet of a broadcast that was just claimed: what is held and followed of it says which renditions it has. */
function spreadNamed({ stream, policy, spreads }: SpreadStream, rendition: string): Spread | undefined {
  const known = spreads.find((spread) => spread.rendition === rendition);
  if (known || stream.renditions.length > 0) return known;
  const spread = spreadOf(stream, policy, rendition, 0);
  spreads.push(spread);
  return spread;
}

/** The worker that makes the rendition; what no worker makes is the origin's own. */
function rootOf(
  { stream, rendition }: Spread,
  { servers }: Snapshot,
  ground: Ground,
): PlanServer | undefined {
  const maker = rendition === SOURCE ? undefined : makerOf(servers, stream.name, rendition);
  return ground.servers.get(maker?.id ?? stream.origin);
}

function tieCopies(spread: Spread, { servers }: Ground, rootServer: PlanServer | undefined): void {
  const root = copyOn(spread, rootServer);
  if (root?.isHeld && spread.bitrateMbps > 0) spread.root = root;
  for (const copy of spread.copies) {
    const first = copy.follow?.parents[0];
    if (!first) continue;
    copy.parent = copyOn(spread, servers.get(first.id));
    if (copy.parent) copy.parent.children += 1;
  }
}

function countUse({ copies, bitrateMbps: bitrate }: Spread, { ways }: Ground, knownMbps: Float64Array): void {
  for (const copy of copies) {
    knownMbps[copy.on.index]! += ownMbps(copy, bitrate);
    if (!copy.parent || copy.parent.on.site === copy.on.site) continue;
    const { link } = ways.between(copy.parent.on.site, copy.on.site);
    if (link) link.usedMbps += bitrate;
  }
}

/** The origin can pass each of its streams to a CDN, also when viewers and copies have taken all else. */
function keepForCdns(spreads: readonly Spread[]): void {
  if (spreads.some(({ copies }) => copies.some(({ isPulled }) => isPulled))) return;
  for (const { root, bitrateMbps: bitrate } of spreads) if (root) send(root.on, bitrate);
}

/**
 * Ushers know of a stream who asks for it, servers of each rendition who comes: usually the same viewers. Those who come
 * without having asked are added where they come; renditions get their parts by who watches them, the first one all of them
 * while nobody does.
 */
function shareOut(
  spreads: readonly Spread[],
  asked: ReadonlyMap<string, number>,
  lastingPerS: LastingPerS,
): void {
  const came = arrivalsAt(spreads);
  const extra = Math.max(0, sum(came.values()) - sum(asked.values()));
  const share = extra / (sum(came.values()) || 1);
  const all = new Map(asked);
  for (const [site, perS] of came) all.set(site, (all.get(site) ?? 0) + perS * share);
  const arrivals = [...all].map(
    ([site, perS]) => [site, { perS, lastingPerS: lastingPerS(site, perS) }] as const,
  );
  const weights = spreads.map(weightOf);
  const weight = sum(weights);
  for (const [at, spread] of spreads.entries()) {
    const part = weight > 0 ? weights[at]! / weight : at === 0 ? 1 : 0;
    spread.asked = new Map(arrivals.map(([site, each]) => [site, partOf(each, part)]));
  }
}

function partOf({ perS, lastingPerS }: Arrivals, part: number): Arrivals {
  return { perS: perS * part, lastingPerS: lastingPerS * part };
}

type LastingPerS = (site: string, perS: number) => number;

function arrivalsAt(spreads: readonly Spread[]): Map<string, number> {
  const came = new Map<string, number>();
  for (const { copies } of spreads)
    for (const { on, arrivalsPerS } of copies)
      if (arrivalsPerS > 0) came.set(on.site.scene.name, (came.get(on.site.scene.name) ?? 0) + arrivalsPerS);
  return came;
}

function weightOf({ copies }: Spread): number {
  return copies.reduce((weight, { viewers, arrivalsPerS }) => weight + viewers + arrivalsPerS, 0);
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
