// The overview of a cluster, as the console shows it, of one look. Pure.

import { UNLIMITED_MBPS, type Uplink } from '../../../network/map/topology.ts';
import { isAlive } from '../../../network/state/liveness.ts';
import type { KnownServer, StreamRecord } from '../../../network/state/state.ts';
import { linkResource } from '../../placement/scene/loads.ts';
import type { SceneSite } from '../../placement/scene/plant.ts';
import type {
  CdnFigures,
  Cluster,
  DrainFigures,
  LinkFigures,
  ServerFigures,
  SiteFigures,
  StreamFigures,
  Table,
  Totals,
  UplinkFigures,
} from '../messages.ts';
import { monthMicroUsd, totalCost } from './costs.ts';
import type { Look } from './look.ts';
import type { Tally } from './tally.ts';

export function clusterOf(look: Look, tally: Tally): Cluster {
  const { snapshot, leader } = look;
  return {
    nowMs: snapshot.nowMs,
    totals: totalsOf(look, tally),
    lead: {
      ...(leader.id === undefined ? {} : { leader: leader.id }),
      isHere: leader.isHere,
      planTerm: snapshot.planTerm,
      ushers: snapshot.ushers.length,
    },
    sites: sitesOf(look, tally),
    links: linksOf(look, tally),
    cdns: cdnsOf(look),
    servers: tableOf(snapshot.servers, (server) => [server.id, serverFigures(server, look, tally)]),
    streams: tableOf(snapshot.streams, (stream) => [stream.name, streamFigures(stream, look, tally)]),
  };
}

/** Three significant digits: what changes less is not worth a message. */
export function rounded(mbps: number): number {
  return Number(mbps.toPrecision(3));
}

export function serverFigures(server: KnownServer, look: Look, tally: Tally): ServerFigures {
  const { id, site, host, roles, egressMbps, sentMbps, committedMbps, transcoding } = server;
  const sum = tally.servers.get(id);
  const drain = drainOf(server, look, tally);
  return {
    site,
    host,
    roles,
    ...(isAlive(server.beatAtMs, look.snapshot) ? {} : { isDead: true }),
    egressMbps,
    sentMbps: rounded(sentMbps),
    committedMbps: rounded(committedMbps),
    viewers: sum?.viewers ?? 0,
    copies: sum?.copies ?? 0,
    ...(drain ? { drain } : {}),
    ...(transcoding ? { jobs: transcoding.jobs.length, slots: transcoding.slots } : {}),
  };
}

/** Also of one that has not heard yet what usher wishes. */
export function drainOf(
  { id, drain: announced }: KnownServer,
  { snapshot }: Look,
  tally: Tally,
): DrainFigures | undefined {
  const drain = announced ?? (Object.hasOwn(snapshot.drains, id) ? snapshot.drains[id] : undefined);
  if (!drain) return undefined;
  const { viewers = 0, children = 0, broadcasts = 0 } = tally.servers.get(id) ?? {};
  return {
    sinceMs: drain.sinceMs,
    ...(drain.deadlineMs === null ? {} : { deadlineMs: drain.deadlineMs }),
    isWished: announced?.wished ?? true,
    viewers,
    children,
    broadcasts,
  };
}

export function streamFigures(stream: StreamRecord, { cdnViewers }: Look, tally: Tally): StreamFigures {
  const sum = tally.streams.get(stream.name);
  const byCdn = total(cdnViewers.get(stream.name)?.values() ?? []);
  return {
    isLive: stream.live,
    origin: stream.origin,
    startedAtMs: stream.startedAtMs,
    viewers: (sum?.viewers ?? 0) + byCdn,
    ...(byCdn > 0 ? { cdnViewers: byCdn } : {}),
    arrivalsPerS: Number((sum?.arrivalsPerS ?? 0).toPrecision(2)),
    kbps: kbpsOf(stream.renditions[0]?.averageBps ?? 0),
    sentMbps: rounded(sum?.servedMbps ?? 0),
    copies: sum?.copies ?? 0,
    renditions: stream.renditions.map(({ name }) => name),
  };
}

/** To three digits, as an encoder's rate wavers all the time. */
export function kbpsOf(bps: number): number {
  return rounded(Math.round(bps / 1000));
}

export function cdnsOf({ topology, snapshot, cdnViewers, cdnMicroUsdPerHour }: Look): Table<CdnFigures> {
  const viewers = new Map<string, number>();
  for (const counts of cdnViewers.values())
    for (const [cdn, count] of counts) viewers.set(cdn, (viewers.get(cdn) ?? 0) + count);
  return tableOf(topology.cdns, ({ name, capMicroUsdPerMonth }) => [
    name,
    {
      viewers: viewers.get(name) ?? 0,
      microUsdPerHour: Math.round(rounded(cdnMicroUsdPerHour.get(name) ?? 0)),
      monthMicroUsd: snapshot.spentMicroUsd[name] ?? 0,
      capMicroUsd: capMicroUsdPerMonth,
    },
  ]);
}

