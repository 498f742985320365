// Looks at the cluster once a second, whether or not somebody watches: keeps the last hour's curves and what happened.

import type { Clock, Timer } from '../../../network/clock.ts';
import { reasonOf } from '../../../network/errors.ts';
import type { Logger } from '../../../network/logger.ts';
import type { Topology } from '../../../network/map/topology.ts';
import { isSettled } from '../../../network/state/liveness.ts';
import type { Snapshot, UsherState } from '../../../network/state/state.ts';
import { EventList } from '../events/event-list.ts';
import { eventsBetween } from '../events/events-between.ts';
import type { Look } from '../figures/look.ts';
import { type Tally, tallyOf } from '../figures/tally.ts';
import { STEP_MS } from '../history/curve.ts';
import { History } from '../history/history.ts';
import type { CdnAudience } from './cdn-audience.ts';
import { CdnRates } from './cdn-rates.ts';
import { LastMinute } from './last-minute.ts';
import type { RecordingGaps } from './recording-gaps.ts';
import type { Stalls } from './stalls.ts';

export interface WatchOptions {
  /** The one that viewers are placed by: its snapshots cost the state nothing more. */
  readonly view: Pick<UsherState, 'snapshot'>;
  readonly topology: () => Topology;
  readonly leader: () => Look['leader'];
  readonly audience: CdnAudience;
  /** How many have come so far for whom this usher had no room. */
  readonly turnedAway: () => number;
  readonly stalls: Stalls;
  readonly recordings: RecordingGaps;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A look, and what it comes to, added up for the first who asks. */
export class Sight {
  readonly look: Look;
  #tally: Tally | undefined;

  constructor(look: Look) {
    this.look = look;
  }

  get tally(): Tally {
    this.#tally ??= tallyOf(this.look.snapshot, this.look.topology);
    return this.#tally;
  }
}

const LOOK_MS = 1_000;

export class Watch implements Disposable {
  readonly history = new History();
  readonly events = new EventList();
  readonly #options: WatchOptions;
  readonly #timer: Timer;
  readonly #rates = new CdnRates();
  readonly #turnedAway = new LastMinute();
  readonly #listeners = new Set<(sight: Sight) => void>();
  #latest: Sight | undefined;
  /** Of a settled snapshot. */
  #before: Look | undefined;
  #step = Number.NEGATIVE_INFINITY;
  #looking: Promise<Sight> | undefined;
  #asking: Promise<void> | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#timer = options.clock.every(LOOK_MS, () => this.#look());
    this.#look();
  }

  /** The newest. Rejects while the state has never been reached. */
  async sight(): Promise<Sight> {
    return this.#latest ?? (await this.#take());
  }

  /** Calls back after each look. */
  onLook(listener: (sight: Sight) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  [Symbol.dispose](): void {
    this.#timer.cancel();
    this.#listeners.clear();
  }

  /** While the state is away there is nothing to see; whoever asks is told. */
  #look(): void {
    this.#take().catch((error: unknown) => {
      this.#options.logger.debug({ reason: reasonOf(error) }, 'the console sees nothing');
    });
  }

  #take(): Promise<Sight> {
    this.#looking ??= this.#see().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #see(): Promise<Sight> {
    const sight = new Sight(this.#lookAt(await this.#options.view.snapshot()));
    this.#latest = sight;
    this.#note(sight.look);
    this.#record(sight);
    for (const listener of this.#listeners) listener(sight);
    return sight;
  }

  #lookAt(snapshot: Snapshot): Look {
    const { topology, leader, audience, recordings, clock, turnedAway } = this.#options;
    return {
      snapshot,
      topology: topology(),
      cdnViewers: audience.viewers(clock.monotonic()),
      cdnMicroUsdPerHour: this.#rates.read(snapshot),
      turnedAway: this.#turnedAway.read(turnedAway(), clock.monotonic()),
      leader: leader(),
      gaps: recordings.gaps,
    };
  }

  #note(look: Look): void {
    if (!isSettled(look.snapshot)) return;
    if (this.#before) this.events.add(eventsBetween(this.#before, look), look.snapshot.nowMs);
    this.#before = look;
  }

  #record(sight: Sight): void {
    const { clock, stalls, recordings, logger } = this.#options;
    const nowMs = clock.monotonic();
    const step = Math.floor(nowMs / STEP_MS);
    if (step === this.#step) return;
    this.#step = step;
    const { look } = sight;
    this.history.record(look, sight.tally, stalls.take(), nowMs);
    this.#asking ??= recordings
      .look(look.snapshot.streams)
      .catch((error: unknown) => logger.debug({ reason: reasonOf(error) }, 'no recordings are seen'))
      .finally(() => {
        this.#asking = undefined;
      });
  }
}
