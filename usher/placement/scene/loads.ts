// What has a limit in Mbps: a server, a host's card, an uplink, a link between sites; and how much room each has left. Pure.

/** What this usher has promised of a resource. Shared by every scene, so that what is booked counts at once. */
export interface Booked {
  /** Promised and not yet seen in use, and how many promises that is. */
  mbps: number;
  count: number;
  /** Ever promised, and of that ever seen in use. */
  takenMbps: number;
  arrivedMbps: number;
  /** What may be promised all in all beyond what is in use, where other ushers have the rest; else without a limit. */
  leasedMbps: number;
}

export interface Load {
  /** As leases name it. */
  readonly resource: string;
  readonly limitMbps: number;
  usedMbps: number;
  readonly booked: Booked;
}

export function nothingBooked(): Booked {
  return { mbps: 0, count: 0, takenMbps: 0, arrivedMbps: 0, leasedMbps: Number.POSITIVE_INFINITY };
}

/** Less than a bit per second is rounding. */
export const ROUNDING_MBPS = 1e-6;

/** What may still be promised; `beyondLease`: what could be if this usher had leased all that nobody uses. */
export function roomMbps({ limitMbps, usedMbps, booked }: Load, beyondLease = false): number {
  const freeMbps = limitMbps - usedMbps;
  return (beyondLease ? freeMbps : Math.min(freeMbps, booked.leasedMbps)) - booked.mbps;
}

export function fits(mbps: number, load: Load, beyondLease = false): boolean {
  return roomMbps(load, beyondLease) >= mbps - ROUNDING_MBPS;
}

/** How full it is, 0 to 1 and above. */
export function fillOf({ limitMbps, usedMbps, booked }: Load): number {
  return limitMbps > 0 ? (usedMbps + booked.mbps) / limitMbps : Number.POSITIVE_INFINITY;
}

export function serverResource(id: string): string {
  return `server/${id}`;
}

export function hostResource(site: string, host: string): string {
  return `host/${site}/${host}`;
}

export function uplinkResource(site: string, uplink: string): string {
  return `uplink/${site}/${uplink}`;
}

/** Both directions are one resource: the fuller one counts. */
export function linkResource(one: string, other: string): string {
  return one < other ? `link/${one}/${other}` : `link/${other}/${one}`;
}
