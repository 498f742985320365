// Which streams a server holds, and what a site has: what the pages of one of them show. Pure.

import { isAlive } from '../../../network/state/liveness.ts';
import type { KnownServer, Snapshot } from '../../../network/state/state.ts';
import { findStream } from '../../placement/scene/streams.ts';
import type { HeldStream, ServerAnswer, SiteAnswer } from '../messages.ts';
import { clusterOf, monthOf, rounded, serverFigures, tableOf } from './cluster.ts';
import { siteCost, transitBySite } from './costs.ts';
import type { Look } from './look.ts';
import { jobFigures } from './stream.ts';
import type { Tally } from './tally.ts';

/** Listed on a page at most. */
const MAX_LISTED = 200;

/** Undefined: no such server is known. */
export function serverAnswer(id: string, look: Look, tally: Tally): ServerAnswer | undefined {
  const { snapshot } = look;
  const server = snapshot.servers.find((each) => each.id === id);
  if (!server) return undefined;
  const streams = heldStreams([server], snapshot);
  return {
    id,
    server: serverFigures(server, look, tally),
    mediaUrl: server.mediaUrl,
    streams: streams.slice(0, MAX_LISTED),
    streamCount: streams.length,
    jobs: (server.transcoding?.jobs ?? []).map((job) => ({ stream: job.stream, ...jobFigures(job) })),
  };
}

/** Undefined: no such site is known. */
export function siteAnswer(name: string, look: Look, tally: Tally): SiteAnswer | undefined {
  const { snapshot } = look;
  const { sites, links } = clusterOf(look, tally);
  const site = Object.hasOwn(sites, name) ? sites[name] : undefined;
  if (!site) return undefined;
  const servers = snapshot.servers.filter((server) => server.site === name);
  const streams = heldStreams(servers, snapshot);
  const plant = tally.plant.sites.find((each) => each.name === name);
  const own = Object.entries(links).filter(([pair]) => pair.split('/').includes(name));
  return {
    name,
    site,
    cost: siteCost(tally, transitBySite(tally, look), name),
    month: { transitMicroUsd: plant ? Math.round(monthOf(plant, look)) : 0, cdnMicroUsd: 0 },
    servers: servers.map(({ id }) => id),
    links: tableOf(own, ([pair, link]) => {
      const [one, other] = pair.split('/') as [string, string];
      if (one === name) return [other, link];
      return [one, { ...link, thereMbps: link.backMbps, backMbps: link.thereMbps }];
    }),
    streams: streams.slice(0, MAX_LISTED),
    streamCount: streams.length,
  };
}

interface Held {
  viewers: number;
  arrivalsPerS: number;
  sentMbps: number;
  isOrigin: boolean;
  parent: string | undefined;
  readonly renditions: Set<string>;
}

/** Of one server or several, those with the most viewers first. */
function heldStreams(servers: readonly KnownServer[], snapshot: Snapshot): HeldStream[] {
  const found = new Map<string, Held>();
  for (const server of servers) if (isAlive(server.beatAtMs, snapshot)) addHeld(found, server, snapshot);
  const listed = [...found].map(([stream, held]): HeldStream => {
    const { viewers, arrivalsPerS, sentMbps, isOrigin, parent, renditions } = held;
    return {
      stream,
      viewers,
      arrivalsPerS: Number(arrivalsPerS.toPrecision(2)),
      sentMbps: rounded(sentMbps),
      isOrigin,
      ...(parent === undefined || servers.length > 1 ? {} : { parent }),
      renditions: [...renditions],
    };
  });
  return listed.sort((one, other) => other.viewers - one.viewers || (one.stream < other.stream ? -1 : 1));
}

function addHeld(found: Map<string, Held>, server: KnownServer, snapshot: Snapshot): void {
  for (const { stream, rendition, viewers, arrivalsPerS, parent } of server.holdings) {
    const record = findStream(snapshot, stream);
    const held = found.getOrInsertComputed(stream, nothingHeld);
    const known = record?.renditions.find(({ name }) => name === rendition);
    held.viewers += viewers;
    held.arrivalsPerS += arrivalsPerS;
    held.sentMbps += viewers * ((known?.averageBps ?? 0) / 1e6);
    held.isOrigin ||= record?.origin === server.id;
    if (rendition === record?.renditions[0]?.name) held.parent = parent ?? undefined;
    held.renditions.add(rendition);
  }
}

function nothingHeld(): Held {
  return {
    viewers: 0,
    arrivalsPerS: 0,
    sentMbps: 0,
    isOrigin: false,
    parent: undefined,
    renditions: new Set(),
  };
}
