// The door to Redis (ioredis): how one server, the one that Sentinels name, or a Redis Cluster is connected to.

import { readFileSync } from 'node:fs';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { CodedError, reasonOf } from '../../errors.ts';

export type RedisClient = Redis | Cluster;

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

const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 1_000;
/** Within the time that an answer may take, a Cluster's node that moved or failed is looked for this often. */
const MAX_REDIRECTIONS = 5;
/** After this much silence it is asked whether the connection is still there: one that only listens would not find out. */
const KEEP_ALIVE_MS = 5_000;

/**
 * Connects in the background, again and again until it is told to disconnect; each step may take `timeoutMs`. Throws
 * `bad_config` when a file of `tls` can't be read.
 */
export function connect(address: RedisAddress, timeoutMs: number): RedisClient {
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

/** A Cluster's error says that all its nodes failed; why is in the last node's. Some errors of the network have a code only. */
export function troubleOf(error: unknown): string {
  const { lastNodeError, code } = error as { lastNodeError?: Error; code?: string };
  return reasonOf(lastNodeError ?? error) || String(code);
}

/** Nothing waits in a queue: what can't be said now is said anew with the next beat. */
function connectionOptions(address: RedisAddress, timeoutMs: number) {
  return {
    db: address.database,
    username: address.username,
    password: address.password,
    ...(address.tls ? { tls: tlsOptions(address.tls) } : {}),
    connectTimeout: timeoutMs,
    keepAlive: KEEP_ALIVE_MS,
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
