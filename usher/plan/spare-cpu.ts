// How much transcoding a server has room for besides its viewers: less as a crowd comes, and more again only once it has gone. Pure.

import type { KnownServer } from '../../network/state/state.ts';

/** What a server may do of the jobs that it has room for. */
export interface SpareCpu {
  /** How many rungs it may make where it is to make so many. */
  rungsOf(wanted: number): number;
  /** Whether it may begin with a job. */
  readonly takesMore: boolean;
}

/** A server that sends more than this share of what it may needs its CPU for viewers; at the whole of it no rung is left. */
const PRESSED_EGRESS = 0.7;
/**
 * A server whose process is busy for more than this share of the time loses rungs, at the whole of it all of them. It gets them
 * back below the other: they would come and go with every wave of viewers otherwise.
 */
const PRESSED_CPU = 0.8;
const CALM_CPU = 0.6;

/** A farm has nobody else. `planned` rungs are its by the plan so far. */
export function spareCpuOf(server: KnownServer, planned: number): SpareCpu {
  if (isFarm(server)) return { rungsOf: (wanted) => wanted, takesMore: true };
  const { committedMbps, sentMbps, egressMbps, cpuLoad = 0 } = server;
  const egressShare = leftOf(Math.max(committedMbps, sentMbps) / egressMbps, PRESSED_EGRESS);
  const cpuShare = leftOf(cpuLoad, PRESSED_CPU);
  const isCalm = cpuLoad <= CALM_CPU;
  return {
    rungsOf(wanted) {
      const allowed = Math.ceil(wanted * Math.min(egressShare, cpuShare));
      return isCalm ? allowed : Math.min(allowed, planned);
    },
    takesMore: egressShare > 0 && isCalm,
  };
}

export function isFarm({ roles }: KnownServer): boolean {
  return roles.every((role) => role === 'transcoder');
}

function leftOf(load: number, pressed: number): number {
  return Math.min(1, Math.max(0, (1 - load) / (1 - pressed)));
}
