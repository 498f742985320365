// The systems that ours is compared with, by name.

import type { MakeChooser } from '../world/world.ts';
import { Catalyst } from './catalyst.ts';
import { LiveKit } from './livekit.ts';
import { Mist } from './mist.ts';
import { Moq } from './moq.ts';
import { Nearest, Random, RoundRobin } from './plain.ts';

export const BASELINES: ReadonlyMap<string, MakeChooser> = new Map<string, MakeChooser>([
  ['mist', (ground) => new Mist(ground, { name: 'mist', ownRegion: 0 })],
  ['mist-region', (ground) => new Mist(ground, { name: 'mist-region', ownRegion: 1_000 })],
  ['livekit-lowest', (ground) => new LiveKit(ground, 'lowest')],
  ['livekit-twochoice', (ground) => new LiveKit(ground, 'twochoice')],
  ['catalyst', (ground) => new Catalyst(ground)],
  ['dns-round-robin', (ground) => new RoundRobin(ground)],
  ['moq', (ground) => new Moq(ground)],
  ['nearest', (ground) => new Nearest(ground)],
  ['random', (ground) => new Random(ground)],
]);
