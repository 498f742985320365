// The page of one site: its ways out, its servers, what it holds.

import { part } from '../../player/page/dom.ts';
import type { LinkFigures, SiteAnswer, SiteFigures, UplinkFigures } from '../messages.ts';
import { keepCurves } from './charts/curves.ts';
import { OwnEvents } from './events/own-events.ts';
import { askSite } from './feed/ask.ts';
import { follow } from './feed/follow.ts';
import { loadOf } from './map/site-load.ts';
import { setText } from './parts/dom.ts';
import { counted, countOf, dollars, percent, rate, strain } from './parts/format.ts';
import { type Total, Totals } from './parts/totals.ts';
import { bar, figure, named, words } from './table/columns.ts';
import { keepHeldStreams } from './table/held-streams.ts';
import { LiveTable } from './table/live-table.ts';
import { ServerTables } from './table/server-table.ts';

interface UplinkRow {
  readonly uplink: string;
  readonly figures: UplinkFigures;
}

interface LinkRow {
  readonly other: string;
  /** Seen from here. */
  readonly outMbps: number;
  readonly inMbps: number;
  readonly figures: LinkFigures;
}

const name = document.body.dataset['name']!;
const totals = new Totals(part(document, 'totals'));
const events = new OwnEvents('site', name);
const servers = new ServerTables().make(part<HTMLTableElement>(document, 'servers'), `Servers at ${name}`);
const uplinks = new LiveTable<UplinkRow>({
  table: part<HTMLTableElement>(document, 'uplinks'),
  caption: 'Ways out of the site',
  keyOf: ({ uplink }) => uplink,
  sortedBy: 2,
  columns: [
    words('Uplink', ({ uplink }) => uplink, 'name'),
    words('Kind', ({ figures }) => figures.kind),
    bar(
      'Used',
      ({ figures }) => shareOf(figures.usedMbps, figures.capacityMbps),
      ({ figures }) => ofText(figures.usedMbps, figures.capacityMbps),
    ),
    figure(
      'This month',
      ({ figures }) => figures.monthMicroUsd ?? 0,
      (cost, { figures }) => (figures.kind === 'transit' ? dollars(cost) : 'free'),
    ),
  ],
});
const links = new LiveTable<LinkRow>({
  table: part<HTMLTableElement>(document, 'links'),
  caption: 'Links to other sites',
  keyOf: ({ other }) => other,
  sortedBy: 1,
  columns: [
    named(
      'Site',
      ({ other }) => other,
      ({ other }) => `/console/sites/${encodeURIComponent(other)}`,
    ),
    bar(
      'Out',
      ({ outMbps, figures }) => shareOf(outMbps, figures.capacityMbps),
      ({ outMbps, figures }) => ofText(outMbps, figures.capacityMbps),
    ),
    bar(
      'In',
      ({ inMbps, figures }) => shareOf(inMbps, figures.capacityMbps),
      ({ inMbps }) => rate(inMbps),
    ),
    figure(
      'Time',
      ({ figures }) => figures.rttMs ?? 0,
      (rttMs, { figures }) => (figures.rttMs === undefined ? '' : `${Math.round(rttMs)} ms`),
    ),
  ],
});
let answer: SiteAnswer | undefined;

follow({
  happened: (list) => events.add(list),
  show: ({ cluster }) => {
    const site = cluster.sites[name];
    part(document, 'gone').hidden = site !== undefined;
    if (site) show(site);
    const { nowMs } = cluster;
    servers.show(
      Object.entries(cluster.servers)
        .filter(([, server]) => server.site === name)
        .map(([id, server]) => ({ id, server, nowMs })),
    );
    links.show(linksOf(cluster.links));
    events.show(nowMs);
  },
});
keepCurves(part(document, 'curves'), `sites/${encodeURIComponent(name)}`);
keepHeldStreams(
  () => askSite(name),
  (said) => {
    answer = said;
  },
);

function show(site: SiteFigures): void {
  totals.show(totalsOf(site));
  uplinks.show(Object.entries(site.uplinks).map(([uplink, figures]) => ({ uplink, figures })));
  const { country, latitude, longitude } = site;
  const place =
    latitude === undefined || longitude === undefined
      ? ''
      : `${latitude.toFixed(1)}, ${longitude.toFixed(1)}`;
  setText(part(document, 'where'), [country, place].filter((word) => word).join(' · '));
}

function totalsOf(site: SiteFigures): Total[] {
  const { viewers, sentMbps, egressMbps } = site;
  const load = loadOf(site);
  const cost = answer?.cost;
  const month = answer?.month;
  return [
    { title: 'Viewers', value: counted(viewers), note: `on ${countOf(site.servers, 'server')}` },
    {
      title: 'Sent',
      value: rate(sentMbps),
      note: `${percent(load)} of ${rate(egressMbps)}`,
      strain: strain(load),
    },
    {
      title: 'Cost an hour',
      value: cost ? dollars(cost.transitMicroUsd + cost.linksMicroUsd + cost.cdnMicroUsd) : '–',
      note: month ? `${dollars(month.transitMicroUsd)} this month` : '',
    },
    { title: 'Streams', value: answer ? counted(answer.streamCount) : '–', note: 'held here' },
  ];
}

/** Keys are pairs of sites, sorted: `there` is from the first to the second. */
function linksOf(all: Readonly<Record<string, LinkFigures>>): LinkRow[] {
  return Object.entries(all).flatMap(([key, figures]) => {
    const [one = '', other = ''] = key.split('/');
    const { thereMbps, backMbps } = figures;
    if (one === name) return [{ other, outMbps: thereMbps, inMbps: backMbps, figures }];
    return other === name ? [{ other: one, outMbps: backMbps, inMbps: thereMbps, figures }] : [];
  });
}

function shareOf(usedMbps: number, capacityMbps: number | undefined): number {
  return capacityMbps === undefined ? 0 : usedMbps / capacityMbps;
}

function ofText(usedMbps: number, capacityMbps: number | undefined): string {
  return capacityMbps === undefined ? rate(usedMbps) : `${rate(usedMbps)} of ${rate(capacityMbps)}`;
}
