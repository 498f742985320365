// A server's membership in the cluster: it announces itself once a second, and at once when it or what is wanted of it changed.

import type { Clock, Timer } from '../clock.ts';
import { CodedError, reasonOf } from '../errors.ts';
import type { Condition } from '../http/health.ts';
import type { Logger } from '../logger.ts';
import { BEAT_MS, LIMITS, silenceMs } from './liveness.ts';
import type { BeatAnswer, ServerRecord, ServerState, StreamRecord } from './state.ts';

/** What a server says of itself, and of the streams it is origin of. */
export interface Announcement {
  readonly server: ServerRecord;
  readonly streams: readonly StreamRecord[];
}

export interface MemberOptions {
  readonly state: Pick<ServerState, 'beat' | 'leave' | 'watch'>;
  readonly id: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly describe: () => Announcement;
  /** Gets what the state says to each beat. */
  readonly onAnswer: (answer: BeatAnswer) => void;
  /** Another process has the id, and has said so for longer than one that died would count as alive: this one can't be a server. */
  readonly onTaken: (reason: CodedError) => void;
}

/** However often it is told that there is something new, it asks no more often than this. */
const HASTE_MS = 50;
/** One that had the id before and was killed is forgotten by then. */
const TAKEN_MS = silenceMs(LIMITS) + BEAT_MS;

export class Member implements AsyncDisposable {
  readonly #options: MemberOptions;
  readonly #timer: Timer;
  readonly #watch: Disposable;
  #isStateAway = false;
  #hasBeenHeard = false;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #asking: Timer | undefined;
  #takenSinceMs: number | undefined;

  constructor(options: MemberOptions) {
    this.#options = options;
    this.#timer = options.clock.every(BEAT_MS, () => this.announce());
    this.#watch = options.state.watch(options.id, () => this.#hasten());
    this.announce();
  }

  /** Who has never been heard is known to nobody, and gets nothing to do; who is not heard any more goes on. */
  get condition(): Condition | undefined {
    if (!this.#hasBeenHeard)
      return { code: 'state_never_reached', detail: 'no beat was answered yet', blocks: true };
    if (!this.#isStateAway) return undefined;
    return { code: 'state_away', detail: 'beats are not heard: what plays plays on', blocks: false };
  }

  /** Beats now. A state that does not answer is reported once, and asked again at each beat. */
  announce(): void {
    const { state, describe, clock } = this.#options;
    const askedAtMs = clock.monotonic();
    this.#askedAtMs = askedAtMs;
    const { server, streams } = describe();
    state.beat(server, streams).then(
      (answer) => this.#hear(answer),
      (error: unknown) => this.#fail(error, askedAtMs),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer.cancel();
    this.#watch[Symbol.dispose]();
    this.#asking?.cancel();
    const { state, describe, logger } = this.#options;
    await state.leave(describe().server).catch((error: unknown) => {
      logger.warn({ reason: reasonOf(error) }, 'leave failed');
    });
  }

  #hasten(): void {
    const { clock } = this.#options;
    const waitMs = this.#askedAtMs + HASTE_MS - clock.monotonic();
    if (waitMs <= 0) this.announce();
    else this.#asking ??= clock.after(waitMs, () => this.#ask());
  }

  #ask(): void {
    this.#asking = undefined;
    this.announce();
  }

  #hear(answer: BeatAnswer): void {
    if (this.#isStateAway) this.#options.logger.info({}, 'beats are heard again');
    this.#isStateAway = false;
    this.#hasBeenHeard = true;
    this.#takenSinceMs = undefined;
    this.#options.onAnswer(answer);
  }

  #fail(error: unknown, askedAtMs: number): void {
    const { logger, onTaken } = this.#options;
    if (!this.#isStateAway) logger.warn({ reason: reasonOf(error) }, 'beats are not heard');
    this.#isStateAway = true;
    if (!(error instanceof CodedError) || error.code !== 'id_taken') return;
    this.#takenSinceMs ??= askedAtMs;
    if (askedAtMs - this.#takenSinceMs >= TAKEN_MS) onTaken(error);
  }
}
