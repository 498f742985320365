// How this server is emptied: it says so at once, sends away whom it can, and is done when nothing is left or time is up.

import type { Clock, Timer } from '../clock.ts';
import type { Condition } from '../http/health.ts';
import type { Logger } from '../logger.ts';
import type { AnnouncedDrain, Drain } from './state.ts';

/** What still depends on this server. Past the deadline a broadcast counts only while somebody feeds it. */
export interface Left {
  /** Sessions, those included that only ask here where to go. */
  readonly viewers: number;
  /** Servers that follow a feed here, once for each. */
  readonly children: number;
  /** Streams that this server is the origin of. */
  readonly broadcasts: number;
}

export interface DrainingOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly left: () => Left;
  /** The server is to say what is announced now. */
  readonly onChange: () => void;
  /** Viewers who can be told are to be told that they should go; again and again while there are some. */
  readonly onTell: () => void;
  /** The deadline has passed: broadcasts are to go now. */
  readonly onOverdue: () => void;
}

const TURN_MS = 500;
/** A player that was told tries once, and again when it is told again. */
const TELL_MS = 5_000;
/** Who was sent here a moment ago, by somebody who had not heard of the drain yet, still finds a server. */
const LEAST_MS = 2_000;
/** After the deadline: for broadcasters who were asked to reconnect elsewhere, and for what follows them there. */
const LAST_MS = 10_000;

export class Draining implements Disposable {
  readonly #options: DrainingOptions;
  readonly #begun = Promise.withResolvers<void>();
  readonly #emptied = Promise.withResolvers<void>();
  #drain: AnnouncedDrain | null = null;
  /** Wished before this process began: it has nothing to be emptied of, and waits until it is wanted again. */
  #isStandby = false;
  #hasHeard = false;
  #beganAtMs = 0;
  #toldAtMs = 0;
  #overdueAtMs: number | undefined;
  /** The deadline on the monotonic clock: a wall clock that is set makes no drain overdue. */
  #dueAtMs = Number.POSITIVE_INFINITY;
  #timer: Timer | undefined;

  constructor(options: DrainingOptions) {
    this.#options = options;
  }

  get announced(): AnnouncedDrain | null {
    return this.#drain;
  }

  get isOn(): boolean {
    return this.#drain !== null;
  }

  /** For whoever sends new work. */
  get condition(): Condition | undefined {
    if (!this.#drain) return undefined;
    return { code: 'draining', detail: 'this server is being emptied', blocks: true };
  }

  get isOverdue(): boolean {
    return this.#overdueAtMs !== undefined;
  }

  /** Resolves when it is being emptied for the first time. */
  get begun(): Promise<void> {
    return this.#begun.promise;
  }

  /** Resolves when the process may end. */
  get emptied(): Promise<void> {
    return this.#emptied.promise;
  }

  /** What an operator wants, as each beat is answered. What the process itself was told is not taken back by it. */
  hear(wish: Drain | undefined): void {
    const isFirst = !this.#hasHeard;
    this.#hasHeard = true;
    if (this.#drain?.wished === false) return;
    const { sinceMs, deadlineMs } = this.#drain ?? {};
    if (!wish && this.#drain) this.#withdraw();
    else if (wish && (wish.sinceMs !== sinceMs || wish.deadlineMs !== deadlineMs)) {
      this.#isStandby ||= isFirst;
      this.#begin({ ...wish, wished: true });
    }
  }

  /** The process is to end, and broadcasts that are still there `withinMs` from now have to go; null: never. */
  order(withinMs: number | null): void {
    this.#isStandby = false;
    const nowMs = this.#options.clock.now();
    const deadlineMs = withinMs === null ? null : nowMs + withinMs;
    this.#begin({ sinceMs: this.#drain?.sinceMs ?? nowMs, deadlineMs, wished: false });
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
  }

  #begin(drain: AnnouncedDrain): void {
    const { clock, logger, onChange } = this.#options;
    if (!this.#drain) this.#beganAtMs = clock.monotonic();
    this.#drain = drain;
    this.#overdueAtMs = undefined;
    const leftMs = drain.deadlineMs === null ? Number.POSITIVE_INFINITY : drain.deadlineMs - clock.now();
    this.#dueAtMs = clock.monotonic() + leftMs;
    logger.info({ ...drain, ...this.#options.left() }, 'this server is being emptied');
    this.#begun.resolve();
    onChange();
    this.#tell();
    this.#timer ??= clock.every(TURN_MS, () => this.#turn());
  }

  #withdraw(): void {
    this.#drain = null;
    this.#isStandby = false;
    this.#overdueAtMs = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#options.logger.info({}, 'this server is not being emptied any more');
    this.#options.onChange();
  }

  #turn(): void {
    const { clock } = this.#options;
    if (clock.monotonic() - this.#toldAtMs >= TELL_MS) this.#tell();
    if (!this.isOverdue && clock.monotonic() >= this.#dueAtMs) this.#passDeadline();
    if (this.#isDone()) this.#finish();
  }

  #tell(): void {
    this.#toldAtMs = this.#options.clock.monotonic();
    this.#options.onTell();
  }

  #passDeadline(): void {
    this.#overdueAtMs = this.#options.clock.monotonic();
    this.#options.logger.warn({ ...this.#options.left() }, 'the deadline has passed: broadcasts are to go');
    this.#options.onOverdue();
  }

  /** Past the deadline it is broadcasts that are waited for and servers that follow them elsewhere, and for not much longer. */
  #isDone(): boolean {
    const nowMs = this.#options.clock.monotonic();
    if (this.#isStandby || nowMs - this.#beganAtMs < LEAST_MS) return false;
    const { viewers, children, broadcasts } = this.#options.left();
    if (this.#overdueAtMs === undefined) return viewers + children + broadcasts === 0;
    return children + broadcasts === 0 || nowMs - this.#overdueAtMs >= LAST_MS;
  }

  #finish(): void {
    this.#timer?.cancel();
    this.#options.logger.info({ ...this.#options.left() }, 'this server is empty');
    this.#emptied.resolve();
  }
}
