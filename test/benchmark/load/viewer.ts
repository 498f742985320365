// What all viewers of the load tool have in common, whatever they speak.

import type { Source } from './tally.ts';

export interface Viewer {
  /** Nothing more is said of it. */
  close(): void;
}

/** Whom a viewer tells how it fares. */
export interface Watcher {
  readonly received: Source;
  /** It has what it came for: the first media. Said again and again. */
  began(): void;
  /** The end of it. */
  gone(why: string): void;
}
