// Usher's view of the cluster: one snapshot for all who ask within a moment, and the last one while the state is away.

import type { Clock } from '../network/clock.ts';
import { reasonOf } from '../network/errors.ts';
import type { Logger } from '../network/logger.ts';
import type { ClusterState, Snapshot } from '../network/state/state.ts';

export interface ViewOptions {
  readonly state: Pick<ClusterState, 'snapshot'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Servers beat once a second: a snapshot that is so old says nothing else than a new one would. */
const MAX_AGE_MS = 200;

export class View {
  readonly #options: ViewOptions;
  #latest: Snapshot | undefined;
  #takenAtMs = Number.NEGATIVE_INFINITY;
  #taking: Promise<Snapshot> | undefined;
  #isStateAway = false;

  constructor(options: ViewOptions) {
    this.#options = options;
  }

  /** Rejects only while the state has never been reached. Who was alive in the last snapshot is so until there is a newer one. */
  async snapshot(): Promise<Snapshot> {
    const ageMs = this.#options.clock.monotonic() - this.#takenAtMs;
    if (this.#latest && ageMs < MAX_AGE_MS) return this.#latest;
    this.#taking ??= this.#take().finally(() => {
      this.#taking = undefined;
    });
    return this.#taking;
  }

  async #take(): Promise<Snapshot> {
    const { state, clock, logger } = this.#options;
    try {
      this.#latest = await state.snapshot();
      if (this.#isStateAway) logger.info({}, 'viewers are placed by new snapshots again');
      this.#isStateAway = false;
    } catch (error) {
      if (!this.#latest) throw error;
      if (!this.#isStateAway)
        logger.warn({ reason: reasonOf(error) }, 'viewers are placed by the last snapshot');
      this.#isStateAway = true;
    }
    this.#takenAtMs = clock.monotonic();
    return this.#latest;
  }
}
