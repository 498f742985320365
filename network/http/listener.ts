// The door to HTTP servers: a listener with limits, over TCP or TLS, that hands each request on.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createSecureServer, type Http2ServerRequest, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo, Server as NetServer, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../clock.ts';
import {
  type Admission,
  ConnectionLimit,
  type ConnectionLimits,
  LISTEN_BACKLOG,
  plainAddress,
} from '../connection-limit.ts';
import type { Credentials, Identity } from './identity.ts';
import type { TakingLimits } from './untaken.ts';

export type { IncomingMessage, ServerResponse };

export interface ListenerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly clock: Clock;
  /** With one, the listener speaks TLS: HTTP/2 to whom asks for it, HTTP/1.1 to everybody. */
  readonly identity?: Identity | undefined;
  readonly limits?: Partial<HttpLimits>;
  /** Addresses of proxies, by way of which any number of viewers may come. */
  readonly isProxy?: (address: string) => boolean;
  /** Who may connect over TLS: anybody, or whoever has a certificate of the identity's own authorities (mutual TLS). */
  readonly clients?: 'any' | 'known';
  /** Gives what is told when the answer is over. `isOneOfSeveral`: its connection has others that wait. */
  onRequest(request: IncomingMessage, response: ServerResponse, isOneOfSeveral: boolean): { over(): void };
  onRefused?(refusal: Refusal): void;
  /** A connection could not be accepted, as when file descriptors have run out. The listener goes on. */
  onError?(error: Error): void;
  onClosed?(): void;
}

export type Refusal = Extract<Admission, { kind: 'refuse' }>;

export interface HttpServer {
  readonly port: number;
  readonly connections: number;
  /** Stops listening, lets answers in progress end for a moment, then closes what is left. */
  close(): Promise<void>;
}

/** What one HTTP peer may cost. */
export interface HttpLimits extends ConnectionLimits, TakingLimits {
  /** From the beginning of a request, or of the connection, to the end of its headers; and to the end of its body. */
  readonly requestMs: number;
  readonly headerBytes: number;
  /** Requests that wait for their answer on one connection. */
  readonly requestsAtOnce: number;
  /** On all connections; while so many wait, a connection has `FEW`. */
  readonly requestsInAll: number;
  /** Of what is stored, for all together; see `read-ahead.ts`. */
  readonly readAheadBytes: number;
}

export const DEFAULT_HTTP_LIMITS: HttpLimits = {
  // Enough for every viewer of a full server with several connections each.
  connections: 50_000,
  // A carrier's NAT has some thousand subscribers behind an address, and a player one or two connections.
  connectionsPerAddress: 8_192,
  requestMs: 10_000,
  headerBytes: 16 * 1024,
  // A player has a playlist and some parts open at a time; a page its modules, over HTTP/2 all at once.
  requestsAtOnce: 128,
  // Two of each connection that there may be: some 5 KiB each, where 128 of each would take more than a machine has.
  requestsInAll: 100_000,
  readAheadBytes: 32_000_000,
  untakenBytes: 64 * 1024 * 1024,
  stalledMs: 60_000,
  // Half of the lowest video, or sound alone: whom a link gives less can watch nothing. Ten times what Kestrel and mod_reqtimeout ask for.
  leastBytesPerS: 4_000,
};

/** Longer than players pause between two requests, so that they keep their connection. */
const KEEP_ALIVE_MS = 30_000;
/** How often slow requests are looked for. */
const CHECK_MS = 2_000;
const CLOSE_GRACE_MS = 500;
/** A client of HTTP/2 that opens streams and resets them costs no more than so many (CVE-2023-44487). */
const MAX_RESETS = 200;
/**
 * Never reached: what was not taken of a stream that ends early stays in Node's count for as long as the connection, and a player
 * that breaks off some segments, as all do who change renditions, would have each later stream refused. Streams, their headers and
 * what is sent in them have bounds of their own.
 */
const SESSION_MEGABYTES = 1_000_000;
/** RFC 9113 7. */
const CANCEL = 8;

/** Rejects when the port is taken. */
export async function openListener(options: ListenerOptions): Promise<HttpServer> {
  const limits = { ...DEFAULT_HTTP_LIMITS, ...options.limits };
  const onRequest = oneByOne(options, limits);
  const { server, release } = options.identity
    ? secure(options, limits, options.identity, onRequest)
    : plain(limits, onRequest);
  const limit = new ConnectionLimit(limits, options.isProxy);
  const sockets = new Set<Socket>();
  server.prependListener('connection', (socket: Socket) => {
    const admitted = limit.admit(plainAddress(socket.remoteAddress ?? ''));
    if (admitted.kind === 'refuse') {
      options.onRefused?.(admitted);
      socket.on('error', () => {}).destroy();
      return;
    }
    sockets.add(socket);
    socket.once('close', () => {
      sockets.delete(socket);
      admitted.release();
    });
  });
  await listening(server, options);
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return sockets.size;
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      release();
      const force = options.clock.after(CLOSE_GRACE_MS, () => {
        for (const socket of sockets) socket.destroy();
      });
      await closed;
      force.cancel();
      options.onClosed?.();
    },
  };
}

interface Opened {
  readonly server: NetServer;
  /** Lets connections that rest go. */
  release(): void;
}

/** Of the parser, and of the connection below it. */
function http1(limits: HttpLimits) {
  return {
    noDelay: true,
    // A connection that rests is let go as one that stands still is: another timer would be set with each answer.
    keepAliveTimeout: 0,
    headersTimeout: limits.requestMs,
    requestTimeout: limits.requestMs,
    connectionsCheckingInterval: Math.min(CHECK_MS, limits.requestMs),
    maxHeaderSize: limits.headerBytes,
  };
}

