// Looks at a cluster, as the console takes them, for its tests.

import { NO_TOPOLOGY } from '../../../network/map/topology.ts';
import type { Snapshot } from '../../../network/state/state.ts';
import type { Look } from '../../../usher/console/figures/look.ts';

export function lookAt(snapshot: Snapshot, changes: Partial<Omit<Look, 'snapshot'>> = {}): Look {
  return {
    snapshot,
    topology: NO_TOPOLOGY,
    cdnViewers: new Map(),
    cdnMicroUsdPerHour: new Map(),
    turnedAway: 0,
    leader: { isHere: false },
    gaps: new Map(),
    ...changes,
  };
}
