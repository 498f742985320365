// An HLS viewer as far as a cluster sees one: joins by usher, fetches what a player does at first, then asks on and is steered.

import { setTimeout as delay } from 'node:timers/promises';
import { readMultivariant } from './read-multivariant.ts';

export type Place = 'joining' | 'refused' | 'failed' | { readonly pathway: string; readonly url: string };

export interface HlsSessionOptions {
  readonly usherUrl: string;
  readonly stream: string;
  /** Time between two requests of the playlist once it plays. */
  readonly askEveryMs: number;
}

interface SteeringAnswer {
  readonly TTL: number;
  readonly 'PATHWAY-PRIORITY': readonly string[];
  readonly 'PATHWAY-CLONES'?: readonly {
    readonly ID: string;
    readonly 'URI-REPLACEMENT': { readonly 'PER-VARIANT-URIS': Readonly<Record<string, string>> };
  }[];
}

/** A pathway that failed is left alone for this long, as players do. */
const PENALTY_MS = 300_000;

export class HlsSession {
  place: Place = 'joining';
  moves = 0;
  /** What was not answered with 200, in words. */
  readonly failures: string[] = [];
  readonly #options: HlsSessionOptions;
  readonly #stop = new AbortController();
  readonly #urls = new Map<string, string>();
  readonly #penalties = new Map<string, number>();
  #order: readonly string[] = [];
  #steering = '';
  readonly #done: Promise<void>;

  constructor(options: HlsSessionOptions) {
    this.#options = options;
    this.#done = this.#run().catch((error: unknown) => {
      if (!this.#stop.signal.aborted) this.failures.push(String(error));
    });
  }

  async leave(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    if (!(await this.#join())) return;
    await Promise.all([this.#watch(), this.#follow()]);
  }

  async #join(): Promise<boolean> {
    const { usherUrl, stream } = this.#options;
    const answer = await this.#fetch(`${usherUrl}/live/${stream}.m3u8`);
    const text = await answer.text();
    if (answer.status !== 200) {
      this.place = 'refused';
      this.failures.push(`${answer.status}: ${text}`);
      return false;
    }
    const { steering, variants } = readMultivariant(text);
    for (const { pathway, url } of variants) this.#urls.set(pathway, url);
    this.#steering = new URL(steering.uri, usherUrl).href;
    this.#order = [...new Set([steering.pathway, ...this.#urls.keys()])];
    return this.#play();
  }

  /** Takes the first pathway that plays, in the order it was told. */
  async #play(): Promise<boolean> {
    for (const pathway of this.#order) {
      const url = this.#urls.get(pathway);
      if (!url || (this.#penalties.get(pathway) ?? 0) > performance.now()) continue;
      if (await this.#begin(pathway, url)) return true;
      this.#penalties.set(pathway, performance.now() + PENALTY_MS);
    }
    this.place = 'failed';
    return false;
  }

  /** Playlist, init and newest segment, as a player's first requests. */
  async #begin(pathway: string, url: string): Promise<boolean> {
    const playlist = await this.#get(url);
    if (playlist === undefined) return false;
    const uris = playlist.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const init = /#EXT-X-MAP:URI="([^"]+)"/.exec(playlist)?.[1];
    for (const uri of [init, uris.at(-1)])
      if (uri === undefined || (await this.#get(new URL(uri, url).href)) === undefined) return false;
    if (typeof this.place === 'object') this.moves += 1;
    this.place = { pathway, url };
    return true;
  }

  async #watch(): Promise<void> {
    for (;;) {
      await delay(this.#options.askEveryMs, undefined, { signal: this.#stop.signal });
      if (typeof this.place !== 'object') return;
      const { pathway, url } = this.place;
      if ((await this.#get(url)) !== undefined) continue;
      this.#penalties.set(pathway, performance.now() + PENALTY_MS);
      if (!(await this.#play())) return;
    }
  }

  async #follow(): Promise<void> {
    while (typeof this.place === 'object') {
      const question = new URL(this.#steering);
      question.searchParams.set('_HLS_pathway', this.place.pathway);
      const answer = await this.#fetch(question.href);
      if (answer.status !== 200) {
        this.failures.push(`${answer.status} of steering: ${await answer.text()}`);
        return;
      }
      const list = (await answer.json()) as SteeringAnswer;
      for (const clone of list['PATHWAY-CLONES'] ?? []) this.#learn(clone.ID, clone['URI-REPLACEMENT']);
      this.#order = list['PATHWAY-PRIORITY'];
      if (this.#order.find((id) => this.#urls.has(id)) !== this.place.pathway) await this.#play();
      await delay(list.TTL * 1000, undefined, { signal: this.#stop.signal });
    }
  }

  #learn(id: string, replacement: { readonly 'PER-VARIANT-URIS': Readonly<Record<string, string>> }): void {
    const [url] = Object.values(replacement['PER-VARIANT-URIS']);
    if (url && !this.#urls.has(id)) this.#urls.set(id, url);
  }

  /** Undefined when there is no answer, or another than 200: a server may have died a moment ago. */
  async #get(url: string): Promise<string | undefined> {
    try {
      const answer = await this.#fetch(url);
      const text = await answer.text();
      if (answer.status === 200) return text;
      this.failures.push(`${answer.status} of ${new URL(url).host}: ${text}`);
    } catch (error) {
      this.#stop.signal.throwIfAborted();
      this.failures.push(`${error} of ${new URL(url).host}`);
    }
    return undefined;
  }

  #fetch(url: string): Promise<Response> {
    return fetch(url, { signal: this.#stop.signal });
  }
}
