// A low-latency HLS player without a picture: reads part after part, whole segments where it is late, and keeps count of what failed and what it missed.

import { Splitter } from '../../../network/media/splitter.ts';
import { type ReadPlaylist, readPlaylist } from './read-playlist.ts';

export interface HlsReaderOptions {
  /** The media playlist. */
  readonly url: string;
  /** Playlist requests that are redirected before the player stays where it was sent, as when it is steered there. */
  readonly staysAfter: number;
}

interface Place {
  readonly msn: number;
  readonly part: number;
}

export class HlsReader {
  /** Sequence numbers of the chunks, in the order in which they came. */
  readonly sequences: number[] = [];
  /** What was not answered with 200 in the end. */
  readonly failures: string[] = [];
  /** The servers that media came from, in order. */
  readonly origins: string[] = [];
  redirects = 0;
  readonly #options: HlsReaderOptions;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  #url: string;
  #next: Place | undefined;

  constructor(options: HlsReaderOptions) {
    this.#options = options;
    this.#url = options.url;
    this.#done = this.#run();
  }

  /** How many numbers are missing between the first and the last that came. */
  get missing(): number {
    const [first = 0, last = -1] = [this.sequences[0], this.sequences.at(-1)];
    return last - first + 1 - new Set(this.sequences).size;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted && this.failures.length < 5) {
      try {
        await this.#turn();
      } catch (error) {
        if (!this.#stop.signal.aborted) this.failures.push(String(error));
      }
    }
  }

  async #turn(): Promise<void> {
    const place = this.#next;
    const query = place ? `?_HLS_msn=${place.msn}&_HLS_part=${place.part}` : '';
    const answer = await this.#get(this.#url + query);
    if (answer.redirected && ++this.redirects >= this.#options.staysAfter)
      this.#url = answer.url.replace(/\?.*/, '');
    const playlist = readPlaylist(await answer.text());
    this.#next ??= { msn: playlist.segments.at(-1)!.msn, part: 0 };
    // One who is so late that what comes next is not listed any more misses it, as players do.
    const [first] = playlist.segments;
    if (first && first.msn > this.#next.msn) this.#next = { msn: first.msn, part: 0 };
    for (const uri of this.#newParts(playlist)) await this.#read(new URL(uri, answer.url).href);
  }

  *#newParts({ segments }: ReadPlaylist): Generator<string> {
    for (const { msn, parts, uri } of segments) {
      // Of a segment that has been over for a while no parts are listed: who is late reads it as a whole.
      if (uri && parts.length === 0 && msn === this.#next!.msn) yield uri;
      for (let part = 0; part < parts.length; part++) {
        const next = this.#next!;
        if (msn !== next.msn || part !== next.part) continue;
        this.#next = { msn, part: part + 1 };
        yield parts[part]!.uri;
      }
      if (uri && msn === this.#next!.msn) this.#next = { msn: msn + 1, part: 0 };
    }
  }

  async #read(url: string): Promise<void> {
    const { origin } = new URL(url);
    if (this.origins.at(-1) !== origin) this.origins.push(origin);
    const bytes = new Uint8Array(await (await this.#get(url)).arrayBuffer());
    for (const piece of new Splitter().push(bytes))
      if (piece.kind === 'chunk') this.sequences.push(piece.chunk.sequence);
  }

  async #get(url: string): Promise<Response> {
    const answer = await fetch(url, { signal: this.#stop.signal });
    if (answer.status !== 200) throw new Error(`${answer.status} for ${answer.url}: ${await answer.text()}`);
    return answer;
  }
}
