// The mender: files that were left without an end because their disk failed are ended in order once it takes writes again.

import type { Clock, Timer } from '../../../network/clock.ts';
import type { Logger } from '../../../network/logger.ts';
import type { Files } from './files.ts';
import { recoverFile } from './recover.ts';

export interface MenderOptions {
  readonly files: Files;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onMended: (path: string) => void;
}

const RETRY_MS = 60_000;
/** Of more than this many, the next start of the process takes care. */
const MAX_BROKEN = 10_000;

export class Mender implements Disposable {
  readonly #options: MenderOptions;
  readonly #broken = new Set<string>();
  readonly #timer: Timer;

  constructor(options: MenderOptions) {
    this.#options = options;
    this.#timer = options.clock.every(RETRY_MS, () => void this.#mend());
  }

  /** The path of a file without `.mp4` and `.index`. */
  add(path: string): void {
    if (this.#broken.size < MAX_BROKEN) this.#broken.add(path);
  }

  [Symbol.dispose](): void {
    this.#timer.cancel();
  }

  async #mend(): Promise<void> {
    const { files, clock, logger, onMended } = this.#options;
    for (const path of [...this.#broken]) {
      try {
        await recoverFile(path, { files, logger, nowMs: clock.now() });
        this.#broken.delete(path);
        onMended(path);
      } catch {
        // The disk was told of when it failed; it is tried again.
      }
    }
  }
}
