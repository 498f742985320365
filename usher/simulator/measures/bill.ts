// What the simulated time really costs: transit by its percentile or volume, copies between sites, CDNs. Pure.

import type { Billing } from '../../../network/map/topology.ts';

export const INTERVAL_MS = 300_000;
const MONTH_MS = 30 * 86_400_000;
const KBIT_PER_GB = 8e6;

/** Micro-dollars of what was carried at a price per gigabyte. */
export function volumePrice(kbit: number, microUsdPerGb: number): number {
  return (kbit / KBIT_PER_GB) * microUsdPerGb;
}

/**
 * Micro-dollars of a transit for the simulated time: its part of what the month so far is billed. `means` are the mean Mbps of the
 * 5-minute intervals of that month.
 */
export function transitPrice(
  billing: Billing,
  means: readonly number[],
  kbit: number,
  elapsedMs: number,
): number {
  if (billing.kind === 'volume') return volumePrice(kbit, billing.microUsdPerGb);
  const mbps = Math.max(billing.commitMbps, billedMbps(means, billing.percentile));
  return (mbps * billing.microUsdPerMbpsMonth * elapsedMs) / MONTH_MS;
}

/** The highest interval that is left when those above the percentile are dropped. */
export function billedMbps(means: readonly number[], percentile: number): number {
  const sorted = means.toSorted((one, other) => other - one);
  const dropped = Math.floor((sorted.length * (100 - percentile)) / 100);
  return sorted[dropped] ?? 0;
}
