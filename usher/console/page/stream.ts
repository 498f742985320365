// The page of one stream: its tree, its picture, its ladder and its last hour.

import { part } from '../../player/page/dom.ts';
import type { Cluster, RenditionFigures, StreamDetail, TreeServer } from '../messages.ts';
import { keepCurves } from './charts/curves.ts';
import { OwnEvents } from './events/own-events.ts';
import { follow } from './feed/follow.ts';
import { setData, setText } from './parts/dom.ts';
import { counted, dollars, lasting, perSecond, rate } from './parts/format.ts';
import { type Total, Totals } from './parts/totals.ts';
import { offerPicture } from './parts/watch-here.ts';
import { figure, named, words } from './table/columns.ts';
import { LiveTable } from './table/live-table.ts';
import { type TreeEntry, TreeView } from './tree/tree-view.ts';

interface Rung {
  readonly name: string;
  readonly rendition: RenditionFigures;
}

const name = document.body.dataset['name']!;
const totals = new Totals(part(document, 'totals'));
const tree = new TreeView(part(document, 'tree'));
const menu = part<HTMLSelectElement>(document, 'renditions');
const events = new OwnEvents('stream', name);
const ladder = new LiveTable<Rung>({
  table: part<HTMLTableElement>(document, 'ladder'),
  caption: 'Renditions of the stream',
  keyOf: ({ name: rung }) => rung,
  sortedBy: 3,
  columns: [
    words('Rendition', ({ name: rung }) => rung, 'name'),
    words('Picture', ({ rendition }) => pictureText(rendition)),
    figure('Viewers', ({ rendition }) => rendition.viewers, counted),
    figure(
      'Rate',
      ({ rendition }) => rendition.kbps,
      (kbps) => rate(kbps / 1_000),
    ),
    words('Codecs', ({ rendition }) => rendition.codecs.replaceAll(',', ', '), 'ladder wide'),
  ],
});
const holders = new LiveTable<TreeEntry>({
  table: part<HTMLTableElement>(document, 'holders'),
  caption: 'Servers of the tree of the chosen rendition',
  keyOf: ({ id }) => id,
  sortedBy: 3,
  columns: [
    named(
      'Server',
      ({ id }) => id,
      ({ id }) => `/console/servers/${encodeURIComponent(id)}`,
    ),
    words('State', ({ server }) => STATES[server.state]),
    words('From', ({ parent, rttMs }) =>
      parent === null ? '' : `${parent}${rttMs === undefined ? '' : `, ${Math.round(rttMs)} ms`}`,
    ),
    figure('Viewers', ({ server }) => server.viewers, counted),
    figure('Arrivals/s', ({ server }) => server.arrivalsPerS, perSecond),
    words('Next parent', ({ server }) => server.nextParent ?? '', 'wide'),
    words('Site', ({ server }) => server.site, 'wide'),
  ],
});
const STATES: Readonly<Record<TreeServer['state'], string>> = {
  root: 'its origin',
  held: 'has it',
  coming: 'is coming',
  going: 'is going',
  dead: 'is silent',
};

let chosen: string | undefined;
let latest: (() => void) | undefined;

follow({
  streams: [name],
  happened: (list) => events.add(list),
  show: ({ cluster, streams }) => {
    const detail = streams.get(name);
    part(document, 'gone').hidden = detail !== null;
    latest = () => detail && show(detail, cluster);
    latest();
    if (detail === null) setData(part(document, 'standing'), 'state', 'none');
    events.show(cluster.nowMs);
  },
});
menu.addEventListener('change', () => {
  chosen = menu.value;
  latest?.();
});
keepCurves(part(document, 'curves'), `streams/${encodeURIComponent(name)}`);
offerPicture(name);

function show(detail: StreamDetail, cluster: Cluster): void {
  const rungs = detail.renditions.flatMap((rung) => {
    const rendition = detail.ladder[rung];
    return rendition ? [{ name: rung, rendition }] : [];
  });
  showState(detail);
  totals.show(totalsOf(detail, cluster.nowMs));
  showMenu(rungs.map((rung) => rung.name));
  ladder.show(rungs);
  const shown = rungs.find((rung) => rung.name === menu.value) ?? rungs[0];
  const entries = shown ? entriesOf(shown.rendition, cluster) : [];
  tree.show(entries);
  holders.show(entries);
  setText(part(document, 'jobs'), jobsText(detail));
}

function showState({ isLive }: StreamDetail): void {
  const state = part(document, 'standing');
  setData(state, 'state', isLive ? 'live' : 'away');
  setText(state, isLive ? 'live' : 'waits for its broadcaster');
}

/** A menu that is open is not touched while it says the same. */
function showMenu(names: readonly string[]): void {
  const before = [...menu.options].map(({ value }) => value);
  if (before.join() === names.join()) return;
  menu.replaceChildren(...names.map((each) => new Option(each)));
  if (chosen !== undefined && names.includes(chosen)) menu.value = chosen;
}

function entriesOf({ tree: servers, kbps }: RenditionFigures, { links }: Cluster): TreeEntry[] {
  return Object.entries(servers).map(([id, server]) => {
    const above = server.parent === undefined ? undefined : servers[server.parent];
    const sites = above ? [above.site, server.site].sort().join('/') : '';
    return { id, parent: server.parent ?? null, server, rttMs: links[sites]?.rttMs, mbps: kbps / 1_000 };
  });
}

function totalsOf(detail: StreamDetail, nowMs: number): Total[] {
  const { viewers, cdnViewers = 0, arrivalsPerS, sentMbps, kbps, copies, cost, startedAtMs } = detail;
  return [
    { title: 'Viewers', value: counted(viewers), note: `${perSecond(arrivalsPerS)} arrive a second` },
    { title: 'Sent', value: rate(sentMbps), note: `from ${rate(kbps / 1_000)}` },
    {
      title: 'Cost an hour',
      value: dollars(cost.transitMicroUsd + cost.linksMicroUsd + cost.cdnMicroUsd),
      note: `${dollars(cost.linksMicroUsd)} for copies`,
    },
    { title: 'By CDN', value: counted(cdnViewers), note: 'viewers' },
    { title: 'Servers', value: counted(copies), note: `origin ${detail.origin}` },
    { title: 'On air for', value: lasting(nowMs - startedAtMs) },
  ];
}

function pictureText({ width, height, frameRate }: RenditionFigures): string {
  return height === 0 ? 'sound only' : `${width} × ${height}, ${Math.round(frameRate)} fps`;
}

function jobsText({ jobs }: StreamDetail): string {
  const texts = Object.entries(jobs).map(([server, { state, reason, renditions }]) => {
    const made = renditions.length > 0 ? ` ${renditions.join(', ')}` : '';
    return `${server} encodes${made}: ${state}${reason ? `, ${reason}` : ''}`;
  });
  return texts.join('. ');
}
