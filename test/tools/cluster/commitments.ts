// What a server has committed itself to, for tests: of a stated egress, or without a limit.

import { Commitments } from '../../../network/commitments.ts';
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

export function roomForAll(): Commitments {
  return commitmentsOf(Number.POSITIVE_INFINITY, 0);
}
