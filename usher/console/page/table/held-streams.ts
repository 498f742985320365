// Tables of the streams that a server or a site holds: those with the most viewers, asked for anew every few seconds.

import { browserClock } from '../../../player/clock.ts';
import { part } from '../../../player/page/dom.ts';
import type { HeldStream } from '../../messages.ts';
import { setText } from '../parts/dom.ts';
import { counted, perSecond, rate } from '../parts/format.ts';
import { figure, named, words } from './columns.ts';
import { LiveTable } from './live-table.ts';

interface Held {
  readonly streams: readonly HeldStream[];
  readonly streamCount: number;
}

const REFRESH_MS = 3_000;

/** `told` hears every answer. */
export function keepHeldStreams<Answer extends Held>(
  ask: () => Promise<Answer>,
  told: (answer: Answer) => void = () => {},
): void {
  const table = new LiveTable<HeldStream>({
    table: part<HTMLTableElement>(document, 'streams'),
    caption: 'Streams that are held here',
    keyOf: ({ stream }) => stream,
    sortedBy: 1,
    columns: [
      named(
        'Stream',
        ({ stream }) => stream,
        ({ stream }) => `/console/streams/${encodeURIComponent(stream)}`,
      ),
      figure('Viewers', ({ viewers }) => viewers, counted),
      figure('Arrivals/s', ({ arrivalsPerS }) => arrivalsPerS, perSecond, 'wide'),
      figure('Sent', ({ sentMbps }) => sentMbps, rate),
      words('From', ({ isOrigin, parent = '' }) => (isOrigin ? 'its broadcaster' : parent)),
      words('Renditions', ({ renditions }) => renditions.join(' '), 'ladder wide'),
    ],
  });
  const refresh = async (): Promise<void> => {
    try {
      const answer = await ask();
      table.show(answer.streams);
      const { length } = answer.streams;
      setText(
        part(document, 'streams-note'),
        length < answer.streamCount ? `the first ${length} of ${counted(answer.streamCount)}` : '',
      );
      told(answer);
    } catch {
      // What was shown last stays until usher answers again.
    }
  };
  void refresh();
  browserClock.every(REFRESH_MS, () => document.hidden || void refresh());
}
