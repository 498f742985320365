// The lines of a comparison: what each is called, and how its figure is written. Pure.

import type { Result } from '../measures/result.ts';

export interface Section {
  readonly title: string;
  readonly lines: readonly Line[];
}

export interface Line {
  readonly label: string;
  readonly text: (result: Result) => string;
}

export const SECTIONS: readonly Section[] = [
  {
    title: 'viewer-hours',
    lines: [
      { label: 'served by the own network', text: ({ viewers }) => figure(viewers.ownHours) },
      { label: 'served by a CDN', text: ({ viewers }) => figure(viewers.cdnHours) },
      { label: 'refused', text: ({ viewers }) => figure(viewers.refusedHours) },
      { label: 'lost where there was too much to send', text: ({ over }) => figure(over.lostHours) },
      { label: 'not served (refused or lost), %', text: ({ viewers }) => viewers.unservedPercent.toFixed(2) },
    ],
  },
  {
    title: 'viewers',
    lines: [
      { label: 'came', text: ({ viewers }) => whole(viewers.arrived) },
      { label: 'refused', text: ({ viewers }) => whole(viewers.refused) },
      { label: 'refused while there was room', text: ({ viewers }) => whole(viewers.refusedWithRoom) },
      { label: 'to a CDN while there was room', text: ({ viewers }) => whole(viewers.onCdnWithRoom) },
      { label: 'interrupted by drains', text: ({ viewers }) => whole(viewers.interruptedByDrains) },
      { label: 'interrupted by failures', text: ({ viewers }) => whole(viewers.interruptedByFailures) },
      { label: 'moves per viewer', text: ({ viewers }) => viewers.movesPerViewer.toFixed(3) },
      { label: 'wait for a copy, mean ms', text: ({ viewers }) => whole(viewers.meanStartMs) },
    ],
  },
  {
    title: 'over 100 %',
    lines: [
      {
        label: 'all servers, s',
        text: ({ over: { secondsBy } }) => figure(secondsBy.server + secondsBy.host),
      },
      { label: 'all uplinks, s', text: ({ over }) => figure(over.secondsBy.uplink) },
      { label: 'all links between sites, s', text: ({ over }) => figure(over.secondsBy.link) },
      { label: 'fullest at any time, %', text: ({ over }) => over.worstPercent.toFixed(1) },
    ],
  },
  {
    title: 'cost, dollars',
    lines: [
      { label: 'transit', text: ({ cost }) => dollars(cost.transit) },
      { label: 'between sites', text: ({ cost }) => dollars(cost.links) },
      { label: 'CDN', text: ({ cost }) => dollars(cost.cdn) },
      { label: 'all', text: ({ cost }) => dollars(cost.total) },
      { label: 'per 1,000 viewer-hours served', text: ({ cost }) => dollars(cost.perViewerHour * 1_000) },
      { label: 'a CDN for those not served', text: ({ cost }) => maybe(cost.unserved, dollars) },
      {
        label: 'per 1,000 viewer-hours with that',
        text: ({ cost }) => maybe(cost.perHourOfAll, (microUsd) => dollars(microUsd * 1_000)),
      },
    ],
  },
  {
    title: 'from the own servers to viewers',
    lines: [
      { label: 'distance, mean km', text: ({ distance }) => whole(distance.meanKm) },
      { label: 'distance, p95 km', text: ({ distance }) => whole(distance.p95Km) },
      { label: 'round trip, mean ms', text: ({ distance }) => distance.meanRttMs.toFixed(1) },
      { label: 'round trip, p95 ms', text: ({ distance }) => whole(distance.p95RttMs) },
    ],
  },
  {
    title: 'copies',
    lines: [
      { label: 'copy-hours beside the origins', text: ({ copies }) => figure(copies.hours) },
      { label: 'most at any time', text: ({ copies }) => whole(copies.most) },
      { label: 'over the fewest that could', text: ({ copies }) => copies.overFewest.toFixed(2) },
      { label: 'over the fewest at these sites', text: ({ copies }) => copies.overFewestAtSites.toFixed(2) },
      { label: 'between sites, GB', text: ({ copies }) => figure(copies.betweenSitesGb) },
      {
        label: 'enough for a crowd after, s',
        text: ({ enoughCopiesAfterS }) => enoughCopiesAfterS.map(whole).join(', ') || '-',
      },
    ],
  },
];

export const BRIEF: readonly Line[] = [
  { label: 'OVER 100 %', text: ({ over }) => `${figure(over.seconds)} s` },
  { label: 'REFUSED', text: ({ viewers }) => whole(viewers.refused) },
  { label: 'UNSERVED', text: ({ viewers }) => `${viewers.unservedPercent.toFixed(2)} %` },
  {
    label: 'CUT OFF',
    text: ({ viewers }) => whole(viewers.interruptedByDrains + viewers.interruptedByFailures),
  },
  { label: 'BY CDN', text: ({ viewers }) => `${figure(viewers.cdnHours)} h` },
  { label: '$ PER 1,000 H', text: ({ cost }) => dollars(cost.perViewerHour * 1_000) },
  {
    label: 'WITH ALL SERVED',
    text: ({ cost }) => maybe(cost.perHourOfAll, (microUsd) => dollars(microUsd * 1_000)),
  },
  { label: 'ROUND TRIP', text: ({ distance }) => `${distance.meanRttMs.toFixed(1)} ms` },
  { label: 'COPIES', text: ({ copies }) => `${copies.overFewestAtSites.toFixed(2)}x` },
];

function maybe(number: number | undefined, text: (number: number) => string): string {
  return number === undefined ? '-' : text(number);
}

/** Small ones with a digit after the point. */
function figure(number: number): string {
  return number >= 100 || number === 0 ? whole(number) : number.toFixed(1);
}

function whole(number: number): string {
  return Math.round(number).toLocaleString('en-US');
}

/** Small ones with four digits after the point. */
function dollars(microUsd: number): string {
  const digits = microUsd >= 10e6 || microUsd === 0 ? 2 : 4;
  return (microUsd / 1e6).toLocaleString('en-US', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}
