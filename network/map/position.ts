// Places on the Earth, how far they are from each other, and what round-trip time to expect over that distance. Pure.

/** In degrees, north and east positive. */
export interface Position {
  readonly latitude: number;
  readonly longitude: number;
}

const EARTH_RADIUS_KM = 6371;
/** Light in fibre takes 1 ms for 100 km and back; real paths are about 1.6 times as long as the shortest. */
const RTT_MS_PER_KM = 0.016;
/** What access networks add at the two ends. */
const RTT_MS_OF_ENDS = 4;
/** Between places of which one is unknown: about the mean between two people of the Internet. */
const UNKNOWN_RTT_MS = 100;

/** The shortest way over the surface, on a sphere: at most 0.6 % off. */
export function distanceKm(one: Position, other: Position): number {
  const latitude = radians(other.latitude - one.latitude);
  const longitude = radians(other.longitude - one.longitude);
  const haversine =
    Math.sin(latitude / 2) ** 2 +
    Math.cos(radians(one.latitude)) * Math.cos(radians(other.latitude)) * Math.sin(longitude / 2) ** 2;
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(haversine)));
}

/** What to expect where nothing was measured. */
export function estimatedRttMs(one: Position | undefined, other: Position | undefined): number {
  if (!one || !other) return UNKNOWN_RTT_MS;
  return RTT_MS_OF_ENDS + RTT_MS_PER_KM * distanceKm(one, other);
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}
