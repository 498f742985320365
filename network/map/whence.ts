// What an address says of where its viewer is.

import type { Position } from './position.ts';

/** Where a viewer asks from. What is not known is not there: of a private address that is everything. */
export interface Whence {
  /** ISO 3166-1 alpha-2. */
  readonly country?: string;
  readonly position?: Position;
  /** Number of the network. */
  readonly asn?: number;
}
