// An explanation of placement as text that a person can read: where a viewer would go, and what each server would cost. Pure.

import { tableLines } from '../../../network/command/table.ts';
import type { Explained, ExplainedChoice } from '../../explained/explained.ts';
import {
  CDN_EXCLUSION_WORDS,
  exclusionText,
  FULL_WORDS,
  HOLDING_WORDS,
  placeText,
  TERMS,
} from '../../explained/words.ts';
import type { ExplainedServer, Terms } from '../../placement/explain.ts';

/** What is shown at most: the rest is for the eyes of programs. */
const MAX_SERVERS = 50;
export function explainText(explained: Explained): string {
  const { choices, full } = explained;
  const goes = full
    ? `nowhere${full === 'not_leased' ? ' now' : ''}: ${FULL_WORDS[full]}`
    : choices.map(choiceText).join(', else ');
  return `${[headText(explained), `  goes to ${goes}`, '', ...costTable(explained)].join('\n')}\n`;
}

function headText(explained: Explained): string {
  const { stream, address, site, policy, mbps } = explained;
  return `${stream} (${mbps.toFixed(1)} Mbps) for ${address}: ${placeText(explained)}; asked at ${site}, policy ${policy}`;
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
      excluded ? CDN_EXCLUSION_WORDS[excluded] : '',
    ]),
  ];
  const more = servers.length - shown.length;
  return [
    ...tableLines(rows, [4, ...terms.map((_, at) => 5 + at)]),
    ...(more > 0 ? [`and ${more} more, which --json has`] : []),
  ];
}

function serverRow(server: ExplainedServer, terms: readonly (keyof Terms)[]): string[] {
  const { id, site, state, uplink = '', copyFrom, microUsdPerHour, excluded, keepsBack } = server;
  return [
    id,
    site,
    copyFrom ? `from ${copyFrom}` : HOLDING_WORDS[state],
    uplink,
    amount(microUsdPerHour),
    ...terms.map((term) => amount(server.terms?.[term])),
    excluded ? exclusionText(excluded) : keepsBack ? 'keeps back for copies' : '',
  ];
}

function amount(microUsd: number | undefined): string {
  return microUsd === undefined ? '' : Math.round(microUsd).toLocaleString('en');
}
