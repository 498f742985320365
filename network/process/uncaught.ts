// The door to errors that nobody caught: what a process does when it can't know any more what state it is in.

import type { Condition } from '../http/health.ts';
import type { Logger } from '../logger.ts';
import type { Counter, Metrics } from '../metrics.ts';

export interface UncaughtOptions {
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Where they come from: this process. A promise that is rejected and held by nobody comes the same way. */
  readonly source?: Pick<NodeJS.Process, 'on' | 'off'>;
}

/** A process that gets so many is of no use to anybody. */
const MANY = 10;

/**
 * An error of a request, a broadcast, a viewer's or a follower's connection is caught there and costs that alone. What comes
 * here came from nowhere in particular, so that anything may be half done: it is written down, and the process is to end once
 * others can take over (`untilEnd`). Until then everybody whom it serves goes on.
 */
export class Uncaught implements Disposable {
  readonly #source: Pick<NodeJS.Process, 'on' | 'off'>;
  readonly #logger: Logger;
  readonly #counter: Counter;
  readonly #first = Promise.withResolvers<void>();
  readonly #many = Promise.withResolvers<void>();
  readonly #take = (error: unknown): void => this.#hear(error);
  #count = 0;

  constructor({ logger, metrics, source = process }: UncaughtOptions) {
    this.#logger = logger;
    this.#counter = metrics.counter('headwater_uncaught_errors_total', 'Errors that nobody caught.');
    this.#source = source;
    source.on('uncaughtException', this.#take);
  }

  /** Resolves at the first. */
  get first(): Promise<void> {
    return this.#first.promise;
  }

  /** Resolves when too many have come. */
  get many(): Promise<void> {
    return this.#many.promise;
  }

  get count(): number {
    return this.#count;
  }

  get condition(): Condition | undefined {
    if (this.#count === 0) return undefined;
    return { code: 'failed', detail: 'an error was caught by nobody: see the log', blocks: false };
  }

  [Symbol.dispose](): void {
    this.#source.off('uncaughtException', this.#take);
  }

  #hear(err: unknown): void {
    this.#counter.inc();
    this.#logger.error({ err, count: ++this.#count }, 'uncaught error: this process is to be replaced');
    this.#first.resolve();
    if (this.#count >= MANY) this.#many.resolve();
  }
}