function totalsOf(look: Look, tally: Tally): Totals {
  const { snapshot, cdnViewers, topology } = look;
  const living = snapshot.servers.filter(({ beatAtMs }) => isAlive(beatAtMs, snapshot));
  const sites = [...tally.sites.values()];
  const byCdn = total([...cdnViewers.values()].map((counts) => total(counts.values())));
  return {
    viewers: total(sites.map(({ viewers }) => viewers)) + byCdn,
    cdnViewers: byCdn,
    arrivalsPerS: rounded(total(sites.map(({ arrivalsPerS }) => arrivalsPerS))),
    turnedAway: look.turnedAway,
    servers: living.length,
    deadServers: snapshot.servers.length - living.length,
    drainingServers: living.filter(({ id, drain }) => drain || Object.hasOwn(snapshot.drains, id)).length,
    streams: snapshot.streams.length,
    sentMbps: rounded(total(sites.map(({ sentMbps }) => sentMbps))),
    egressMbps: total(sites.map(({ egressMbps }) => egressMbps)),
    cost: totalCost(tally, look),
    month: {
      transitMicroUsd: Math.round(total(tally.plant.sites.map((site) => monthOf(site, look)))),
      cdnMicroUsd: total(topology.cdns.map(({ name }) => snapshot.spentMicroUsd[name] ?? 0)),
    },
  };
}

/** What a site's transit has cost this month. */
export function monthOf({ name, uplinks }: SceneSite, { snapshot }: Look): number {
  return total(
    uplinks.map(({ uplink }) => monthMicroUsd(uplink, snapshot.accounts[`${name}/${uplink.name}`])),
  );
}

/** Sites that the topology names without a server there are on the map too. */
function sitesOf(look: Look, tally: Tally): Table<SiteFigures> {
  const known = tally.plant.sites.map((site) => [site.name, siteFigures(site, look, tally)] as const);
  const empty = [...look.topology.sites.values()].map(({ name, country, position, uplinks }) => {
    const figures: SiteFigures = {
      ...whereabouts(country, position),
      servers: 0,
      viewers: 0,
      sentMbps: 0,
      egressMbps: 0,
      uplinks: tableOf(uplinks, (uplink) => [uplink.name, uplinkFigures(uplink, 0, undefined)]),
    };
    return [name, figures] as const;
  });
  return Object.fromEntries([...empty, ...known]);
}

export function siteFigures(site: SceneSite, look: Look, tally: Tally): SiteFigures {
  const sum = tally.sites.get(site.name);
  const { accounts } = look.snapshot;
  return {
    ...whereabouts(look.topology.sites.get(site.name)?.country, site.position),
    servers: sum?.servers ?? 0,
    viewers: sum?.viewers ?? 0,
    sentMbps: rounded(sum?.sentMbps ?? 0),
    egressMbps: sum?.egressMbps ?? 0,
    uplinks: tableOf(site.uplinks, ({ uplink, load }) => [
      uplink.name,
      uplinkFigures(
        uplink,
        load.usedMbps,
        Math.round(monthMicroUsd(uplink, accounts[`${site.name}/${uplink.name}`])),
      ),
    ]),
  };
}

function whereabouts(
  country: string | undefined,
  position: SceneSite['position'],
): Pick<SiteFigures, 'country' | 'latitude' | 'longitude'> {
  const { latitude, longitude } = position ?? {};
  return {
    ...(country === undefined ? {} : { country }),
    ...(latitude === undefined || longitude === undefined ? {} : { latitude, longitude }),
  };
}

function uplinkFigures(
  { kind, capacityMbps }: Uplink,
  usedMbps: number,
  monthMicroUsd: number | undefined,
): UplinkFigures {
  return {
    kind,
    usedMbps: rounded(usedMbps),
    ...(capacityMbps < UNLIMITED_MBPS ? { capacityMbps } : {}),
    ...(kind === 'transit' && monthMicroUsd !== undefined ? { monthMicroUsd } : {}),
  };
}

function linksOf({ topology }: Look, { flows }: Tally): Table<LinkFigures> {
  const links = new Map<string, LinkFigures>();
  const flow = (from: string, to: string): number => rounded(flows.get(`${from}/${to}`) ?? 0);
  for (const pair of flows.keys()) {
    const [one, other] = pair.split('/').sort() as [string, string];
    links.set(pairOf(one, other), { thereMbps: flow(one, other), backMbps: flow(other, one) });
  }
  for (const { sites, capacityMbps, microUsdPerGb, rttMs } of topology.links) {
    const [one, other] = sites;
    links.set(pairOf(one, other), {
      thereMbps: flow(one, other),
      backMbps: flow(other, one),
      ...(capacityMbps < UNLIMITED_MBPS ? { capacityMbps } : {}),
      microUsdPerGb,
      rttMs,
    });
  }
  return Object.fromEntries(links);
}

function pairOf(one: string, other: string): string {
  return linkResource(one, other).slice('link/'.length);
}

export function tableOf<Item, Row>(
  items: readonly Item[],
  entry: (item: Item) => readonly [string, Row],
): Table<Row> {
  return Object.fromEntries(items.map(entry));
}

function total(amounts: Iterable<number>): number {
  let sum = 0;
  for (const amount of amounts) sum += amount;
  return sum;
}
