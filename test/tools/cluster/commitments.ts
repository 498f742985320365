// What a server has committed itself to and what it sends, for tests: of a stated egress, or without a limit.

import { Commitments } from '../../../network/egress/commitments.ts';
import { Outflow } from '../../../network/egress/outflow.ts';
import { ManualClock } from '../world/manual-clock.ts';

export function commitmentsOf(
  egressMbps: number,
  bitrateMbps: number,
  clock = new ManualClock(),
): Commitments {
  return new Commitments({
    egressMbps,
    clock,
    bitrateMbps: () => bitrateMbps,
    heaviestMbps: () => bitrateMbps,
  });
}

export function freeOutflow(): Outflow {
  return new Outflow({ egressMbps: Number.POSITIVE_INFINITY, clock: new ManualClock() });
}

export function roomForAll(): Commitments {
  return commitmentsOf(Number.POSITIVE_INFINITY, 0);
}
