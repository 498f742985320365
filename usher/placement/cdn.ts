// CDNs: whom they may serve, at what price, and from which servers they pull. Pure.

import { type Ask, cdnMicroUsd } from './price/cost.ts';
import type { CdnChoice } from './request.ts';
import type { SceneCdn } from './scene/scene.ts';
import { shieldsOf } from './shields.ts';

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
  if (shields.length === 0) return undefined;
  const copyFrom = shields[0]!.feed?.parent.server.id;
  return {
    kind: 'cdn',
    cdn,
    shields: shields.map(({ at }) => at.server),
    mbps,
    microUsdPerHour,
    ...(copyFrom === undefined ? {} : { copyFrom }),
  };
}

/** A viewer of an unknown country is served only by a CDN that may serve all. */
export function mayServe({ cdn }: SceneCdn, country: string | undefined): boolean {
  return cdn.countries === undefined || (country !== undefined && cdn.countries.includes(country));
}
