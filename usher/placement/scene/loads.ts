// What has a limit in Mbps: a server, a host's card, an uplink, a link between sites; and how much room each has left. Pure.

/** Promised on a resource and not yet seen in use. Shared by every scene, so that what is booked counts at once. */
export interface Booked {
  mbps: number;
  count: number;
}

export interface Load {
  /** As leases name it. */
  readonly resource: string;
  readonly limitMbps: number;
  usedMbps: number;
  /** What this usher may promise of it. */
  grantMbps: number;
  readonly booked: Booked;
}

/** Less than a bit per second is rounding. */
export const ROUNDING_MBPS = 1e-6;

/** What may still be promised. */
export function roomMbps({ limitMbps, usedMbps, grantMbps, booked }: Load): number {
  return Math.min(limitMbps - usedMbps, grantMbps) - booked.mbps;
}

/** What could be promised if this usher had leased all that nobody uses. */
export function unleasedRoomMbps({ limitMbps, usedMbps, booked }: Load): number {
  return limitMbps - usedMbps - booked.mbps;
}

export function fits(mbps: number, load: Load | undefined): boolean {
  return load === undefined || roomMbps(load) >= mbps - ROUNDING_MBPS;
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
