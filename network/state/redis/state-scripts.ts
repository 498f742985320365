// The scripts of the cluster state in Redis, what they work on and what they answer. Each is one verb, and runs as a whole or not.

import { readFileSync } from 'node:fs';

/** The keys in the order in which every script takes them, each with its type. */
export const KEYS = {
  servers: 'hash',
  traces: 'hash',
  seen: 'zset',
  streams: 'hash',
  changes: 'zset',
  holders: 'zset',
  plan: 'hash',
  planned: 'zset',
  drains: 'hash',
  ushers: 'hash',
  reported: 'zset',
  shares: 'hash',
  leased: 'zset',
  spent: 'hash',
  accounts: 'hash',
  meta: 'hash',
} as const;
export type Key = keyof typeof KEYS;
export const KEY_NAMES = Object.keys(KEYS) as Key[];

/** The braces put all keys into one slot of a Redis Cluster, where a script may use them together. */
export function keysOf(prefix: string): Readonly<Record<Key, string>> {
  const keys = KEY_NAMES.map((name) => [name, `{${prefix}}:${name}`]);
  return Object.fromEntries(keys) as Record<Key, string>;
}

/** What the id of a server or an usher follows. */
export function channelOf(prefix: string): string {
  return `{${prefix}}:changed:`;
}

/** Times, in ms. */
export type HearingAnswer = [now: number, since: number, paused: number];

export interface Answers {
  readonly beat:
    | [kind: 'known', assignment: string | null, drain: string | null, lost: (string | number)[], now: number]
    | [kind: 'taken', assignment?: never, drain?: never, lost?: never, now?: never];
  readonly leave: 1;
  /** Server ids and entries, one after the other. */
  readonly find: [hearing: HearingAnswer, stream: string, ...servers: string[]] | null;
  readonly claim:
    | [kind: 'claimed', term: number, hearing: HearingAnswer, before: string | null]
    | [kind: 'held', by: string, term: number]
    | [kind: 'taken'];
  /** What CDNs got is name and amount, one after the other; what is granted is in the order of the wants, in kbps. */
  readonly lease: [monthStart: number, spent: string[], granted: number[], unsettledMs: number];
  readonly wake: 1;
  readonly drain: 'known' | 'unknown';
  readonly lead: [kind: 'leading', term: number] | [kind: 'following', leader: string | null, term: number];
}
export type Script = keyof Answers;

/** Lua by name, each with what all begin with. */
export const SCRIPTS: Readonly<Record<Script, string>> = {
  beat: read('beat'),
  leave: read('leave'),
  find: read('find'),
  claim: read('claim'),
  lead: read('lead'),
  lease: read('lease'),
  drain: read('drain'),
  wake: read('wake'),
};

function read(name: Script): string {
  const [shared, own] = ['shared', name].map((file) =>
    readFileSync(new URL(`state-scripts/${file}.lua`, import.meta.url), 'utf8'),
  );
  return `${shared}\n${own}`;
}
