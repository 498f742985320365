// A viewer of an endless response: reads and counts, and looks at nothing.

import { connect } from 'node:net';
import type { Source } from './tally.ts';

/** All viewers read into the same memory: what is in it is nobody's. */
const READ_BUFFER = Buffer.allocUnsafeSlow(256 * 1024);

export class EndlessViewer {
  /** Resolves with the first bytes, rejects when they refuse. */
  readonly began: Promise<void>;

  constructor(url: URL, received: Source, onLost: () => void) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.began = promise;
    let count = (bytes: number): void => {
      count = received;
      const head = READ_BUFFER.toString('latin1', 0, Math.min(bytes, 1024));
      if (head.startsWith('HTTP/1.1 200 ')) resolve();
      else {
        socket.off('close', onLost).destroy();
        reject(new Error(head));
      }
    };
    const callback = (bytes: number): boolean => {
      count(bytes);
      return true;
    };
    const onread = { buffer: READ_BUFFER, callback };
    const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true, onread });
    socket.write(`GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\n\r\n`);
    socket.on('error', () => {});
    socket.on('close', onLost);
  }
}
