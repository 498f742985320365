// A server's membership in the cluster: it announces itself once a second, and at once when something changed.

import type { Clock, Timer } from './clock.ts';
import { reasonOf } from './errors.ts';
import { BEAT_MS } from './liveness.ts';
import type { Logger } from './logger.ts';
import type { ClusterState, ServerRecord, StreamRecord } from './state.ts';

/** What a server says of itself, and of the streams it is origin of. */
export interface Announcement {
  readonly server: ServerRecord;
  readonly streams: readonly StreamRecord[];
}

export class Member implements AsyncDisposable {
  readonly #state: ClusterState;
  readonly #logger: Logger;
  readonly #describe: () => Announcement;
  readonly #timer: Timer;

  constructor(options: { state: ClusterState; clock: Clock; logger: Logger; describe: () => Announcement }) {
    this.#state = options.state;
    this.#logger = options.logger;
    this.#describe = options.describe;
    this.#timer = options.clock.every(BEAT_MS, () => this.announce());
    this.announce();
  }

  /** Beats now. A state that does not answer is reported and asked again at the next beat. */
  announce(): void {
    const { server, streams } = this.#describe();
    this.#state.beat(server, streams).catch((error: unknown) => {
      this.#logger.warn({ reason: reasonOf(error) }, 'beat failed');
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer.cancel();
    await this.#state.leave(this.#describe().server).catch((error: unknown) => {
      this.#logger.warn({ reason: reasonOf(error) }, 'leave failed');
    });
  }
}
