// Goes where usher steers without hls.js taking note of it. A switch of pathway of its own fetches a group of pictures again, and
// stands still for the rest of it where less is buffered; another address for the same names does not.

import type { SteeringManifest } from 'hls.js';

/** What all addresses of a pathway begin with: `.../play/<token>/`. */
const BASE = /^.*\/play\/[^/]+\//;
/** Of more pathways than a player ever has at a time, those that it heard of first are forgotten. */
const MAX_KNOWN = 100;

/** Between hls.js, which stays on the pathway that it has chosen, and the network. */
export class Detour {
  readonly #bases = new Map<string, string>();
  /** The pathway that hls.js is on, and the one that its requests go to. */
  #from: string | undefined;
  #to: string | undefined;

  /** A variant's address on a pathway. */
  learn(pathway: string | undefined, url: string | undefined): void {
    const base = BASE.exec(url ?? '')?.[0];
    if (pathway === undefined || base === undefined || this.#bases.has(pathway)) return;
    if (this.#bases.size >= MAX_KNOWN) this.#bases.delete(this.#bases.keys().next().value!);
    this.#bases.set(pathway, base);
  }

  /**
   * Heeds what usher answered to a request for `url`, and changes it before hls.js does: hls.js is to stay where it is, and to try
   * what its requests go to last when they fail.
   */
  heed(url: string, { 'PATHWAY-PRIORITY': priority, 'PATHWAY-CLONES': clones = [] }: SteeringManifest): void {
    for (const { ID, 'URI-REPLACEMENT': replacement } of clones)
      this.learn(ID, Object.values(replacement['PER-VARIANT-URIS'] ?? {})[0]);
    const from = new URL(url).searchParams.get('_HLS_pathway') ?? '';
    if (!this.#bases.has(from)) return;
    this.#from = from;
    this.#to = priority.find((pathway) => this.#bases.has(pathway)) ?? from;
    const others = priority.filter((pathway) => pathway !== from && pathway !== this.#to);
    priority.splice(0, priority.length, from, ...others, ...(this.#to === from ? [] : [this.#to]));
  }

  /** Where to ask instead, and as who is somewhere else. */
  urlFor(url: string): string {
    const [from, to] = [this.#from, this.#to];
    if (from === undefined || to === undefined || from === to) return url;
    const [fromBase, toBase] = [this.#bases.get(from), this.#bases.get(to)];
    if (fromBase && toBase && url.startsWith(fromBase)) return toBase + url.slice(fromBase.length);
    return url.replace(`_HLS_pathway=${from}&`, `_HLS_pathway=${to}&`);
  }
}
