// Events in words: what happened, to whom, how grave it is. Pure.

import type { ClusterEvent, Happening } from '../../messages.ts';
import { counted, dollars, timeOfDay } from '../parts/format.ts';

/** What a filter can ask for. */
export const TOPICS = ['Servers', 'Drains', 'Failover', 'Overflow', 'Jobs', 'Other'] as const;
export type Topic = (typeof TOPICS)[number];

/** `bad`: something was lost or is at its limit. `good`: it is well again. */
export type Tone = 'plain' | 'good' | 'warn' | 'bad';

/** Texts and links, in their order. */
export type Phrase = readonly (string | Subject)[];

export interface Subject {
  readonly of: 'servers' | 'streams' | 'sites';
  readonly name: string;
}

export interface Told {
  readonly topic: Topic;
  readonly tone: Tone;
  readonly phrase: Phrase;
}

type Teller<Kind extends Happening['kind']> = (
  happening: Extract<Happening, { readonly kind: Kind }>,
) => Told;

const TELLERS: { readonly [Kind in Happening['kind']]: Teller<Kind> } = {
  'server-joined': ({ server: id, site }) => told('Servers', 'good', server(id), ' joined at ', siteOf(site)),
  'server-gone': ({ server: id, site, how }) =>
    how === 'left'
      ? told('Servers', 'plain', server(id), ' left ', siteOf(site), ' in order')
      : told('Servers', 'bad', server(id), ' at ', siteOf(site), ' is silent'),
  'server-back': ({ server: id, site }) =>
    told('Servers', 'good', server(id), ' at ', siteOf(site), ' is back'),
  'drain-ordered': ({ server: id, deadlineMs, isWished }) => {
    const why = isWished ? '' : ', because its process was told to end';
    const until = deadlineMs === undefined ? '' : `, broadcasts until ${timeOfDay(deadlineMs)}`;
    return told('Drains', 'warn', server(id), ` is being drained${until}${why}`);
  },
  'drain-emptied': ({ server: id }) => told('Drains', 'good', server(id), ' is empty'),
  'drain-ended': ({ server: id }) => told('Drains', 'plain', server(id), ' takes viewers again'),
  'origin-changed': ({ stream: name, from, to }) =>
    told('Failover', 'warn', stream(name), ' comes in at ', server(to), ', no more at ', server(from)),
  'parents-changed': ({ server: id, copies, streams }) =>
    told(
      'Failover',
      'warn',
      `${counted(copies)} copies left `,
      server(id),
      ' for other parents',
      ...some(streams),
    ),
  'overflow-began': ({ cdn, streams }) =>
    told('Overflow', 'warn', `The CDN ${cdn} takes over`, ...some(streams)),
  'overflow-ended': ({ cdn }) => told('Overflow', 'good', `Nobody is sent to the CDN ${cdn} any more`),
  'job-moved': ({ stream: name, from, to }) =>
    told(
      'Jobs',
      'plain',
      'The encoding of ',
      stream(name),
      ' moved to ',
      server(to),
      '; it was on ',
      server(from),
    ),
  'job-failed': ({ stream: name, server: id, reason }) =>
    told('Jobs', 'bad', 'The encoding of ', stream(name), ' failed on ', server(id), reason && `: ${reason}`),
  'leader-changed': ({ leader, planTerm }) =>
    told('Other', 'plain', leader ? `Usher ${leader} leads, term ${planTerm}` : 'Nobody leads'),
  'cap-reached': ({ cdn, capMicroUsd }) =>
    told('Overflow', 'bad', `The CDN ${cdn} has cost what it may this month: ${dollars(capMicroUsd)}`),
  'recording-gap': ({ stream: name }) => told('Other', 'bad', 'A recording of ', stream(name), ' has a gap'),
  more: ({ count }) => told('Other', 'plain', `${counted(count)} more at the same moment`),
};

export function tell({ happening }: ClusterEvent): Told {
  const teller = TELLERS[happening.kind] as ((of: Happening) => Told) | undefined;
  return teller?.(happening) ?? told('Other', 'plain', happening.kind);
}

/** As it would be read out. */
export function plainText({ phrase }: Told): string {
  return phrase.map((piece) => (typeof piece === 'string' ? piece : piece.name)).join('');
}

function told(topic: Topic, tone: Tone, ...phrase: (string | Subject)[]): Told {
  return { topic, tone, phrase };
}

function server(name: string): Subject {
  return { of: 'servers', name };
}

function siteOf(name: string): Subject {
  return { of: 'sites', name };
}

function stream(name: string): Subject {
  return { of: 'streams', name };
}

/** A few of the streams that it is about. */
function some(names: readonly string[]): (string | Subject)[] {
  const shown = names.slice(0, 3);
  const more = names.length - shown.length;
  const list = shown.flatMap((name, index) => [index === 0 ? ': ' : ', ', stream(name)]);
  return more > 0 ? [...list, ` and ${counted(more)} more`] : list;
}
