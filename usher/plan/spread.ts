// One rendition as it is spread over servers, and what each server has room for in it. Pure.

import type { Copies, ServerLoad } from './cluster.ts';
import { ownMbps } from './cluster.ts';

export interface Spread {
  /** Its origin. */
  readonly root: ServerLoad;
  readonly copies: Copies;
  readonly bitrateMbps: number;
  readonly demandMbps: number;
}

/** A server is given more to send up to this share of its egress: streams vary in bitrate, and beats come late. */
export const FILL = 0.8;

/** What a server may send of the rendition beside all else that it sends, filled up to a share of its egress. */
export function roomMbps({ copies, bitrateMbps }: Spread, load: ServerLoad, share = FILL): number {
  const others = load.usedMbps - ownMbps(copies.get(load.server.id), bitrateMbps);
  return Math.max(0, load.server.egressMbps * share - others);
}

/** How many servers may follow it there, beside its viewers and all else, filled up to a share of its egress. */
export function roomForChildren({ copies, bitrateMbps }: Spread, load: ServerLoad, share: number): number {
  const children = copies.get(load.server.id)?.children ?? 0;
  const others = load.usedMbps - children * bitrateMbps;
  // A hundredth of a child forgives what adding and subtracting has rounded.
  return Math.max(0, Math.floor((load.server.egressMbps * share - others) / bitrateMbps + 0.01));
}
