// What a scenario says that cannot be: names that nothing has, sites without a place, ranks beyond the last stream. Pure.

import type { ArrivalsAsked, Happening, Scenario } from './scenario.ts';

export interface Contradiction {
  /** Keys and indexes down to it. */
  readonly path: readonly (string | number)[];
  readonly what: string;
}

export function contradictionsIn(scenario: Scenario): Contradiction[] {
  return [
    ...scenario.servers.flatMap(({ site }, index) => wrongSite(scenario, site, ['servers', index])),
    ...repeated(scenario),
    ...scenario.arrivals.flatMap((asked, index) => wrongArrivals(scenario, asked, ['arrivals', index])),
    ...scenario.events.flatMap((happening, index) => wrongEvent(scenario, happening, ['events', index])),
  ];
}

type Place = Contradiction['path'];

/** A site that is used has a place, and a way to everybody. */
function wrongSite({ topology }: Scenario, name: string, path: Place): Contradiction[] {
  const site = topology.sites.get(name);
  if (!site) return [{ path, what: `the topology has no site '${name}'` }];
  const hasTransit = site.uplinks.some(({ kind }) => kind === 'transit');
  return [
    ...(site.position ? [] : [{ path, what: `the topology says no position of site '${name}'` }]),
    ...(hasTransit ? [] : [{ path, what: `site '${name}' has no transit in the topology` }]),
  ];
}

function repeated({ audiences }: Scenario): Contradiction[] {
  return audiences.flatMap(({ name }, index) =>
    audiences.findIndex((other) => other.name === name) === index
      ? []
      : [{ path: ['audiences', index], what: `there is more than one audience '${name}'` }],
  );
}

function wrongArrivals(scenario: Scenario, asked: ArrivalsAsked, path: Place): Contradiction[] {
  if (asked.kind === 'crowd') return wrongRank(scenario, asked.stream, path);
  if (asked.kind === 'day' && asked.peakViewers < asked.meanViewers)
    return [{ path, what: `a day's peak of ${asked.peakViewers} is below its mean of ${asked.meanViewers}` }];
  if (asked.kind !== 'trace') return [];
  const names = new Set(scenario.audiences.map(({ name }) => name));
  const stranger = asked.rows.find(({ audience }) => !names.has(audience));
  const beyond = asked.rows.find(({ stream }) => stream > scenario.streams.count);
  return [
    ...(stranger
      ? [{ path, what: `the trace has an audience '${stranger.audience}' that is not here` }]
      : []),
    ...(beyond ? wrongRank(scenario, beyond.stream, path) : []),
  ];
}

function wrongRank({ streams }: Scenario, rank: number, path: Place): Contradiction[] {
  return rank <= streams.count ? [] : [{ path, what: `there are ${streams.count} streams; got ${rank}` }];
}

function wrongEvent(scenario: Scenario, happening: Happening, path: Place): Contradiction[] {
  switch (happening.kind) {
    case 'server fails':
    case 'drain':
      return wrongServer(scenario, happening.server, path);
    case 'site fails':
      return wrongSite(scenario, happening.site, path);
    case 'link fails':
      return wrongLink(scenario, happening.sites, path);
    case 'rolling restart':
      return [];
  }
}

function wrongServer({ servers }: Scenario, id: string, path: Place): Contradiction[] {
  const counts = new Map<string, number>();
  for (const { site, count } of servers) counts.set(site, (counts.get(site) ?? 0) + count);
  const isThere = [...counts].some(([site, count]) => {
    const number = Number(id.startsWith(`${site}-`) ? id.slice(site.length + 1) : Number.NaN);
    return Number.isInteger(number) && number >= 1 && number <= count;
  });
  return isThere ? [] : [{ path, what: `there is no server '${id}'` }];
}

function wrongLink({ topology }: Scenario, sites: readonly [string, string], path: Place): Contradiction[] {
  const sorted = sites.toSorted();
  const isThere = topology.links.some((link) => link.sites.every((site, at) => site === sorted[at]));
  return isThere ? [] : [{ path, what: `the topology has no link between '${sites[0]}' and '${sites[1]}'` }];
}
