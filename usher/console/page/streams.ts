// All streams in one table, however many there are.

import { browserClock } from '../../player/clock.ts';
import { element, part } from '../../player/page/dom.ts';
import type { StreamFigures } from '../messages.ts';
import { follow } from './feed/follow.ts';
import { setData, setText } from './parts/dom.ts';
import { counted, lasting, perSecond, rate } from './parts/format.ts';
import { type Column, figure, named, words } from './table/columns.ts';
import { LiveTable } from './table/live-table.ts';

interface Row {
  readonly name: string;
  readonly stream: StreamFigures;
}

/** As high as the styles make a row. */
const ROW_PX = 48;
/** Pictures are made about so often. */
const PICTURE_MS = 10_000;

let rows: readonly Row[] = [];
let nowMs = 0;
const input = part<HTMLInputElement>(document, 'filter');
const scroll = part(document, 'scroll');
const picture: Column<Row> = { title: 'Picture', className: 'picture wide', show: showPicture };
const state: Column<Row> = {
  title: 'State',
  className: 'state wide',
  by: ({ stream }) => (stream.isLive ? 'live' : 'waits'),
  show: (cell, { stream }) => {
    setData(cell, 'state', stream.isLive ? 'live' : 'away');
    setText(cell, stream.isLive ? 'live' : 'waits for its broadcaster');
  },
};
const table = new LiveTable<Row>({
  table: part<HTMLTableElement>(document, 'streams'),
  caption: 'Streams. Sorted by viewers; the buttons in the head sort otherwise.',
  keyOf: ({ name }) => name,
  sortedBy: 2,
  window: { scroll, rowPx: ROW_PX },
  columns: [
    named(
      'Stream',
      ({ name }) => name,
      ({ name }) => `/console/streams/${encodeURIComponent(name)}`,
    ),
    picture,
    figure('Viewers', ({ stream }) => stream.viewers, counted),
    figure('Arrivals/s', ({ stream }) => stream.arrivalsPerS, perSecond),
    figure('Sent', ({ stream }) => stream.sentMbps, rate, 'wide'),
    figure(
      'Source',
      ({ stream }) => stream.kbps,
      (kbps) => rate(kbps / 1_000),
      'wide',
    ),
    figure('Servers', ({ stream }) => stream.copies, counted, 'wide'),
    words('Ladder', ({ stream }) => stream.renditions.join(' '), 'ladder wide'),
    words('Origin', ({ stream }) => stream.origin, 'wide'),
    figure(
      'Since',
      ({ stream }) => -stream.startedAtMs,
      (sinceMs) => lasting(nowMs + sinceMs),
      'wide',
    ),
    state,
  ],
});

follow({
  show: ({ cluster }) => {
    nowMs = cluster.nowMs;
    rows = Object.entries(cluster.streams).map(([name, stream]) => ({ name, stream }));
    show();
  },
});
input.addEventListener('input', () => {
  scroll.scrollTop = 0;
  show();
});

function show(): void {
  const wanted = input.value.trim().toLowerCase();
  const found = wanted === '' ? rows : rows.filter((row) => matches(row, wanted));
  table.show(found);
  setText(
    part(document, 'count'),
    found.length === rows.length
      ? counted(rows.length)
      : `${counted(found.length)} of ${counted(rows.length)}`,
  );
  const nothing = part(document, 'nothing');
  nothing.hidden = found.length > 0;
  setText(nothing, rows.length === 0 ? 'No stream is live.' : 'No stream fits the filter.');
}

function matches({ name, stream }: Row, wanted: string): boolean {
  return name.toLowerCase().includes(wanted) || stream.origin.toLowerCase().includes(wanted);
}

/** Only pictures of rows on the screen are fetched. It says nothing that the name beside it does not. */
function showPicture(cell: HTMLElement, { name, stream }: Row): void {
  const box = cell.firstElementChild ?? cell.appendChild(emptyPicture());
  const image = box.firstElementChild as HTMLImageElement;
  const age = Math.floor(browserClock.now() / PICTURE_MS);
  const source = `/api/console/streams/${encodeURIComponent(name)}/thumbnail?${age}`;
  if (stream.isLive && image.getAttribute('src') !== source) image.src = source;
}

function emptyPicture(): HTMLElement {
  const box = element('span', 'picture-box');
  const image = box.appendChild(element('img', ''));
  image.alt = '';
  image.addEventListener('load', () => image.classList.add('there'));
  image.addEventListener('error', () => image.classList.remove('there'));
  return box;
}
