// A parent that answers a following server with whatever bytes a test wants.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { writeSignal } from '../../../network/relay/signal.ts';
import type { Parent } from '../../../network/state/state.ts';

export type Answerer = (response: ServerResponse, request: IncomingMessage) => void;

export class FakeParent implements AsyncDisposable {
  readonly id: string;
  readonly requests: string[] = [];
  readonly #server: Server;

  private constructor(id: string, answer: Answerer) {
    this.id = id;
    this.#server = createServer((request, response) => {
      this.requests.push(request.url!);
      answer(response, request);
    });
  }

  static async start(id: string, answer: Answerer): Promise<FakeParent> {
    const parent = new FakeParent(id, answer);
    parent.#server.listen(0, '127.0.0.1');
    await once(parent.#server, 'listening');
    return parent;
  }

  get parent(): Parent {
    return { id: this.id, relayUrl: `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}` };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export function heartbeat(next: number, path: readonly string[], isFed = true): Uint8Array {
  return writeSignal({ kind: 'heartbeat', next, path, isFed });
}
