// A viewer of HLS as it always was: asks for the playlist every second, and gets each segment that is new in it.

import { systemClock as clock, sleep } from '../../../network/clock.ts';
import { Connection } from './connection.ts';
import type { Source } from './tally.ts';

/** Half the target duration of segments of 2 s: what players do whose playlist has not changed (RFC 8216 6.3.4). */
const RELOAD_MS = 1_000;

export class SegmentsViewer {
  /** Resolves with the first segment. */
  readonly began: Promise<void>;
  readonly #url: URL;
  readonly #connection: Connection;
  readonly #received: Source;

  constructor(url: URL, received: Source, onLost: () => void) {
    this.#url = url;
    this.#received = received;
    this.#connection = new Connection(url, onLost);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.began = promise;
    this.#watch(resolve).catch((error: unknown) => {
      console.error(error);
      this.#connection.close();
    });
  }

  /** The reloads of many are spread as their beginnings are. */
  async #watch(onSegment: () => void): Promise<void> {
    await sleep(clock, Math.random() * RELOAD_MS);
    let last = '';
    for (let dueMs = clock.monotonic(); ; dueMs += RELOAD_MS) {
      const segments = segmentsIn((await this.#get(this.#url.pathname, true)) ?? '');
      const known = segments.indexOf(last);
      for (const uri of known < 0 ? segments.slice(-1) : segments.slice(known + 1)) {
        if ((await this.#get(new URL(uri, this.#url).pathname, false)) === undefined) break;
        onSegment();
        last = uri;
      }
      await sleep(clock, Math.max(0, dueMs + RELOAD_MS - clock.monotonic()));
    }
  }

  /** Undefined for what is not there any more: a player goes on with the next playlist. */
  async #get(target: string, isPlaylist: boolean): Promise<string | undefined> {
    const { status, bytes, text } = await this.#connection.get(target, isPlaylist);
    if (status === 404) return undefined;
    if (status !== 200) throw new Error(`${status} for ${target}`);
    if (!isPlaylist) this.#received(bytes);
    return text;
  }
}

function segmentsIn(playlist: string): string[] {
  return playlist.split('\n').filter((line) => /^[^#\s]/.test(line));
}
