// A viewer of an endless response: counts what comes, and looks at nothing behind the first line.

import { READ, Socket } from './sockets.ts';
import type { Viewer, Watcher } from './viewer.ts';

const HEAD_BYTES = 1024;
/** More than a socket holds. */
const EVERYTHING = 2 ** 30;

export class EndlessViewer implements Viewer {
  readonly #watcher: Watcher;
  readonly #socket: Socket;
  #isTaken = false;

  constructor(url: URL, watcher: Watcher) {
    this.#watcher = watcher;
    this.#socket = new Socket(url, {
      readable: () => this.#read(),
      gone: () => watcher.gone('closed by the server'),
    });
    this.#socket.send(`GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\n\r\n`);
  }

  close(): void {
    this.#socket.close();
  }

  #read(): void {
    if (!this.#isTaken) this.#readHead();
    if (this.#isTaken) this.#watcher.received(this.#socket.drop(EVERYTHING));
  }

  #readHead(): void {
    const head = READ.toString('latin1', 0, this.#socket.read(HEAD_BYTES));
    this.#isTaken = head.startsWith('HTTP/1.1 200 ');
    if (this.#isTaken) this.#watcher.began();
    else if (head !== '') {
      this.close();
      this.#watcher.gone(head.slice(0, head.indexOf('\r\n')));
    }
  }
}
