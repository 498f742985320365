// CDNs: whom they may serve, at what price, and from which servers they pull. Pure.

import { type Ask, cdnMicroUsd } from './price/cost.ts';
import { meet } from './rendezvous.ts';
import type { CdnChoice } from './request.ts';
import type { SceneServer } from './scene/plant.ts';
import type { SceneCdn } from './scene/scene.ts';

/** The cheapest that may serve this viewer and has money left; undefined: none. */
export function cdnChoice(ask: Ask, mbps: number): CdnChoice | undefined {
  const { scene, request } = ask;
  if (!request.allowCdn) return undefined;
  const offers = scene.cdns
    .filter((each) => !each.isSpent && mayServe(each, request.whence.country))
    .map((each) => ({ cdn: each.cdn, microUsdPerHour: cdnMicroUsd(ask, each, mbps) }));
  if (offers.length === 0) return undefined;
  const { cdn, microUsdPerHour } = offers.reduce((best, offer) =>
    offer.microUsdPerHour < best.microUsdPerHour ? offer : best,
  );
  const shields = shieldsOf(ask, cdn.shields);
  return shields.length > 0 ? { kind: 'cdn', cdn, shields, mbps, microUsdPerHour } : undefined;
}

/** A viewer of an unknown country is served only by a CDN that may serve all. */
export function mayServe({ cdn }: SceneCdn, country: string | undefined): boolean {
  return cdn.countries === undefined || (country !== undefined && cdn.countries.includes(country));
}

/** The same few servers for all viewers of a stream, as long as they have it: what the CDN has cached stays of use. */
function shieldsOf({ scene, stream, streamHash }: Ask, count: number): CdnChoice['shields'] {
  const holders = scene.holders
    .of(stream.name)
    .filter(({ state }) => state === 'held' || state === 'leaving')
    .map(({ slot }) => scene.servers[slot]!)
    .filter(({ closed }) => !closed);
  const rankOf = ({ hash }: SceneServer): number => meet(streamHash, hash);
  return holders
    .sort((one, other) => rankOf(other) - rankOf(one))
    .slice(0, count)
    .map(({ server }) => server);
}
