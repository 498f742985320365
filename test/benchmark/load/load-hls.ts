// A viewer of low-latency HLS: reloads the playlist blocking, and gets each part as it is listed, over one connection.

import { Connection } from './connection.ts';
import type { Source } from './tally.ts';

export class HlsViewer {
  /** Resolves with the first part, rejects when there is none to be had. */
  readonly began: Promise<void>;
  readonly #url: URL;
  readonly #connection: Connection;
  readonly #received: Source;

  constructor(url: URL, received: Source, onLost: () => void) {
    this.#url = url;
    this.#received = received;
    this.#connection = new Connection(url, onLost);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.began = promise;
    this.#watch(resolve).catch((error: unknown) => {
      reject(error);
      this.#connection.close();
    });
  }

  async #watch(onPart: () => void): Promise<void> {
    const { pathname } = this.#url;
    let playlist = await this.#get(pathname, true);
    let last = partsIn(playlist).at(-1);
    for (;;) {
      const [, msn, part] = /EXT-X-PRELOAD-HINT:TYPE=PART,URI="[^"]*?(\d+)\.(\d+)\.m4s"/.exec(playlist) ?? [];
      playlist = await this.#get(`${pathname}?_HLS_msn=${msn}&_HLS_part=${part}&_HLS_skip=YES`, true);
      const parts = partsIn(playlist);
      for (const uri of parts.slice(parts.indexOf(last ?? '') + 1)) {
        await this.#get(new URL(uri, this.#url).pathname, false);
        onPart();
        last = uri;
      }
    }
  }

  async #get(target: string, isPlaylist: boolean): Promise<string> {
    const { status, bytes, text } = await this.#connection.get(target, isPlaylist);
    if (status !== 200) throw new Error(`${status} for ${target}`);
    if (!isPlaylist) this.#received(bytes);
    return text;
  }
}

function partsIn(playlist: string): string[] {
  return [...playlist.matchAll(/^#EXT-X-PART:.*?URI="([^"]+)"/gm)].map((match) => match[1]!);
}
