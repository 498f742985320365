// Growth: the copies that a rendition needs beside those that it has, where they are cheapest for the viewers to come. Pure.

import type { Copy, Spread } from '../cluster.ts';
import { type Balance, Balances, EPSILON_MBPS, FILL } from './balance.ts';
import type { Growing, Growth } from './growing.ts';
import { bestOffer } from './offers.ts';

/** When nothing is left but what was kept back, that is given too: nobody is refused while there is room. */
const SHARES = [FILL, 1];

/** Those who have it, and as many others as their viewers and those to come need. Without the origin, in order of their ids. */
export function grow(spread: Spread, kept: readonly Copy[], growing: Growing): readonly Copy[] {
  const holders = [...kept];
  const taken = new Set([...kept, spread.root!].map(({ on }) => on));
  for (const share of SHARES) {
    const balances = new Balances(spread, holders, growing.ground.sites, share);
    if (serveAll({ ...growing, spread, balances, taken }, holders)) break;
  }
  return holders.sort((one, other) => one.on.index - other.on.index);
}

/** What a site lacks for its viewers; nothing when it is as little as rounding. */
export function lackMbps(balances: Balances, balance: Balance): number {
  const lack = -balances.leftMbps(balance);
  return lack > EPSILON_MBPS ? lack : 0;
}

/** Adds to the holders. Whether everybody can be served then. */
function serveAll(growth: Growth, holders: Copy[]): boolean {
  const { balances } = growth;
  const lacking = balances.all.filter((balance) => lackMbps(balances, balance) > 0);
  lacking.sort((one, other) => lackMbps(balances, other) - lackMbps(balances, one));
  let isEnough = true;
  for (const balance of lacking) isEnough = serve(growth, balance, holders) && isEnough;
  return isEnough;
}

function serve(growth: Growth, balance: Balance, holders: Copy[]): boolean {
  const { balances, taken } = growth;
  for (;;) {
    const mbps = lackMbps(balances, balance);
    if (mbps === 0) return true;
    const offer = bestOffer(growth, balance, mbps);
    if (!offer) return false;
    if (offer.kind === 'copy') {
      balances.add(offer.copy);
      taken.add(offer.copy.on);
      holders.push(offer.copy);
    } else {
      const moved = Math.min(mbps, offer.leftMbps);
      balance.needMbps -= moved;
      offer.balance.needMbps += moved;
    }
  }
}
