// What becomes of single viewers, in the log: for debugging, and of those whose requests are traced so many a second.

import type { Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import { readSession } from '../session.ts';
import { isSampled } from './current-trace.ts';

/** Anybody may have his request traced: that fills no disk. */
const MAX_PER_S = 50;

export interface ViewerLine {
  /** As the token has it; the line has the id in it, which is the same at usher and at every server. */
  readonly session: string;
  readonly stream: string;
  readonly [field: string]: unknown;
}

export class ViewerLog {
  readonly #logger: Logger;
  readonly #clock: Clock;
  #secondAtMs = Number.NEGATIVE_INFINITY;
  #told = 0;

  constructor({ logger, clock }: { readonly logger: Logger; readonly clock: Clock }) {
    this.#logger = logger;
    this.#clock = clock;
  }

  say(line: ViewerLine, message: string): void {
    const fields = { ...line, session: readSession(line.session).id };
    if (isSampled() && this.#mayTell()) this.#logger.info(fields, message);
    else this.#logger.debug(fields, message);
  }

  #mayTell(): boolean {
    const nowMs = this.#clock.monotonic();
    if (nowMs - this.#secondAtMs >= 1_000) {
      this.#secondAtMs = nowMs;
      this.#told = 0;
    }
    return ++this.#told <= MAX_PER_S;
  }
}
