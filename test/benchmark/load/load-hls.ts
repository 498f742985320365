// A viewer of HLS, of whichever kind: what it gets over its one connection, and how it tells of it.

import { type Answer, Connection, type Look } from './connection.ts';
import type { Viewer, Watcher } from './viewer.ts';

/** What a kind of HLS has its viewers do, until they are gone. */
export type Watch = (viewer: HlsViewer) => Promise<void>;

export class HlsViewer implements Viewer {
  readonly #path: string;
  readonly #folder: string;
  readonly #watcher: Watcher;
  readonly #connection: Connection;
  #isGone = false;

  constructor(url: URL, watcher: Watcher, watch: Watch) {
    this.#path = url.pathname;
    this.#folder = this.#path.slice(0, this.#path.lastIndexOf('/') + 1);
    this.#watcher = watcher;
    this.#connection = new Connection(url, () => this.#end('closed by the server'));
    watch(this).catch((error: unknown) => this.#end(String(error)));
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  playlist<Seen>(query: string, look: Look<Seen>): Promise<Answer<Seen>> {
    return this.#connection.get(this.#path + query, look);
  }

  /** Gets and counts what lies beside the playlist; gives the status that it was answered with. */
  async media(uri: string): Promise<number> {
    const { status, bytes } = await this.#connection.get(this.#folder + uri);
    if (status === 200) {
      this.#watcher.received(bytes);
      this.#watcher.began();
    }
    return status;
  }

  close(): void {
    this.#isGone = true;
    this.#connection.close();
  }

  #end(why: string): void {
    this.close();
    this.#watcher.gone(why);
  }
}
