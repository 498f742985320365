// A server's membership in the cluster: it announces itself once a second, and at once when something changed.

import type { Clock, Timer } from '../clock.ts';
import { reasonOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { BEAT_MS } from './liveness.ts';
import type { BeatAnswer, ClusterState, ServerRecord, StreamRecord } from './state.ts';

/** What a server says of itself, and of the streams it is origin of. */
export interface Announcement {
  readonly server: ServerRecord;
  readonly streams: readonly StreamRecord[];
}

export class Member implements AsyncDisposable {
  readonly #state: ClusterState;
  readonly #logger: Logger;
  readonly #describe: () => Announcement;
  readonly #onAnswer: (answer: BeatAnswer) => void;
  #isStateAway = false;
  readonly #timer: Timer;

  constructor(options: {
    state: ClusterState;
    clock: Clock;
    logger: Logger;
    describe: () => Announcement;
    /** Gets what the state says to each beat. */
    onAnswer: (answer: BeatAnswer) => void;
  }) {
    this.#state = options.state;
    this.#logger = options.logger;
    this.#describe = options.describe;
    this.#onAnswer = options.onAnswer;
    this.#timer = options.clock.every(BEAT_MS, () => this.announce());
    this.announce();
  }

  /** Beats now. A state that does not answer is reported once, and asked again at each beat. */
  announce(): void {
    const { server, streams } = this.#describe();
    this.#state.beat(server, streams).then(
      (answer) => {
        if (this.#isStateAway) this.#logger.info({}, 'beats are heard again');
        this.#isStateAway = false;
        this.#onAnswer(answer);
      },
      (error: unknown) => {
        if (!this.#isStateAway) this.#logger.warn({ reason: reasonOf(error) }, 'beats are not heard');
        this.#isStateAway = true;
      },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer.cancel();
    await this.#state.leave(this.#describe().server).catch((error: unknown) => {
      this.#logger.warn({ reason: reasonOf(error) }, 'leave failed');
    });
  }
}
