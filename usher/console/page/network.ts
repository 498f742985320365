// The first page: the whole network at a glance.

import { element, part } from '../../player/page/dom.ts';
import type { Cluster, SiteFigures } from '../messages.ts';
import { EventLog, Timeline } from './events/timeline.ts';
import { askEvents } from './feed/ask.ts';
import { follow } from './feed/follow.ts';
import { loadOf, spotOf } from './map/site-load.ts';
import { SiteMap } from './map/site-map.ts';
import { Keyed, setText } from './parts/dom.ts';
import { counted, dollars, percent, perSecond, rate, strain } from './parts/format.ts';
import { type Total, Totals } from './parts/totals.ts';
import { bar, figure, named } from './table/columns.ts';
import { LiveTable } from './table/live-table.ts';

interface Row {
  readonly name: string;
  readonly site: SiteFigures;
}

const LAST_EVENTS = 12;

const totals = new Totals(part(document, 'totals'));
const timeline = new Timeline(part(document, 'events'));
const log = new EventLog();
const unplaced = new Keyed<Row>(
  part(document, 'unplaced'),
  ({ name }) => name,
  ({ name }) => {
    const item = element('li', '');
    const link = element('a', '', name);
    link.href = `/console/sites/${encodeURIComponent(name)}`;
    item.append(link, element('span', ''));
    return item;
  },
  (item, { site }) => setText(item.lastElementChild!, ` ${rate(site.sentMbps)}, nowhere on the map`),
);
const table = new LiveTable<Row>({
  table: part<HTMLTableElement>(document, 'sites'),
  caption: 'Sites, with what the map shows of them',
  keyOf: ({ name }) => name,
  sortedBy: 1,
  columns: [
    named(
      'Site',
      ({ name }) => name,
      ({ name }) => `/console/sites/${encodeURIComponent(name)}`,
    ),
    figure('Viewers', ({ site }) => site.viewers, counted),
    bar(
      'Load',
      ({ site }) => loadOf(site),
      ({ site }) => `${rate(site.sentMbps)} of ${rate(site.egressMbps)}`,
    ),
    figure('Servers', ({ site }) => site.servers, counted),
    figure('Fullest uplink', ({ site }) => fullestUplink(site), percent, 'wide'),
  ],
});
const map = await SiteMap.open(part(document, 'map'));

follow({
  show: ({ cluster }) => show(cluster),
  happened: (events) => {
    log.add(events);
    showEvents(events.at(-1)?.atMs ?? 0);
  },
});
log.add((await askEvents()).events);

function show(cluster: Cluster): void {
  const rows = Object.entries(cluster.sites).map(([name, site]) => ({ name, site }));
  totals.show(totalsOf(cluster));
  map.show(cluster);
  table.show(rows);
  const lost = rows.filter(({ site }) => !spotOf(site));
  unplaced.show(lost);
  part(document, 'unplaced').hidden = lost.length === 0;
  showEvents(cluster.nowMs);
}

function showEvents(nowMs: number): void {
  timeline.show(log.newestFirst.slice(0, LAST_EVENTS), nowMs);
  part(document, 'no-events').hidden = log.newestFirst.length > 0;
}

function totalsOf({ totals: all, lead }: Cluster): Total[] {
  const load = all.egressMbps > 0 ? all.sentMbps / all.egressMbps : 0;
  const { transitMicroUsd, linksMicroUsd, cdnMicroUsd } = all.cost;
  const month = all.month.transitMicroUsd + all.month.cdnMicroUsd;
  return [
    { title: 'Viewers', value: counted(all.viewers), note: `${perSecond(all.arrivalsPerS)} arrive a second` },
    {
      title: 'Sent',
      value: rate(all.sentMbps),
      note: `${percent(load)} of ${rate(all.egressMbps)}`,
      strain: strain(load),
    },
    {
      title: 'Cost an hour',
      value: dollars(transitMicroUsd + linksMicroUsd + cdnMicroUsd),
      note: `${dollars(month)} this month`,
    },
    {
      title: 'By CDN',
      value: percent(all.viewers > 0 ? all.cdnViewers / all.viewers : 0),
      note: `${counted(all.cdnViewers)} viewers`,
    },
    {
      title: 'Turned away',
      value: counted(all.turnedAway),
      note: 'in the last minute',
      strain: all.turnedAway > 0 ? 'full' : 'calm',
    },
    {
      title: 'Streams',
      value: counted(all.streams),
      note: lead.leader ? `planned by ${lead.leader}` : 'nobody leads',
    },
    {
      title: 'Servers',
      value: counted(all.servers),
      note: troubleOf(all),
      ...(all.deadServers > 0 ? { strain: 'full' as const } : {}),
    },
  ];
}

function troubleOf({ deadServers, drainingServers }: Cluster['totals']): string {
  const words = [
    deadServers > 0 ? `${deadServers} silent` : '',
    drainingServers > 0 ? `${drainingServers} draining` : '',
  ];
  return words.filter((word) => word).join(', ') || 'all well';
}

function fullestUplink({ uplinks }: SiteFigures): number {
  const shares = Object.values(uplinks).map(({ usedMbps, capacityMbps }) =>
    capacityMbps === undefined ? 0 : usedMbps / capacityMbps,
  );
  return Math.max(0, ...shares);
}
