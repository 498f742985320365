// The servers of one machine: keeps a process for each, starts those again that end, and ends them all together.

import { type Clock, sleep } from '../clock.ts';
import type { Logger } from '../logger.ts';
import type { WorkerProcess } from './worker-process.ts';

export interface WorkersOptions {
  readonly count: number;
  /** Starts the one with a number, beginning with 1. */
  readonly start: (number: number) => WorkerProcess;
  readonly clock: Clock;
  readonly logger: Logger;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** What ran for so long was sound: the wait before it is started again is a short one. */
const SETTLED_MS = 60_000;

export class Workers {
  readonly #options: WorkersOptions;
  readonly #running = new Map<number, WorkerProcess>();
  readonly #ended: Promise<unknown>;
  readonly #stopping = Promise.withResolvers<void>();
  #isStopping = false;

  constructor(options: WorkersOptions) {
    this.#options = options;
    const numbers = Array.from({ length: options.count }, (_, index) => index + 1);
    this.#ended = Promise.all(numbers.map((number) => this.#keep(number)));
  }

  /** Passes a signal on to all; none is started again. Resolves when all have ended. May be called again with another. */
  async stop(signal: string): Promise<void> {
    this.#isStopping = true;
    this.#stopping.resolve();
    for (const worker of this.#running.values()) worker.ask(signal);
    await this.#ended;
  }

  async #keep(number: number): Promise<void> {
    const { clock, logger } = this.#options;
    let waitMs = FIRST_WAIT_MS;
    while (!this.#isStopping) {
      const startedMs = clock.monotonic();
      const why = await this.#run(number);
      if (this.#isStopping) return;
      if (clock.monotonic() - startedMs >= SETTLED_MS) waitMs = FIRST_WAIT_MS;
      logger.error({ worker: number, why, retryInMs: waitMs }, 'a server of this machine has ended');
      await Promise.race([sleep(clock, waitMs), this.#stopping.promise]);
      waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
    }
  }

  async #run(number: number): Promise<string> {
    const worker = this.#options.start(number);
    this.#running.set(number, worker);
    this.#options.logger.info({ worker: number, pid: worker.pid }, 'a server of this machine is started');
    const why = await worker.ended;
    this.#running.delete(number);
    return why;
  }
}
