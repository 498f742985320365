// A value read from files, and read again when one of them changes.

import { stat } from 'node:fs/promises';
import type { Clock, Timer } from './clock.ts';
import { CodedError, reasonOf } from './errors.ts';
import type { Logger } from './logger.ts';

/** A changed file is read when it has rested for as long, so that none is read while it is being written. */
const CHECK_MS = 2_000;

export interface ReloadedOptions<T> {
  /** For the log and errors: `the topology`. */
  readonly what: string;
  readonly files: readonly string[];
  readonly read: () => Promise<T>;
  /** Told of each value that was read, the first one too. */
  readonly onRead?: (value: T) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class Reloaded<T> implements Disposable {
  readonly #options: ReloadedOptions<T>;
  readonly #timer: Timer;
  #value: T;
  /** What the files looked like when they were read last, well or not, and at the last check. */
  #readAs: string;
  #seenAs: string;
  #isChecking = false;

  /** Rejects when the files can't be read now: with the error's code, and the files in the message. */
  static async open<T>(options: ReloadedOptions<T>): Promise<Reloaded<T>> {
    const look = await lookOf(options.files);
    return new Reloaded(options, look, await readNamed(options));
  }

  private constructor(options: ReloadedOptions<T>, look: string, value: T) {
    this.#options = options;
    this.#value = value;
    this.#readAs = look;
    this.#seenAs = look;
    this.#timer = options.clock.every(CHECK_MS, () => void this.check());
  }

  /** The newest that could be read. */
  get value(): T {
    return this.#value;
  }

  get files(): readonly string[] {
    return this.#options.files;
  }

  /** Reads the files again if they have changed and rested since. What can't be read is told of once, and the last value stays. */
  async check(): Promise<void> {
    if (this.#isChecking) return;
    this.#isChecking = true;
    const look = await lookOf(this.#options.files);
    if (look !== this.#readAs && look === this.#seenAs) await this.#readAgain(look);
    this.#seenAs = look;
    this.#isChecking = false;
  }

  async #readAgain(look: string): Promise<void> {
    const { what, logger, files } = this.#options;
    this.#readAs = look;
    try {
      this.#value = await readNamed(this.#options);
      logger.info({ files }, `${what}: read again`);
    } catch (error) {
      logger.error({ err: error }, `${what}: the change is not taken, what was read before stays`);
    }
  }

  [Symbol.dispose](): void {
    this.#timer.cancel();
  }
}

/** Changes when a file is written, replaced, removed or made. */
async function lookOf(files: readonly string[]): Promise<string> {
  const looks = files.map(async (file) => {
    const found = await stat(file).catch(() => undefined);
    return found ? `${found.ino} ${found.size} ${found.mtimeMs}` : 'missing';
  });
  return (await Promise.all(looks)).join('\n');
}

async function readNamed<T>({ what, files, read, onRead }: ReloadedOptions<T>): Promise<T> {
  try {
    const value = await read();
    onRead?.(value);
    return value;
  } catch (error) {
    const code = error instanceof CodedError ? error.code : 'bad_file';
    throw new CodedError(code, `${what} ${files.join(', ')}: ${reasonOf(error)}`, { cause: error });
  }
}
