// What a simulated world is made of before anybody decides anything in it: the same for every policy of one scenario and seed.

import { Dice } from '../dice.ts';
import type { Scenario } from '../scenario.ts';
import { Events } from './events.ts';
import { type Group, groupsOf } from './group.ts';
import { Plant } from './plant.ts';
import { type Stream, streamsOf } from './stream.ts';

export interface Ground {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly events: Events;
  readonly plant: Plant;
  readonly groups: readonly Group[];
  readonly streams: readonly Stream[];
  streamNamed(name: string): Stream | undefined;
}

/** Broadcasters are about as many in each audience as viewers are, also among those of the first streams. */
const STREAMS_SEED = 5;

export function prepareGround(scenario: Scenario, seed: number): Ground {
  const plant = new Plant(scenario);
  // They are of the scenario: another seed brings other viewers to the same streams.
  const streams = streamsOf(scenario, new Dice(STREAMS_SEED, 'streams'));
  const byName = new Map(streams.map((stream) => [stream.name, stream]));
  return {
    scenario,
    seed,
    events: new Events(),
    plant,
    groups: groupsOf(scenario, plant.sites),
    streams,
    streamNamed: (name) => byName.get(name),
  };
}
