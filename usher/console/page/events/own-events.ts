// The events of one stream, server or site, as they come.

import { part } from '../../../player/page/dom.ts';
import type { ClusterEvent } from '../../messages.ts';
import { askEvents } from '../feed/ask.ts';
import { isAbout, type Whom } from './about.ts';
import { EventLog, Timeline } from './timeline.ts';

const MAX_SHOWN = 50;

export class OwnEvents {
  readonly #timeline = new Timeline(part(document, 'events'));
  readonly #log = new EventLog();
  readonly #isOwn: (event: ClusterEvent) => boolean;

  constructor(whom: Whom, name: string) {
    this.#isOwn = (event) => isAbout(event, whom, name);
    askEvents().then(
      ({ events }) => this.add(events),
      // Those that come are shown in any case.
      () => {},
    );
  }

  add(events: readonly ClusterEvent[]): void {
    this.#log.add(events.filter(this.#isOwn));
  }

  show(nowMs: number): void {
    const { newestFirst } = this.#log;
    this.#timeline.show(newestFirst.slice(0, MAX_SHOWN), nowMs);
    part(document, 'no-events').hidden = newestFirst.length > 0;
  }
}
