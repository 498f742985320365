// The door to Redis (ioredis): one server, the one that Sentinels name, or a Redis Cluster. Never waits long.

import { readFileSync } from 'node:fs';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { type Clock, sleep } from '../clock.ts';
import { CodedError, reasonOf } from '../errors.ts';
import type { Logger } from '../logger.ts';

export interface RedisAddress {
  /** What the addresses are of: one server, its Sentinels, or nodes of a Redis Cluster. */
  readonly kind: 'single' | 'sentinel' | 'cluster';
  /** Each `host:port`, or `unix:<path>` of a single server. */
  readonly addresses: readonly string[];
  /** The name that Sentinels know the server by. */
  readonly master?: string | undefined;
  /** Redis Cluster knows database 0 only. */
  readonly database: number;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly sentinelUsername?: string | undefined;
  readonly sentinelPassword?: string | undefined;
  /** True: with the certificate authorities that Node.js knows. Files are PEM. */
  readonly tls: boolean | RedisTls;
  /** What every key begins with, in the braces that keep them on one node of a Redis Cluster. */
  readonly prefix: string;
}

export interface RedisTls {
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** Name in the server's certificate, where that is not the host of the address. */
  readonly serverName?: string | undefined;
}

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
const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 1_000;
/** Within the time that an answer may take, a Cluster's node that moved or failed is looked for this often. */
const MAX_REDIRECTIONS = 5;
/** Answers that are about what is stored, by a key of another type or in the words of a script, and not about Redis. */
const REFUSALS = [
  { words: /^WRONGTYPE /, code: 'wrong_type' },
  { words: /^BADSTATE /, code: 'bad_state' },
  { words: /^ERR (?=.*user_script)/, code: 'bad_state' },
] as const;

export class RedisLink implements AsyncDisposable {
  readonly #options: RedisLinkOptions;
  readonly #timeoutMs: number;
  readonly #client: Redis | Cluster;
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

  async #ask<Answer>(question: (client: Redis | Cluster) => Promise<Answer>): Promise<Answer> {
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

  /** Said once for each time that it is lost; what goes wrong with each new try is what verbs are refused with. */
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

/** A Cluster's error says that all its nodes failed; why is in the last node's. Some errors of the network have a code only. */
function troubleOf(error: unknown): string {
  const { lastNodeError, code } = error as { lastNodeError?: Error; code?: string };
  return reasonOf(lastNodeError ?? error) || String(code);
}

function connect(address: RedisAddress, timeoutMs: number): Redis | Cluster {
  const common = connectionOptions(address, timeoutMs);
  const endpoints = address.addresses.map(endpointOf);
  if (address.kind === 'sentinel')
    return new Redis({ ...common, ...sentinelOptions(address, endpoints, timeoutMs) });
  if (address.kind === 'single') return new Redis({ ...common, ...endpoints[0] });
  return new Cluster(endpoints, {
    redisOptions: common,
    enableOfflineQueue: false,
    clusterRetryStrategy: retryDelayMs,
    slotsRefreshTimeout: timeoutMs,
    maxRedirections: MAX_REDIRECTIONS,
    // A certificate is of a name: it must not be resolved before.
    ...(address.tls ? { dnsLookup: (name, callback) => callback(null, name) } : {}),
  });
}

/** Nothing waits in a queue: what can't be said now is said anew with the next beat. */
function connectionOptions(address: RedisAddress, timeoutMs: number) {
  return {
    db: address.database,
    username: address.username,
    password: address.password,
    ...(address.tls ? { tls: tlsOptions(address.tls) } : {}),
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    // A connection that is silent while answers are due is given up, so that its commands do not pile up.
    socketTimeout: 2 * timeoutMs,
    maxLoadingRetryTime: timeoutMs,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: retryDelayMs,
    // A replica answers so after a failover: the connection is to a server that no longer is the master.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  } satisfies RedisOptions;
}

function sentinelOptions(address: RedisAddress, endpoints: Endpoint[], timeoutMs: number) {
  return {
    sentinels: endpoints,
    name: address.master,
    sentinelUsername: address.sentinelUsername,
    sentinelPassword: address.sentinelPassword,
    sentinelRetryStrategy: retryDelayMs,
    sentinelCommandTimeout: timeoutMs,
    ...(address.tls ? { sentinelTLS: tlsOptions(address.tls), enableTLSForSentinelMode: true } : {}),
  } satisfies RedisOptions;
}

function retryDelayMs(attempt: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** (attempt - 1), MAX_RETRY_MS);
}

interface Endpoint {
  readonly host?: string;
  readonly port?: number;
  readonly path?: string;
}

function endpointOf(address: string): Endpoint {
  const [, path, host, port] = /^(?:unix:(.+)|\[?([^\]]+)\]?:(\d+))$/.exec(address) ?? [];
  return path === undefined ? { host: host!, port: Number(port) } : { path };
}

function tlsOptions(tls: true | RedisTls): NonNullable<RedisOptions['tls']> {
  if (tls === true) return {};
  const { caFile, certFile, keyFile, serverName } = tls;
  return {
    ...(caFile ? { ca: readPem(caFile) } : {}),
    ...(certFile ? { cert: readPem(certFile) } : {}),
    ...(keyFile ? { key: readPem(keyFile) } : {}),
    ...(serverName ? { servername: serverName } : {}),
  };
}

function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CodedError('bad_config', `state.redis.tls: '${file}' can't be read: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

type Command = (keyCount: number, ...keysAndArgs: string[]) => Promise<unknown>;

/** What `defineCommand` added, which the client's type does not tell. */
function commandsOf(client: Redis | Cluster): Readonly<Record<string, Command>> {
  return client as unknown as Record<string, Command>;
}
