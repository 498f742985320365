// Placement: which server a viewer is sent to, and where it may go when that fails. Reads the scene and the request, nothing else.

import { cdnChoice, mayServe } from './cdn.ts';
import { type Ask, askOf } from './price/cost.ts';
import type { CdnChoice, Choice, Decision, FullReason, PlaceRequest, ServerChoice } from './request.ts';
import type { Scene } from './scene/scene.ts';
import { findStream, rungsMbps } from './scene/streams.ts';
import { searchServers } from './search.ts';

/** How many ways to the stream a viewer is given. */
export const CHOICES = 3;
/** When one who was refused may ask again: viewers leave all the time, and servers beat each second. */
const RETRY_S = 5;

/**
 * The cheapest of the servers that no hard limit excludes, by the prices of the policy. In order: servers with room, which keep
 * back what copies of their streams and CDNs take; what they keep back, but for what a CDN has yet to pull if it can serve this
 * viewer; that CDN; a lower rendition.
 */
export function place(scene: Scene, request: PlaceRequest): Decision {
  const stream = findStream(scene.snapshot, request.stream);
  if (!stream) return { kind: 'unknown' };
  const ask = askOf(scene, request, stream);
  const rungs = rungsMbps(stream);
  const choices = choicesOf(ask, rungs);
  if (choices.length > 0) return { kind: 'serve', stream, choices };
  return { kind: 'full', stream, reason: reasonOf(ask, rungs), retryAfterS: RETRY_S };
}

function reasonOf(ask: Ask, rungs: readonly number[]): FullReason {
  const { scene, request } = ask;
  if (scene.sites.every(({ open }) => open.length === 0)) return 'no_server';
  if (scene.promised.isShort && choicesOf({ ...ask, beyondLease: true }, rungs).length > 0)
    return 'not_leased';
  const isSpent = scene.cdns.some((each) => each.isSpent && mayServe(each, request.whence.country));
  return request.allowCdn && isSpent ? 'cdn_spent' : 'no_room';
}

function choicesOf(ask: Ask, rungs: readonly number[]): readonly Choice[] {
  const highest = rungs[0] ?? 0;
  const cdn = cdnChoice(ask, highest);
  const first = searchServers(ask, { mbps: highest, keeps: 'copies' }, CHOICES);
  // Whom a CDN can serve does not take what a CDN would need to get a stream at all.
  const keeps = cdn ? 'pulls' : 'nothing';
  const servers = first.length > 0 ? first : searchServers(ask, { mbps: highest, keeps }, CHOICES);
  if (servers.length > 0 || cdn) return inOrder(ask, servers, cdn);
  for (const mbps of rungs.slice(1)) {
    const choices = searchServers(ask, { mbps, keeps: 'nothing' }, CHOICES);
    if (choices.length > 0) return choices;
  }
  return [];
}

/** A CDN is the last resort, unless the policy lets its price decide. */
function inOrder(
  { policy }: Ask,
  servers: readonly ServerChoice[],
  cdn: CdnChoice | undefined,
): readonly Choice[] {
  if (!cdn) return servers;
  const [best] = servers;
  const isFirst =
    policy.cdnAt === 'price' && best !== undefined && cdn.microUsdPerHour < best.microUsdPerHour;
  const own = servers.slice(0, CHOICES - 1);
  return isFirst ? [cdn, ...own] : [...own, cdn];
}
