// What a caller keeps from scene to scene, so that of a new snapshot only what changed is read.

import { Crossings } from './crossings.ts';
import { Holders } from './holders.ts';

export class Kept {
  readonly holders = new Holders();
  readonly crossings = new Crossings();
}
