// Usher's view of the cluster: one snapshot for all who ask within a moment, and the last one while the state is away.

import type { Clock, Timer } from '../network/clock.ts';
import { reasonOf } from '../network/errors.ts';
import type { Condition } from '../network/http/health.ts';
import type { Logger } from '../network/logger.ts';
import type { ClusterState, Snapshot } from '../network/state/state.ts';

export interface ViewOptions {
  readonly state: Pick<ClusterState, 'snapshot'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Servers beat once a second: a snapshot that is so old says nothing else than a new one would. */
const MAX_AGE_MS = 200;
/** Taken also while nobody asks: the last one is what viewers are placed by when the state goes away. */
const PERIOD_MS = 1_000;

export class View implements Disposable {
  readonly #options: ViewOptions;
  #latest: Snapshot | undefined;
  #takenAtMs = Number.NEGATIVE_INFINITY;
  /** When the state gave the latest one; what it is taken at is when it was last asked for. */
  #readAtMs = Number.NEGATIVE_INFINITY;
  #taking: Promise<Snapshot> | undefined;
  #isStateAway = false;
  readonly #timer: Timer;

  constructor(options: ViewOptions) {
    this.#options = options;
    this.#timer = options.clock.every(PERIOD_MS, () => this.#refresh());
    this.#refresh();
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

  /** Without the state viewers are still placed, by the last snapshot: the ushers of a cluster lose it together. */
  get condition(): Condition | undefined {
    if (!this.#latest)
      return {
        code: 'state_never_reached',
        detail: 'there was no snapshot of the cluster yet',
        blocks: true,
      };
    if (!this.#isStateAway) return undefined;
    return { code: 'state_away', detail: 'viewers are placed by the last snapshot', blocks: false };
  }

  /** Seconds since the snapshot that viewers are placed by was taken; 0 before the first. */
  get ageS(): number {
    return this.#latest ? (this.#options.clock.monotonic() - this.#readAtMs) / 1000 : 0;
  }

  [Symbol.dispose](): void {
    this.#timer.cancel();
  }

  /** Without a snapshot yet, whoever asks for one is told why. */
  #refresh(): void {
    this.snapshot().catch(() => {});
  }

  async #take(): Promise<Snapshot> {
    const { state, clock, logger } = this.#options;
    try {
      this.#latest = await state.snapshot();
      this.#readAtMs = clock.monotonic();
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
