// The keys of a process that is alone.

import type { Clock } from '../clock.ts';
import { CodedError } from '../errors.ts';
import { inKeyOrder, type KeyBook, type KeyRecord, MAX_KEYS } from './keybook.ts';

export class MemoryKeyBook implements KeyBook {
  readonly #clock: Clock;
  readonly #records = new Map<string, KeyRecord>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async note(record: KeyRecord): Promise<void> {
    const nowMs = this.#clock.now();
    for (const { id, expiresAtMs } of this.#records.values())
      if (expiresAtMs <= nowMs) this.#records.delete(id);
    if (this.#records.size >= MAX_KEYS && !this.#records.has(record.id))
      throw new CodedError('too_many_keys', `${MAX_KEYS} keys are noted already`);
    this.#records.set(record.id, record);
  }

  async list(): Promise<KeyRecord[]> {
    return inKeyOrder([...this.#records.values()], this.#clock.now());
  }

  async revoked(ids: readonly string[]): Promise<ReadonlySet<string>> {
    return new Set(ids.filter((id) => (this.#records.get(id)?.revokedAtMs ?? null) !== null));
  }
}
