// The atlas: where viewers are by their address, and the topology as it is now.

import type { Position } from './position.ts';
import type { Topology } from './topology.ts';

/** Where a viewer asks from. What is not known is not there: of a private address that is everything. */
export interface Whence {
  /** ISO 3166-1 alpha-2. */
  readonly country?: string;
  readonly position?: Position;
  readonly asn?: number;
}

export interface Atlas {
  /** Of an IPv4 or IPv6 address; anything else is nowhere (`{}`). */
  locate(address: string): Whence;
  /** The newest that could be read; the same object until the file changes. */
  topology(): Topology;
}
