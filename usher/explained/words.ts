// The words of explanations, for terminals and pages alike. Pure.

import type { Exclusion } from '../placement/exclusion.ts';
import type { ExplainedCdn, ExplainedServer, Terms } from '../placement/explain.ts';
import type { FullReason } from '../placement/request.ts';
import type { Explained } from './explained.ts';

/** In the order in which they are shown. */
export const TERMS: readonly (keyof Terms)[] = [
  'transit',
  'latency',
  'stall',
  'elsewhere',
  'hot',
  'wait',
  'copy',
  'link',
  'move',
];

export const FULL_WORDS: Readonly<Record<FullReason, string>> = {
  no_server: 'no server is there to serve viewers',
  no_room: 'every server that may serve it is full',
  address: 'much is promised to others at the same address, who have not come for it',
  not_leased: 'what room is left is being shared out among ushers',
  cdn_spent: 'every server is full, and what a CDN may cost this month is spent',
};

/** Whether a server has the stream. */
export const HOLDING_WORDS: Readonly<Record<ExplainedServer['state'], string>> = {
  held: 'yes',
  pulled: 'yes, for a CDN',
  leaving: 'yes, unused',
  coming: 'soon',
  none: 'no',
};

export const CDN_EXCLUSION_WORDS: Readonly<Record<NonNullable<ExplainedCdn['excluded']>, string>> = {
  not_allowed: 'not for this viewer',
  country: 'not for this country',
  spent: 'this month’s money is spent',
};

/** What is known of where the viewer is. */
export function placeText({ whence }: Pick<Explained, 'whence'>): string {
  const { country, position, asn } = whence;
  const words = [
    country,
    position && `${position.latitude} ${position.longitude}`,
    asn !== undefined && `AS${asn}`,
  ].filter((word) => word);
  return words.length > 0 ? words.join(', ') : 'from nowhere known';
}

export function exclusionText(excluded: Exclusion): string {
  switch (excluded.limit) {
    case 'dead':
      return 'dead';
    case 'drain':
      return 'drains';
    case 'role':
      return 'serves no viewers';
    case 'avoided':
      return 'avoided';
    case 'parent':
      return 'nobody could pass the stream on to it';
    default:
      return `${excluded.resource} has ${excluded.roomMbps.toFixed(1)} Mbps left${excluded.limit === 'lease' ? ' of what this usher leased' : ''}`;
  }
}
