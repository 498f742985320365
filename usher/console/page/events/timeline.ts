// Events as a list, the newest first.

import { element } from '../../../player/page/dom.ts';
import type { ClusterEvent } from '../../messages.ts';
import { Keyed } from '../parts/dom.ts';
import { lasting, timeOfDay } from '../parts/format.ts';
import { type Phrase, tell } from './happenings.ts';

/** What a page keeps; older ones usher has forgotten too. */
const MAX_EVENTS = 2_000;

/** The events that a page knows, in order of their ids. */
export class EventLog {
  #events: readonly ClusterEvent[] = [];

  get newestFirst(): readonly ClusterEvent[] {
    return this.#events;
  }

  add(events: readonly ClusterEvent[]): void {
    const all = new Map([...this.#events, ...events].map((event) => [event.id, event]));
    this.#events = [...all.values()].sort((one, other) => other.id - one.id).slice(0, MAX_EVENTS);
  }
}

export class Timeline {
  readonly #items: Keyed<ClusterEvent, HTMLLIElement>;
  #nowMs = 0;

  constructor(list: HTMLElement) {
    this.#items = new Keyed(
      list,
      ({ id }) => String(id),
      itemOf,
      (item, event) => this.#showAge(item, event),
    );
  }

  show(newestFirst: readonly ClusterEvent[], nowMs: number): void {
    this.#nowMs = nowMs;
    this.#items.show(newestFirst);
  }

  #showAge(item: HTMLLIElement, { atMs }: ClusterEvent): void {
    const age = item.querySelector('.age')!;
    const words = `${lasting(Math.max(0, this.#nowMs - atMs))} ago`;
    if (age.textContent !== words) age.textContent = words;
  }
}

function itemOf(event: ClusterEvent): HTMLLIElement {
  const { tone, phrase, topic } = tell(event);
  const item = element('li', '');
  item.dataset['tone'] = tone;
  const when = element('time', '', timeOfDay(event.atMs));
  when.dateTime = new Date(event.atMs).toISOString();
  const what = element('p', 'what');
  what.append(...phrase.map(nodeOf));
  const note = element('p', 'note');
  note.append(element('span', 'topic', topic), ' · ', element('span', 'age'));
  item.append(when, what, note);
  return item;
}

function nodeOf(piece: Phrase[number]): Node {
  if (typeof piece === 'string') return document.createTextNode(piece);
  const link = element('a', '', piece.name);
  link.href = `/console/${piece.of}/${encodeURIComponent(piece.name)}`;
  return link;
}
