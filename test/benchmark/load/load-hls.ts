// A viewer of low-latency HLS: reloads the playlist blocking, and gets each part as it is listed, over one connection.

import { connect, type Socket } from 'node:net';
import type { Source } from './tally.ts';

const READ_BUFFER = Buffer.allocUnsafeSlow(256 * 1024);

interface Answer {
  readonly status: number;
  readonly text: string;
}

export class HlsViewer {
  /** Resolves with the first part. */
  readonly began: Promise<void>;
  readonly #url: URL;
  readonly #socket: Socket;
  readonly #received: Source;
  #resolve: ((answer: Answer) => void) | undefined;
  #keepsText = false;
  #text = '';
  #status = 0;
  /** Bytes of the body that are to come; undefined while the head is. */
  #missing: number | undefined;
  #got = 0;

  constructor(url: URL, received: Source, onLost: () => void) {
    this.#url = url;
    this.#received = received;
    const onread = { buffer: READ_BUFFER, callback: (bytes: number) => this.#read(bytes) };
    this.#socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true, onread });
    this.#socket.on('error', () => {});
    this.#socket.on('close', onLost);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.began = promise;
    this.#watch(resolve).catch((error: unknown) => {
      console.error(error);
      this.#socket.destroy();
    });
  }

  async #watch(onPart: () => void): Promise<void> {
    let playlist = await this.#get(this.#url.pathname, true);
    let last = partsIn(playlist).at(-1);
    for (;;) {
      const [, msn, part] = /EXT-X-PRELOAD-HINT:TYPE=PART,URI="[^"]*?(\d+)\.(\d+)\.m4s"/.exec(playlist) ?? [];
      playlist = await this.#get(
        `${this.#url.pathname}?_HLS_msn=${msn}&_HLS_part=${part}&_HLS_skip=YES`,
        true,
      );
      const parts = partsIn(playlist);
      for (const uri of parts.slice(parts.indexOf(last ?? '') + 1)) {
        await this.#get(new URL(uri, this.#url).pathname, false);
        onPart();
        last = uri;
      }
    }
  }

  async #get(target: string, keepsText: boolean): Promise<string> {
    this.#keepsText = keepsText;
    this.#text = '';
    this.#got = 0;
    const { promise, resolve } = Promise.withResolvers<Answer>();
    this.#resolve = resolve;
    this.#socket.write(`GET ${target} HTTP/1.1\r\nHost: ${this.#url.host}\r\n\r\n`);
    const { status, text } = await promise;
    if (status !== 200) throw new Error(`${status} for ${target}`);
    if (!keepsText) this.#received(this.#got);
    return text;
  }

  /** A response comes whole behind its request, so the head is at the beginning of a read. */
  #read(bytes: number): boolean {
    let start = 0;
    if (this.#missing === undefined) {
      const head = READ_BUFFER.toString('latin1', 0, Math.min(bytes, 2048));
      start = head.indexOf('\r\n\r\n') + 4;
      this.#status = Number(head.slice(9, 12));
      this.#missing = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1]);
    }
    this.#got += bytes - start;
    this.#missing -= bytes - start;
    if (this.#keepsText) this.#text += READ_BUFFER.toString('latin1', start, bytes);
    if (this.#missing > 0) return true;
    this.#missing = undefined;
    this.#resolve?.({ status: this.#status, text: this.#text });
    return true;
  }
}

function partsIn(playlist: string): string[] {
  return [...playlist.matchAll(/^#EXT-X-PART:.*?URI="([^"]+)"/gm)].map((match) => match[1]!);
}
