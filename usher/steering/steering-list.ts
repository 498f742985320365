// The steering manifest: in which order a player is to try its pathways, and the ones that it does not know yet. Pure.

import type { Pathway } from '../multivariant.ts';

/** RFC 8216bis 7. */
export interface SteeringList {
  readonly VERSION: 1;
  /** When the player is to ask again, seconds. */
  readonly TTL: number;
  readonly 'RELOAD-URI'?: string;
  readonly 'PATHWAY-PRIORITY': readonly string[];
  readonly 'PATHWAY-CLONES'?: readonly PathwayClone[];
}

export interface PathwayClone {
  readonly 'BASE-ID': string;
  readonly ID: string;
  readonly 'URI-REPLACEMENT': { readonly 'PER-VARIANT-URIS': Readonly<Record<string, string>> };
}

export interface SteeringOptions {
  readonly ttlS: number;
  /** Best first. */
  readonly pathways: readonly Pathway[];
  /** Ids of the pathways of the multivariant playlist that the player has. */
  readonly declared: readonly string[];
  readonly renditions: readonly string[];
  readonly reloadUri?: string | undefined;
}

/**
 * hls.js takes a list of one as all there is, and fails for good with it: what is left of the declared pathways fills it up.
 * Clones are repeated for as long as they are listed, because Video.js drops those that are not; HOST would not do, as servers
 * may differ in port.
 */
export function steeringList(options: SteeringOptions): SteeringList {
  const { ttlS, pathways, declared, renditions, reloadUri } = options;
  const listed = pathways.map(({ id }) => id);
  const spare = listed.length < 2 ? declared.filter((id) => !listed.includes(id)) : [];
  const [base] = declared;
  const unknown = base === undefined ? [] : pathways.filter(({ id }) => !declared.includes(id));
  return {
    VERSION: 1,
    TTL: ttlS,
    ...(reloadUri === undefined ? {} : { 'RELOAD-URI': reloadUri }),
    'PATHWAY-PRIORITY': [...listed, ...spare],
    ...(unknown.length === 0
      ? {}
      : { 'PATHWAY-CLONES': unknown.map((each) => clone(base!, each, renditions)) }),
  };
}

function clone(base: string, { id, urlOf }: Pathway, renditions: readonly string[]): PathwayClone {
  const uris = Object.fromEntries(renditions.map((name) => [name, urlOf(name)]));
  return { 'BASE-ID': base, ID: id, 'URI-REPLACEMENT': { 'PER-VARIANT-URIS': uris } };
}
