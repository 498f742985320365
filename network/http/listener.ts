// The door to HTTP servers: a listener with limits, over TCP or TLS, that hands each request on.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createSecureServer, type Http2ServerRequest, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo, Server as NetServer, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../clock.ts';
import type { Credentials, Identity } from './identity.ts';

export type { IncomingMessage, ServerResponse };

export interface ListenerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly clock: Clock;
  /** With one, the listener speaks TLS: HTTP/2 to whom asks for it, HTTP/1.1 to everybody. */
  readonly identity?: Identity | undefined;
  /** Who may connect over TLS: anybody, or whoever has a certificate of the identity's own authorities (mutual TLS). */
  readonly clients?: 'any' | 'known';
  onRequest(request: IncomingMessage, response: ServerResponse): void;
}

export interface HttpServer {
  readonly port: number;
  readonly connections: number;
  /** Stops listening, lets answers in progress end for a moment, then closes what is left. */
  close(): Promise<void>;
}

/** Enough for every viewer of a full server with several connections each. */
const MAX_CONNECTIONS = 50_000;
const HEADERS_TIMEOUT_MS = 10_000;
const MAX_HEADER_BYTES = 16 * 1024;
/** Longer than players pause between two requests, so that they keep their connection. */
const KEEP_ALIVE_MS = 30_000;
const CLOSE_GRACE_MS = 500;
/** Streams of one HTTP/2 connection: a player has a playlist and some parts open at a time. */
const MAX_STREAMS = 32;
/** A player has its connection to itself, and streams of HTTP/2 that are refused or reset cost no more than so many. */
const MAX_RESETS = 200;

const HTTP1 = {
  noDelay: true,
  keepAliveTimeout: KEEP_ALIVE_MS,
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: HEADERS_TIMEOUT_MS,
  maxHeaderSize: MAX_HEADER_BYTES,
};

/** Rejects when the port is taken. */
export async function openListener(options: ListenerOptions): Promise<HttpServer> {
  const { server, release } = options.identity ? secure(options, options.identity) : plain(options);
  server.maxConnections = MAX_CONNECTIONS;
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
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
    },
  };
}

interface Opened {
  readonly server: NetServer;
  /** Lets connections that rest go. */
  release(): void;
}

function plain({ onRequest }: ListenerOptions): Opened {
  const server = createServer(HTTP1, onRequest);
  return { server, release: () => server.closeIdleConnections() };
}

function secure({ onRequest, clients = 'any' }: ListenerOptions, identity: Identity): Opened {
  const server = createSecureServer(
    {
      ...HTTP1,
      ...contextOf(identity.credentials),
      allowHTTP1: true,
      handshakeTimeout: HEADERS_TIMEOUT_MS,
      requestCert: clients === 'known',
      rejectUnauthorized: clients === 'known',
      settings: { maxConcurrentStreams: MAX_STREAMS, maxHeaderListSize: MAX_HEADER_BYTES },
      maxSessionInvalidFrames: MAX_RESETS,
      maxSessionRejectedStreams: MAX_RESETS,
      streamResetBurst: MAX_RESETS,
    },
    // What Node's HTTP/2 hands out has the shape of HTTP/1.1's, as far as answers are given here.
    (request, response) =>
      onRequest(request as unknown as IncomingMessage, response as unknown as ServerResponse),
  );
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

function contextOf({ cert, key, ownAuthorities }: Credentials) {
  return { cert, key, ca: ownAuthorities };
}

async function listening(server: NetServer, { host, port }: ListenerOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
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

/** Where an answer without an end is written to: a connection, or one stream of it. */
export type Outlet = Duplex;

/** Closes an outlet behind the last byte. */
export function endOutlet(outlet: Outlet): void {
  if ('destroySoon' in outlet) (outlet as Socket).destroySoon();
  else outlet.end();
}
