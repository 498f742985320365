// A rendition while it gets the copies that it needs: what they are made on, and what is so far.

import type { Spread } from '../cluster.ts';
import type { Ground, PlanServer } from '../ground.ts';
import type { Balances } from './balance.ts';
import type { Shelves } from './shelves.ts';

export interface Growing {
  readonly ground: Ground;
  readonly shelves: Shelves;
  /** Servers that have another rendition of the stream: viewers change between renditions. */
  readonly siblings: ReadonlySet<PlanServer>;
}

/** A rendition while it grows. */
export interface Growth extends Growing {
  readonly spread: Spread;
  readonly balances: Balances;
  /** Who has it or gets it, the origin among them. */
  readonly taken: Set<PlanServer>;
}
