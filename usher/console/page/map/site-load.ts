// What the map and tables both say of a site. Pure.

import type { SiteFigures } from '../../messages.ts';
import type { Spot } from './world.ts';

/** Undefined: nobody has said where it is. */
export function spotOf({ latitude, longitude }: SiteFigures): Spot | undefined {
  return latitude === undefined || longitude === undefined ? undefined : { latitude, longitude };
}

/** How full a site is: as full as its servers are together. */
export function loadOf({ sentMbps, egressMbps }: SiteFigures): number {
  return egressMbps > 0 ? sentMbps / egressMbps : 0;
}
