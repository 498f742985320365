// Listens to channels of Redis, on a connection of its own: one that listens can't ask.

import type { Logger } from '../../logger.ts';
import { connect, type RedisAddress, type RedisClient, troubleOf } from './redis-client.ts';

export interface RedisChannelsOptions {
  readonly address: RedisAddress;
  readonly logger: Logger;
  readonly timeoutMs: number;
}

/** Connects when somebody listens first. What is said while the connection is lost is lost too. */
export class RedisChannels implements Disposable {
  readonly #options: RedisChannelsOptions;
  readonly #listeners = new Map<string, Set<() => void>>();
  #client: RedisClient | undefined;
  #isDeaf = false;

  constructor(options: RedisChannelsOptions) {
    this.#options = options;
  }

  /** Calls back for each message, whatever it says. */
  listen(channel: string, onMessage: () => void): Disposable {
    const listeners = this.#listeners.getOrInsertComputed(channel, () => new Set());
    const listener = () => onMessage();
    listeners.add(listener);
    this.#client ??= this.#connect();
    if (listeners.size === 1) this.#subscribe([channel]);
    return {
      [Symbol.dispose]: () => {
        listeners.delete(listener);
        if (listeners.size === 0) this.#forget(channel);
      },
    };
  }

  [Symbol.dispose](): void {
    this.#listeners.clear();
    this.#client?.disconnect();
  }

  #connect(): RedisClient {
    const { address, timeoutMs } = this.#options;
    const client = connect(address, timeoutMs);
    client.on('message', (channel: string) => {
      for (const listener of [...(this.#listeners.get(channel) ?? [])]) listener();
    });
    client.on('ready', () => this.#subscribe([...this.#listeners.keys()]));
    // The link that asks says that Redis is lost.
    client.on('error', () => {});
    return client;
  }

  /** What does not succeed for want of a connection is done once there is one. */
  #subscribe(channels: readonly string[]): void {
    if (this.#client?.status !== 'ready' || channels.length === 0) return;
    this.#client.subscribe(...channels).then(
      () => {
        this.#isDeaf = false;
      },
      (error: unknown) => this.#fail(error),
    );
  }

  #fail(error: unknown): void {
    if (!this.#isDeaf && this.#client?.status === 'ready')
      this.#options.logger.warn(
        { reason: troubleOf(error) },
        'Redis does not tell of changes: they are learned with the next beat',
      );
    this.#isDeaf = true;
  }

  #forget(channel: string): void {
    this.#listeners.delete(channel);
    if (this.#client?.status === 'ready') this.#client.unsubscribe(channel).catch(() => {});
  }
}
