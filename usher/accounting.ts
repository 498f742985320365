// What transit uplinks carry this month, counted by who leads: what one viewer more costs depends on it. Pure.

import type { Topology } from '../network/map/topology.ts';
import type { UplinkAccount } from '../network/state/lease.ts';
import type { Snapshot } from '../network/state/state.ts';
import { addTraffic } from './placement/price/billing.ts';
import { plantOf } from './placement/scene/plant.ts';

/** By `<site>/<uplink>`; null forgets one. */
export type AccountChanges = Readonly<Record<string, UplinkAccount | null>>;

/** An interval of five minutes is the mean of thirty looks. */
export const ACCOUNT_MS = 10_000;
/** Nobody knows what was carried while nobody looked. */
const MAX_GAP_MS = 60_000;

/** Remembers until when was counted, by the state's clock. */
export class Accounting {
  #countedToMs: number | undefined;

  /** What is to be written, if it is time for that. */
  changes(snapshot: Snapshot, topology: Topology): AccountChanges {
    const { nowMs } = snapshot;
    const fromMs = this.#countedToMs ?? nowMs;
    if (this.#countedToMs !== undefined && Math.abs(nowMs - fromMs) < ACCOUNT_MS) return {};
    this.#countedToMs = nowMs;
    const isCounted = nowMs > fromMs && nowMs - fromMs <= MAX_GAP_MS;
    return isCounted ? accountsAfter(snapshot, topology, fromMs) : {};
  }
}

/** As if everything had been carried as it is now since `fromMs`. Uplinks that are no more are forgotten. */
export function accountsAfter(snapshot: Snapshot, topology: Topology, fromMs: number): AccountChanges {
  const { accounts, nowMs: toMs } = snapshot;
  const changes = new Map<string, UplinkAccount | null>();
  for (const name of Object.keys(accounts)) if (!isListed(topology, name)) changes.set(name, null);
  for (const { name: site, uplinks } of plantOf(snapshot, topology).sites)
    for (const { uplink, load } of uplinks) {
      const name = `${site}/${uplink.name}`;
      if (uplink.kind !== 'transit' || !isListed(topology, name)) continue;
      changes.set(name, addTraffic(accounts[name], { fromMs, toMs, mbps: load.usedMbps }, uplink.billing));
    }
  return Object.fromEntries(changes);
}

function isListed({ sites }: Topology, name: string): boolean {
  const [site = '', uplink] = name.split('/');
  return sites.get(site)?.uplinks.some((each) => each.kind === 'transit' && each.name === uplink) ?? false;
}
