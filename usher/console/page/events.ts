// What happened, as a time line with a filter.

import { element, part } from '../../player/page/dom.ts';
import type { ClusterEvent } from '../messages.ts';
import { plainText, TOPICS, tell } from './events/happenings.ts';
import { EventLog, Timeline } from './events/timeline.ts';
import { askEvents } from './feed/ask.ts';
import { follow } from './feed/follow.ts';
import { setText } from './parts/dom.ts';
import { counted } from './parts/format.ts';

/** More are found by filtering. */
const MAX_SHOWN = 300;

const log = new EventLog();
const timeline = new Timeline(part(document, 'events'));
const input = part<HTMLInputElement>(document, 'filter');
const boxes = TOPICS.map((topic) => {
  const label = element('label', '');
  const box = element('input', '');
  box.type = 'checkbox';
  box.checked = true;
  box.value = topic;
  box.addEventListener('change', show);
  label.append(box, ` ${topic}`);
  part(document, 'topics').append(label);
  return box;
});
let nowMs = 0;

follow({
  show: ({ cluster }) => {
    nowMs = cluster.nowMs;
    show();
  },
  happened: (events) => {
    log.add(events);
    show();
  },
});
input.addEventListener('input', show);
log.add((await askEvents()).events);
show();

function show(): void {
  const all = log.newestFirst;
  const topics = new Set(boxes.filter(({ checked }) => checked).map(({ value }) => value));
  const wanted = input.value.trim().toLowerCase();
  const found = all.filter((event) => isWanted(event, topics, wanted));
  timeline.show(found.slice(0, MAX_SHOWN), nowMs);
  setText(
    part(document, 'count'),
    found.length === all.length ? counted(all.length) : `${counted(found.length)} of ${counted(all.length)}`,
  );
  const nothing = part(document, 'nothing');
  nothing.hidden = found.length > 0;
  setText(nothing, all.length === 0 ? 'Nothing has happened yet.' : 'Nothing fits the filter.');
}

function isWanted(event: ClusterEvent, topics: ReadonlySet<string>, wanted: string): boolean {
  const told = tell(event);
  return topics.has(told.topic) && (wanted === '' || plainText(told).toLowerCase().includes(wanted));
}
