// One request with its answer. Of those that wait for the next part there are thousands at a time, so each holds little.

import { beginSpan, type Span, within } from '../trace/current-trace.ts';
import { type Connection, connectionOf, type IncomingMessage, type ServerResponse } from './listener.ts';
import type { ReadAhead } from './read-ahead.ts';
import type { Untaken } from './untaken.ts';

/** What the exchanges of a listener have together. */
export interface Shared {
  /** Looks after what peers do not take at once. */
  readonly untaken: Untaken<Exchange>;
  readonly readAhead: ReadAhead;
  /** Answering it failed. */
  readonly onFault: (exchange: Exchange, error: unknown) => void;
  readonly onOver: (exchange: Exchange) => void;
}

/** What answers a request. */
export interface Answering {
  /** A short word for metrics. */
  readonly kind: string;
  readonly pattern?: RegExp;
  handle(exchange: Exchange): void | Promise<void>;
}

export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** What it is about, for log lines: its stream and the session of who asks, as soon as they are known. */
  subject: { readonly stream?: string; readonly session?: string } = NOBODY;
  /** Bytes of body that the answer has, for the count of what was sent; an endless one counts its own. */
  bodyBytes = 0;
  /** The answer has been given, or nobody is there any more to be answered. */
  isOver = false;
  readonly #shared: Shared;
  readonly #route: Answering;
  readonly #span: Span | undefined;

  constructor(shared: Shared, route: Answering, request: IncomingMessage, response: ServerResponse) {
    this.request = request;
    this.response = response;
    this.#shared = shared;
    this.#route = route;
    this.#span = beginSpan(request.headers);
  }

  get kind(): string {
    return this.#route.kind;
  }

  /** What it came over; undefined when that is gone. */
  get connection(): Connection | undefined {
    return connectionOf(this.request);
  }

  get path(): string {
    return pathOf(this.request);
  }

  /** The named groups of the route's pattern. They and the query are read anew each time: who waits has no use for them. */
  get params(): Readonly<Record<string, string>> {
    return this.#route.pattern?.exec(this.path)?.groups ?? {};
  }

  get query(): URLSearchParams {
    const { url = '' } = this.request;
    return new URLSearchParams(url.slice(this.path.length));
  }

  get untaken(): Untaken<Exchange> {
    return this.#shared.untaken;
  }

  get readAhead(): ReadAhead {
    return this.#shared.readAhead;
  }

  /** Answers it, or goes on with that after a wait: in its trace, a fault costs this answer alone, and nothing is done when it is over. */
  go(answer: () => void | Promise<void>): void {
    if (this.isOver) return;
    if (this.#span) within(this.#span, () => this.#attempt(answer));
    else this.#attempt(answer);
  }

  /** The listener says that it is. */
  over(): void {
    this.isOver = true;
    this.#shared.onOver(this);
    this.#span?.end();
  }

  #attempt(answer: () => void | Promise<void>): void {
    try {
      const done = answer();
      if (done) done.catch((error: unknown) => this.#shared.onFault(this, error));
    } catch (error) {
      this.#shared.onFault(this, error);
    }
  }
}

const NOBODY: Exchange['subject'] = {};

/** Without the query; percent-encoding is left as it is. */
export function pathOf({ url = '/' }: IncomingMessage): string {
  const mark = url.indexOf('?');
  return mark < 0 ? url : url.slice(0, mark);
}
