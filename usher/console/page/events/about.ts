// Which events a page of one stream, server or site shows. Pure.

import type { ClusterEvent } from '../../messages.ts';

export type Whom = 'stream' | 'server' | 'site';

/** Events of a cluster say by these words who was in them. */
const WORDS: Readonly<Record<Whom, readonly string[]>> = {
  stream: ['stream'],
  server: ['server', 'from', 'to'],
  site: ['site'],
};

export function isAbout({ happening }: ClusterEvent, whom: Whom, name: string): boolean {
  const said = happening as unknown as Readonly<Record<string, unknown>>;
  if (WORDS[whom].some((word) => said[word] === name)) return true;
  return whom === 'stream' && Array.isArray(said['streams']) && said['streams'].includes(name);
}
