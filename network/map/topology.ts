// The topology: sites, their uplinks, the links between them and the CDNs, with what each can carry and costs. Pure.

import { estimatedRttMs, type Position } from './position.ts';

/** A datacenter. */
export interface Site {
  readonly name: string;
  /** ISO 3166-1 alpha-2. */
  readonly country?: string;
  readonly position?: Position;
  /** Names are unique in a site. */
  readonly uplinks: readonly Uplink[];
  /** What a host's network card can carry, Mbps by name of the host: of those where it is less than its servers may send. */
  readonly hosts: Readonly<Record<string, number>>;
}

/** A way out of a site. Its name is 1 to 16 letters, digits and `_`: it travels in the sessions of viewers. */
export type Uplink = Peering | Transit;

/** A port to the networks of certain ASNs, without a price for what it carries. */
export interface Peering {
  readonly kind: 'peering';
  readonly name: string;
  readonly capacityMbps: number;
  readonly asns: readonly number[];
}

/** A way to everybody. */
export interface Transit {
  readonly kind: 'transit';
  readonly name: string;
  readonly capacityMbps: number;
  readonly billing: Billing;
}

export type Billing =
  /**
   * By the month: the mean Mbps of every 5 minutes are sorted, those above the percentile are dropped, and the highest that is
   * left is paid; at least the commit.
   */
  | {
      readonly kind: 'percentile';
      readonly percentile: 90 | 95;
      readonly microUsdPerMbpsMonth: number;
      readonly commitMbps: number;
    }
  | { readonly kind: 'volume'; readonly microUsdPerGb: number };

/** What two sites have between them for copies of streams. Capacity is that of each direction. */
export interface Link {
  /** Sorted. */
  readonly sites: readonly [string, string];
  readonly capacityMbps: number;
  readonly microUsdPerGb: number;
  readonly rttMs: number;
}

export interface Cdn {
  readonly name: string;
  /** `{shield}` stands for the id of the server it pulls from, `{path}` for the path there with its leading slash. */
  readonly urlTemplate: string;
  readonly microUsdPerGb: number;
  /** ISO 3166-1 alpha-2 of the viewers it may serve; without it all. */
  readonly countries?: readonly string[];
  /** What may be spent in a calendar month. */
  readonly capMicroUsdPerMonth: number;
  /** How many servers it pulls a stream from. */
  readonly shields: number;
}

export interface Topology {
  readonly sites: ReadonlyMap<string, Site>;
  readonly links: readonly Link[];
  readonly cdns: readonly Cdn[];
}

/** Stands for no limit; finite, so that it keeps its value in JSON. */
export const UNLIMITED_MBPS = 1e9;

/** Without a file, sites are what servers say. */
export const NO_TOPOLOGY: Topology = { sites: new Map(), links: [], cdns: [] };

/** A site that the topology does not name has no place and one transit, free and without a limit. */
export function siteOf(topology: Topology, name: string): Site {
  return topology.sites.get(name) ?? { name, uplinks: [UNLISTED_TRANSIT], hosts: {} };
}

/**
 * What copies between two different sites go over, or undefined where nothing joins them directly. A site that the topology
 * does not name is joined to all others, free and without a limit.
 */
export function linkBetween(topology: Topology, one: string, other: string): Link | undefined {
  const sites: Link['sites'] = one < other ? [one, other] : [other, one];
  const listed = topology.links.find((link) => link.sites[0] === sites[0] && link.sites[1] === sites[1]);
  if (listed || (topology.sites.has(one) && topology.sites.has(other))) return listed;
  const rttMs = estimatedRttMs(undefined, undefined);
  return { sites, capacityMbps: UNLIMITED_MBPS, microUsdPerGb: 0, rttMs };
}

/** What may be meant, and is worth a word to the operator. */
export function remarksOn({ sites, links }: Topology): string[] {
  const joined = new Set(links.flatMap((link) => link.sites));
  return [...sites.values()].flatMap(({ name, uplinks }) => [
    ...(uplinks.some(({ kind }) => kind === 'transit')
      ? []
      : [`site '${name}' has no transit: it serves only viewers in networks that it peers with`]),
    ...(sites.size === 1 || joined.has(name)
      ? []
      : [`site '${name}' has no link: no stream is copied to or from it`]),
  ]);
}

const UNLISTED_TRANSIT: Transit = {
  kind: 'transit',
  name: 'transit',
  capacityMbps: UNLIMITED_MBPS,
  billing: { kind: 'volume', microUsdPerGb: 0 },
};
