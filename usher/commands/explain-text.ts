// An explanation of placement as text that a person can read: where a viewer would go, and what each server would cost. Pure.

import type { Explained, ExplainedChoice } from '../explained.ts';
import type { Exclusion } from '../placement/exclusion.ts';
import type { ExplainedServer, Terms } from '../placement/explain.ts';
import type { FullReason } from '../placement/request.ts';
import { tableLines } from './table.ts';

/** What is shown at most: the rest is for the eyes of programs. */
const MAX_SERVERS = 50;
const TERMS: readonly (keyof Terms)[] = [
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

const FULL: Readonly<Record<FullReason, string>> = {
  no_server: 'nowhere: no server is there to serve viewers',
  no_room: 'nowhere: every server that may serve it is full',
  not_leased: 'nowhere now: what room is left is being shared out among ushers',
  cdn_spent: 'nowhere: every server is full, and what a CDN may cost this month is spent',
};

export function explainText(explained: Explained): string {
  const { choices, full } = explained;
  const goes = full ? FULL[full] : choices.map(choiceText).join(', else ');
  return `${[headText(explained), `  goes to ${goes}`, '', ...costTable(explained)].join('\n')}\n`;
}

function headText({ stream, address, whence, site, policy, mbps }: Explained): string {
  const { country, position, asn } = whence;
  const place = [
    country,
    position && `${position.latitude} ${position.longitude}`,
    asn !== undefined && `AS${asn}`,
  ].filter((word) => word);
  const from = place.length > 0 ? place.join(', ') : 'from nowhere known';
  return `${stream} (${mbps.toFixed(1)} Mbps) for ${address}: ${from}; asked at ${site}, policy ${policy}`;
}

function choiceText(choice: ExplainedChoice): string {
  if (choice.kind === 'server') return `${choice.server} by ${choice.uplink}`;
  return `the CDN ${choice.cdn} that pulls from ${choice.shields.join(' or ')}`;
}

/** In micro-dollars per viewer-hour. Terms that nobody has are left out. */
function costTable({ servers, cdns }: Explained): string[] {
  const shown = servers.slice(0, MAX_SERVERS);
  const terms = TERMS.filter((term) => shown.some((server) => (server.terms?.[term] ?? 0) !== 0));
  const head = ['SERVER', 'SITE', 'HAS IT', 'UPLINK', 'µ$/H', ...terms.map((term) => term.toUpperCase()), ''];
  const rows = [
    head,
    ...shown.map((server) => serverRow(server, terms)),
    ...cdns.map(({ name, microUsdPerHour, excluded }) => [
      name,
      'CDN',
      '',
      '',
      amount(microUsdPerHour),
      ...terms.map(() => ''),
      excluded ? CDN_EXCLUDED[excluded] : '',
    ]),
  ];
  const more = servers.length - shown.length;
  return [
    ...tableLines(rows, [4, ...terms.map((_, at) => 5 + at)]),
    ...(more > 0 ? [`and ${more} more, which --json has`] : []),
  ];
}

const CDN_EXCLUDED = {
  not_allowed: 'not for this viewer',
  country: 'not for this country',
  spent: 'this month’s money is spent',
} as const;

function serverRow(server: ExplainedServer, terms: readonly (keyof Terms)[]): string[] {
  const { id, site, state, uplink = '', copyFrom, microUsdPerHour, excluded, keepsBack } = server;
  return [
    id,
    site,
    copyFrom ? `from ${copyFrom}` : STATES[state],
    uplink,
    amount(microUsdPerHour),
    ...terms.map((term) => amount(server.terms?.[term])),
    excluded ? exclusionText(excluded) : keepsBack ? 'keeps back for copies' : '',
  ];
}

const STATES = { held: 'yes', leaving: 'yes, unused', coming: 'soon', none: 'no' } as const;

function exclusionText(excluded: Exclusion): string {
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

function amount(microUsd: number | undefined): string {
  return microUsd === undefined ? '' : Math.round(microUsd).toLocaleString('en');
}
