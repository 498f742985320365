// Demand: what viewers want of a rendition now, and will want by the time that one more copy could be there. Pure.

import { BEAT_MS } from '../../network/state/liveness.ts';
import type { RenditionRecord } from '../../network/state/state.ts';
import type { Copies } from './cluster.ts';

/** How often the plan is made. */
export const PLAN_MS = 500;
/** A server that begins to follow has its first whole segments after this. */
const COPY_MS = 1_000;
/** Arrivals grow while they are counted: a crowd that doubles in 2 s is met. */
const MARGIN_MS = 1_500;
/**
 * How far ahead arrivals are counted: a viewer shows in the next beat, that beat in the next plan, the plan reaches its
 * server with that one's next beat, and the copy is made. 1 + 0.5 + 1 + 1 + 1.5 = 5 s.
 */
export const HORIZON_MS = BEAT_MS + PLAN_MS + BEAT_MS + COPY_MS + MARGIN_MS;

/** What a rendition is taken for until its first segment has closed. */
const ASSUMED_BPS = 4_000_000;

export function bitrateMbps({ averageBps }: RenditionRecord): number {
  return (averageBps > 0 ? averageBps : ASSUMED_BPS) / 1e6;
}

export function demandMbps(copies: Copies, bitrate: number): number {
  let viewers = 0;
  for (const copy of copies.values()) viewers += copy.viewers + (copy.arrivalsPerS * HORIZON_MS) / 1000;
  return viewers * bitrate;
}
