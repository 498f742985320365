// All servers by their sites.

import { element, part } from '../../player/page/dom.ts';
import type { Cluster, SiteFigures } from '../messages.ts';
import { follow } from './feed/follow.ts';
import { loadOf } from './map/site-load.ts';
import { Keyed, setText } from './parts/dom.ts';
import { counted } from './parts/format.ts';
import { showBar } from './table/columns.ts';
import type { LiveTable } from './table/live-table.ts';
import { type ServerRow, ServerTables } from './table/server-table.ts';

interface Group {
  readonly name: string;
  readonly site: SiteFigures | undefined;
  readonly rows: readonly ServerRow[];
}

const tables = new ServerTables();
const tableOf = new WeakMap<Element, LiveTable<ServerRow>>();
/** Sites on the screen or near it: the others are drawn anew when they come there, and when servers join or leave them. */
const near = new Set<Element>();
const shownRows = new WeakMap<Element, number>();
const observer = new IntersectionObserver(onNear, { rootMargin: '300px' });
const groups = new Keyed<Group>(part(document, 'groups'), ({ name }) => name, groupOf, showGroup);
const input = part<HTMLInputElement>(document, 'filter');
let latest: Cluster | undefined;

follow({
  show: ({ cluster }) => {
    latest = cluster;
    show(cluster);
  },
});
input.addEventListener('input', () => latest && show(latest));

function show({ servers, sites, nowMs }: Cluster): void {
  const wanted = input.value.trim().toLowerCase();
  const rows = Object.entries(servers).map(([id, server]) => ({ id, server, nowMs }));
  const found = rows.filter((row) => matches(row, wanted));
  const bySite = [...Map.groupBy(found, ({ server }) => server.site)].sort(([one], [other]) =>
    one < other ? -1 : 1,
  );
  groups.show(bySite.map(([name, own]) => ({ name, site: sites[name], rows: own })));
  setText(
    part(document, 'count'),
    found.length === rows.length
      ? counted(rows.length)
      : `${counted(found.length)} of ${counted(rows.length)}`,
  );
  part(document, 'nothing').hidden = found.length > 0;
}

function onNear(entries: readonly IntersectionObserverEntry[]): void {
  for (const { target, isIntersecting } of entries)
    if (isIntersecting) near.add(target);
    else near.delete(target);
  if (latest) show(latest);
}

function matches({ id, server }: ServerRow, wanted: string): boolean {
  return [id, server.host, server.site].some((word) => word.toLowerCase().includes(wanted));
}

function groupOf({ name }: Group): HTMLElement {
  const section = element('section', 'card group');
  const heading = element('h2', '');
  const link = element('a', '', name);
  link.href = `/console/sites/${encodeURIComponent(name)}`;
  heading.append(link, element('span', 'load'));
  const scroll = element('div', 'scroll');
  const table = scroll.appendChild(element('table', 'grid'));
  section.append(heading, scroll);
  observer.observe(section);
  tableOf.set(section, tables.make(table, `Servers at ${name}`));
  return section;
}

function showGroup(section: HTMLElement, { site, rows }: Group): void {
  if (!near.has(section) && shownRows.get(section) === rows.length) return;
  shownRows.set(section, rows.length);
  tableOf.get(section)!.show(rows);
  if (site) showBar(section.querySelector('h2 .load')!, loadOf(site));
}
