// Viewers that come all at once: as fast as they are served, as many at a time as a listen queue holds, and for so long.

import type { Clock } from '../../../network/clock.ts';
import type { Source } from './tally.ts';
import type { Viewer, Watcher } from './viewer.ts';

export interface Opened {
  /** Turned away, or let go before there was anything. */
  readonly refused: number;
  /** Had nothing yet when time was up, and are closed. */
  readonly late: number;
}

export interface OpeningOptions {
  readonly urls: readonly string[];
  readonly open: (url: URL, watcher: Watcher) => Viewer;
  readonly source: () => Source;
  /** One that was served is gone. */
  readonly onLost: (why: string) => void;
  readonly clock: Clock;
}

/** A listen queue is 511 by default. */
const AT_ONCE = 400;
const WITHIN_MS = 20_000;

/** Resolves when each is served, turned away or late. */
export async function openAll(options: OpeningOptions): Promise<Opened> {
  const { urls, clock } = options;
  const untilMs = clock.monotonic() + WITHIN_MS;
  const results: Result[] = [];
  const coming = urls.values();
  const open = async (): Promise<void> => {
    for (const url of coming)
      results.push(clock.monotonic() < untilMs ? await openOne(url, options, untilMs) : 'late');
  };
  await Promise.all(Array.from({ length: AT_ONCE }, open));
  const count = (wanted: Result): number => results.filter((result) => result === wanted).length;
  return { refused: count('refused'), late: count('late') };
}

type Result = 'served' | 'refused' | 'late';

function openOne(
  url: string,
  { open, source, onLost, clock }: OpeningOptions,
  untilMs: number,
): Promise<Result> {
  const { promise, resolve } = Promise.withResolvers<Result>();
  let isServed = false;
  const began = (): void => {
    if (isServed) return;
    isServed = true;
    late.cancel();
    resolve('served');
  };
  const gone = (why: string): void => {
    late.cancel();
    if (isServed) onLost(why);
    else resolve('refused');
  };
  const viewer = open(new URL(url), { received: source(), began, gone });
  const late = clock.after(Math.max(1, untilMs - clock.monotonic()), () => {
    viewer.close();
    resolve('late');
  });
  return promise;
}
