// The simulated broadcasts: how much each sends, whose audience it has, and which server it comes to.

import type { Dice } from '../dice.ts';
import { Lottery } from '../dice.ts';
import type { Audience, Scenario } from '../scenario.ts';
import type { Copy } from './copy.ts';
import type { Server } from './plant.ts';

export class Stream {
  readonly index: number;
  readonly name: string;
  readonly kbps: number;
  /** That of its broadcaster. */
  readonly home: Audience;
  /** Undefined while its broadcaster looks for another. */
  origin: Server | undefined;
  /** How often it had to: the claim's term. */
  term = 1;
  readonly copies = new Set<Copy>();
  /** Those that the own network serves, and those of CDNs. */
  viewers = 0;
  cdnViewers = 0;

  constructor(index: number, kbps: number, home: Audience) {
    this.index = index;
    this.name = `stream-${String(index + 1).padStart(4, '0')}`;
    this.kbps = kbps;
    this.home = home;
  }
}

export function streamsOf({ streams, audiences }: Scenario, dice: Dice): Stream[] {
  const rates = new Lottery(streams.bitrates.map(({ share }) => share));
  const homes = new Lottery(audiences.map(({ share }) => share));
  return Array.from({ length: streams.count }, (_, index) => {
    const kbps = Math.round(streams.bitrates[rates.draw(dice)]!.mbps * 1000);
    return new Stream(index, kbps, audiences[homes.draw(dice)]!);
  });
}