interface Queue {
  waiting: number;
}

/** As many as a player has: nobody who watches is let go for others' requests. */
const FEW = 8;

type OnRequest = (request: IncomingMessage, response: ServerResponse) => void;

/** A connection over which more requests wait than a player ever has is not a player's. */
function oneByOne({ onRequest }: ListenerOptions, { requestsAtOnce, requestsInAll }: HttpLimits): OnRequest {
  const queues = new WeakMap<Connection, Queue>();
  let inAll = 0;
  const open = (connection: Connection): Queue => {
    const queue = { waiting: 0 };
    queues.set(connection, queue);
    return queue;
  };
  return (request, response) => {
    const connection = connectionOf(request);
    if (!connection) return;
    const queue = queues.get(connection) ?? open(connection);
    if (queue.waiting >= (inAll < requestsInAll ? requestsAtOnce : FEW)) {
      request.destroy();
      return;
    }
    queue.waiting++;
    inAll++;
    const answering = onRequest(request, response, queue.waiting > 1);
    response.on('close', () => {
      queue.waiting--;
      inAll--;
      answering.over();
    });
  };
}

function plain(limits: HttpLimits, onRequest: OnRequest): Opened {
  const server = createServer(http1(limits), onRequest);
  server.timeout = limits.stalledMs;
  return { server, release: () => server.closeIdleConnections() };
}

function secure(
  { clients = 'any', clock }: ListenerOptions,
  limits: HttpLimits,
  identity: Identity,
  onRequest: OnRequest,
): Opened {
  const server = createSecureServer(
    {
      ...http1(limits),
      ...contextOf(identity.credentials),
      allowHTTP1: true,
      handshakeTimeout: limits.requestMs,
      requestCert: clients === 'known',
      rejectUnauthorized: clients === 'known',
      settings: { maxConcurrentStreams: limits.requestsAtOnce, maxHeaderListSize: limits.headerBytes },
      maxSessionInvalidFrames: MAX_RESETS,
      maxSessionRejectedStreams: MAX_RESETS,
      streamResetBurst: MAX_RESETS,
      maxSessionMemory: SESSION_MEGABYTES,
    },
    // What Node's HTTP/2 hands out has the shape of HTTP/1.1's, as far as answers are given here.
    (request, response) => {
      if (request.httpVersionMajor === 2) endLate(request, limits, clock);
      onRequest(request as unknown as IncomingMessage, response as unknown as ServerResponse);
    },
  );
  // Node's server of HTTP/2 has no such limit for whoever speaks HTTP/1.1 with it.
  server.on('secureConnection', (socket) => {
    if (socket.alpnProtocol !== 'h2') socket.setTimeout(limits.stalledMs);
  });
  const unsubscribe = identity.subscribe((credentials) => server.setSecureContext(contextOf(credentials)));
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.setTimeout(KEEP_ALIVE_MS, () => session.close());
    session.once('close', () => sessions.delete(session));
    session.on('error', () => session.destroy());
  });
  // A peer that is not believed, or speaks no TLS, costs its own connection.
  server.on('tlsClientError', (_, socket) => socket.destroy());
  const release = (): void => {
    unsubscribe();
    for (const session of sessions) session.close();
  };
  return { server, release };
}

/** Node lets a stream live for as long as its session does, and a session lives that asks now and then whether anybody is there. */
function endLate({ stream }: Http2ServerRequest, { requestMs }: HttpLimits, clock: Clock): void {
  if (stream.endAfterHeaders) return;
  const late = clock.after(requestMs, () => stream.close(CANCEL));
  for (const event of ['end', 'close'] as const) stream.once(event, () => late.cancel());
}

function contextOf({ cert, key, ownAuthorities }: Credentials) {
  return { cert, key, ca: ownAuthorities };
}

async function listening(server: NetServer, { host, port, onError }: ListenerOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, backlog: LISTEN_BACKLOG }, () => {
      server.off('error', reject).on('error', (error) => onError?.(error));
      resolve();
    });
  });
}

/** What requests come over: several of one player may share it. */
export interface Connection {
  once(event: 'close', listener: () => void): unknown;
}

/** Undefined when it is gone. */
export function connectionOf(request: IncomingMessage): Connection | undefined {
  return request.httpVersionMajor === 2 ? http2StreamOf(request)?.session : request.socket;
}

/** Undefined for HTTP/1.1, whose answers have the whole connection to themselves. */
export function http2StreamOf(request: IncomingMessage) {
  return request.httpVersionMajor === 2 ? (request as unknown as Http2ServerRequest).stream : undefined;
}

/** Ends an answer as it is: with its connection, or with one stream of it. */
export function cutOff(request: IncomingMessage, response: ServerResponse): void {
  const stream = http2StreamOf(request);
  if (stream) stream.close(CANCEL);
  else response.destroy();
}

/** Where an answer without an end is written to: a connection, or one stream of it. */
export type Outlet = Duplex;

/** Whoever writes to an outlet without an end looks after it: a timer would be set anew with each write. */
export function ignoreSilence(outlet: Outlet): void {
  const socket = outlet as Partial<Socket>;
  socket.setTimeout?.(0);
}

/** Closes an outlet behind the last byte. */
export function endOutlet(outlet: Outlet): void {
  if ('destroySoon' in outlet) (outlet as Socket).destroySoon();
  else outlet.end();
}
