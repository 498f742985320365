// What a CDN is given of a stream: addresses that are the same for all viewers, so that it fetches everything once. Pure.

import type { Cdn } from '../../network/map/topology.ts';

export const DAY_MS = 86_400_000;

/** The address of a path of the media listener by way of a CDN, which pulls it from `shield`. */
export function cdnUrl(cdn: Cdn, shield: string, path: string): string {
  return cdn.urlTemplate.replaceAll('{shield}', shield).replace('{path}', path);
}

/**
 * When the token in a CDN's addresses expires: the same all day, so that a day's viewers share what is cached, and a day or
 * two ahead. Times are Unix times.
 */
export function sharedExpiryMs(nowMs: number): number {
  return (Math.floor(nowMs / DAY_MS) + 2) * DAY_MS;
}

/** What so many seconds of a stream cost. */
export function spentMicroUsd(cdn: Cdn, mbps: number, seconds: number): number {
  const megabitsPerGigabyte = 8_000;
  return (mbps * seconds * cdn.microUsdPerGb) / megabitsPerGigabyte;
}
