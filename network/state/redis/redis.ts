// Asks Redis by scripts and transactions, and never waits long for what it says.

import { type Clock, sleep } from '../../clock.ts';
import { CodedError, reasonOf } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import { connect, type RedisAddress, type RedisClient, troubleOf } from './redis-client.ts';

export interface RedisLinkOptions {
  readonly address: RedisAddress;
  /** Lua by name. */
  readonly scripts: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long connecting, or an answer, may take. */
  readonly timeoutMs?: number;
}

export const TIMEOUT_MS = 1_000;
/** Answers that are about what is stored, by a key of another type or in the words of a script, and not about Redis. */
const REFUSALS = [
  { words: /^WRONGTYPE /, code: 'wrong_type' },
  { words: /^BADSTATE /, code: 'bad_state' },
  { words: /^ERR (?=.*user_script)/, code: 'bad_state' },
] as const;

export class RedisLink implements AsyncDisposable {
  readonly #options: RedisLinkOptions;
  readonly #timeoutMs: number;
  readonly #client: RedisClient;
  /** The end of the first try to connect: whoever asks before that waits for it, later nobody waits for a connection. */
  readonly #tried: Promise<void>;
  #trouble: string | undefined;
  #isClosed = false;

  /** Throws `bad_config` when a file of `tls` can't be read. Connects in the background, again and again as long as it lives. */
  constructor(options: RedisLinkOptions) {
    this.#options = options;
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.#client = connect(options.address, this.#timeoutMs);
    for (const [name, lua] of Object.entries(options.scripts)) this.#client.defineCommand(name, { lua });
    this.#client.on('error', (error: unknown) => this.#fail(error));
    this.#client.on('close', () => this.#fail(undefined));
    this.#client.on('ready', () => this.#succeed());
    const { promise, resolve } = Promise.withResolvers<void>();
    for (const event of ['ready', 'close', 'end']) this.#client.once(event, resolve);
    this.#tried = Promise.race([promise, sleep(options.clock, this.#timeoutMs)]);
  }

  /** Runs a script. Rejects with `state_unavailable`; `wrong_type` when a key is not of the type it takes it for; `bad_state` when it says so. */
  async run(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    await this.#tried;
    return this.#ask((client) => commandsOf(client)[script]!(keys.length, ...keys, ...args));
  }

  /** Runs plain commands as one transaction, which for large answers takes a third of a script's time. */
  async transact(commands: readonly (readonly string[])[]): Promise<unknown[]> {
    await this.#tried;
    // By `call`, an answer comes as it is: the client would make an object of every hash.
    const calls = commands.map((command) => ['call', ...command]);
    return this.#ask(async (client) => {
      const results = (await client.multi(calls).exec()) ?? [];
      return results.map(([error, answer]) => {
        if (error) throw error;
        return answer;
      });
    });
  }

  /** The types of keys, as Redis names them; `none` of those that are not there. */
  async typesOf(keys: readonly string[]): Promise<string[]> {
    return Promise.all(keys.map((key) => this.#ask((client) => client.type(key))));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#client.disconnect();
  }

  async #ask<Answer>(question: (client: RedisClient) => Promise<Answer>): Promise<Answer> {
    const late = new Error(`no answer within ${this.#timeoutMs} ms`);
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = this.#options.clock.after(this.#timeoutMs, () => reject(late));
    try {
      return await Promise.race([question(this.#client), promise]);
    } catch (error) {
      throw this.#explain(error);
    } finally {
      timer.cancel();
    }
  }

  #explain(error: unknown): CodedError {
    const reason = reasonOf(error);
    const refusal = REFUSALS.find(({ words }) => words.test(reason));
    if (refusal) return new CodedError(refusal.code, reason.replace(refusal.words, ''), { cause: error });
    const isDown = this.#client.status !== 'ready';
    const words = isDown && this.#trouble ? this.#trouble : reason;
    return new CodedError('state_unavailable', `Redis at ${this.#place}: ${words}`, { cause: error });
  }

  get #place(): string {
    return this.#options.address.addresses.join(', ');
  }

  /** Said once each time that it is lost; why it still is, verbs are refused with. */
  #fail(error: unknown): void {
    if (this.#isClosed) return;
    const last = this.#trouble;
    this.#trouble = error === undefined ? (last ?? 'the connection was closed') : troubleOf(error);
    if (last !== undefined) return;
    this.#options.logger.warn({ redis: this.#place, reason: this.#trouble }, 'cluster state lost');
  }

  #succeed(): void {
    this.#trouble = undefined;
    this.#options.logger.info({ redis: this.#place }, 'cluster state reached');
  }
}

type Command = (keyCount: number, ...keysAndArgs: string[]) => Promise<unknown>;

/** What `defineCommand` added, which the client's type does not tell. */
function commandsOf(client: RedisClient): Readonly<Record<string, Command>> {
  return client as unknown as Record<string, Command>;
}
