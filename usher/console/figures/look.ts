// One look at the cluster, with what this usher knows beside the snapshot: all that the console's figures and events are made of. Pure.

import type { Topology } from '../../../network/map/topology.ts';
import type { Snapshot } from '../../../network/state/state.ts';

export interface Look {
  readonly snapshot: Snapshot;
  readonly topology: Topology;
  /** Viewers whom this usher has steered to CDNs, by stream and CDN. */
  readonly cdnViewers: CdnViewers;
  /** What all ushers have sent to each CDN in the last minute, as micro-dollars per hour. */
  readonly cdnMicroUsdPerHour: ReadonlyMap<string, number>;
  /** Viewers for whom this usher had no room in the last minute. */
  readonly turnedAway: number;
  readonly leader: { readonly id?: string; readonly isHere: boolean };
  /** Gaps by recording, of those that were looked at. */
  readonly gaps: ReadonlyMap<string, number>;
}

export type CdnViewers = ReadonlyMap<string, ReadonlyMap<string, number>>;
