// Where the viewers of a server go that is being emptied: to a server that has what they watch, and room. Pure.

import type { Snapshot } from '../../network/state/state.ts';
import type { Copy, Spread } from './cluster.ts';
import { leftMbps, type PlanServer, type Ways } from './ground.ts';
import { elsewhereMicroUsd } from './prices.ts';

/** Undefined while nobody has the rendition and room for one viewer: they stay. */
export function successorOf(
  spread: Spread,
  holders: readonly Copy[],
  from: PlanServer,
  { plan, ways }: { readonly plan: Snapshot['plan']; readonly ways: Ways },
): PlanServer | undefined {
  const { root, bitrateMbps, stream } = spread;
  const open = [root!, ...holders].filter(
    ({ isHeld, on }) => isHeld && on !== from && on.mayHold && leftMbps(on) >= bitrateMbps,
  );
  const known = Object.hasOwn(plan, from.server.id) ? plan[from.server.id]!.successors : {};
  const nowId = Object.hasOwn(known, stream.name) ? known[stream.name]!.id : undefined;
  const now = open.find(({ on }) => on.server.id === nowId);
  if (now) return now.on;
  const microUsd = ({ on }: Copy): number => elsewhereMicroUsd(spread, ways, from.site, on.site);
  return open.reduce<Copy | undefined>((best, copy) => {
    if (!best) return copy;
    const less = microUsd(best) - microUsd(copy) || leftMbps(copy.on) - leftMbps(best.on);
    return less > 0 ? copy : best;
  }, undefined)?.on;
}
