// Listens for broadcasters: sockets, time-outs and counts around one session per connection.

import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Clock, Timer } from '../../network/clock.ts';
import { CodedError } from '../../network/errors.ts';
import type { Logger } from '../../network/logger.ts';
import { plainAddress, RtmpAdmission } from './admission.ts';
import { DEFAULT_RTMP_LIMITS, type RtmpLimits } from './limits.ts';
import type { PublishDecision, PublishRequest } from './publication.ts';
import { RtmpSession } from './session.ts';

export type { Publication, PublishDecision, PublishRequest } from './publication.ts';

export interface RtmpServerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Asked before the broadcaster is answered. */
  onPublish(request: PublishRequest): Promise<PublishDecision>;
  readonly limits?: Partial<RtmpLimits>;
}

export interface RtmpServer {
  readonly port: number;
  readonly connections: number;
  /** Ends every connection, and resolves when all are gone. */
  close(): Promise<void>;
}

export async function listenRtmp(options: RtmpServerOptions): Promise<RtmpServer> {
  const limits = { ...DEFAULT_RTMP_LIMITS, ...options.limits };
  const admission = new RtmpAdmission(limits);
  const open = new Set<Connection>();
  let accepted = 0;
  const server = createServer({ noDelay: true }, (socket) => {
    const remoteAddress = plainAddress(socket.remoteAddress ?? '');
    const connectionId = `rtmp-${++accepted}`;
    const admitted = admission.admit(remoteAddress);
    if (admitted.kind === 'refuse') {
      const { code, reason } = admitted;
      options.logger.warn({ connectionId, remoteAddress, code, reason }, 'RTMP connection not admitted');
      // RTMP has no words before its handshake.
      socket.on('error', () => {}).destroy();
      return;
    }
    const connection = new Connection(socket, { ...options, limits, connectionId, remoteAddress });
    open.add(connection);
    socket.on('close', () => {
      open.delete(connection);
      admitted.release();
    });
  });
  await listen(server, options);
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return admission.connections;
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const gone = [...open].map((connection) => connection.shutDown());
      await Promise.all([closed, ...gone]);
    },
  };
}

async function listen(server: Server, { host, port, logger }: RtmpServerOptions): Promise<void> {
  server.listen({ host, port });
  await once(server, 'listening');
  server.on('error', (error) => logger.error({ err: error }, 'RTMP server failed'));
}

interface ConnectionOptions extends RtmpServerOptions {
  readonly limits: RtmpLimits;
  readonly connectionId: string;
  readonly remoteAddress: string;
}

/** One socket: what it is read into, what is written to it, and how long it may take. */
class Connection {
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #session: RtmpSession;
  #timer: Timer | undefined;
  #socketError: string | undefined;

  constructor(socket: Socket, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#session = new RtmpSession({
      ...options,
      socket: {
        write: (bytes) => this.#write(bytes),
        pause: () => socket.pause(),
        resume: () => socket.resume(),
        end: () => this.#end(),
        watch: () => this.#watch(),
      },
    });
    this.#watch();
    socket.on('data', (bytes: Buffer) => this.#session.read(bytes));
    socket.on('error', (error) => {
      this.#socketError = error.message;
    });
    socket.on('close', () => this.#closed());
  }

  /** Resolves when the socket is gone. */
  shutDown(): Promise<void> {
    const gone = new Promise<void>((resolve) => this.#socket.once('close', () => resolve()));
    this.#session.fail(new CodedError('NetConnection.Connect.AppShutdown', 'the server is shutting down'));
    this.#socket.destroySoon();
    return gone;
  }

  #write(bytes: Uint8Array): void {
    const { outputBytes } = this.#options.limits;
    if (!this.#socket.writable) return;
    this.#socket.write(bytes);
    if (this.#socket.writableLength <= outputBytes) return;
    this.#breakOff('rtmp_output_full', `the peer does not read: over ${outputBytes} bytes wait for it`);
  }

  /** The peer reads its refusal while its last bytes are read and dropped: a reset would take the refusal away. */
  #end(): void {
    const { clock, limits } = this.#options;
    this.#timer?.cancel();
    this.#socket.end();
    this.#timer = clock.after(limits.lingerMs, () => this.#socket.destroy());
  }

  #breakOff(code: string, reason: string): void {
    const { logger, connectionId, remoteAddress } = this.#options;
    logger.warn({ connectionId, remoteAddress, code, reason }, 'RTMP connection broken off');
    this.#session.drop(reason);
    this.#socket.destroy();
  }

  #watch(): void {
    const { clock } = this.#options;
    this.#timer?.cancel();
    this.#timer = clock.after(this.#session.deadline.atMs - clock.monotonic(), () => this.#checkDeadline());
  }

  #checkDeadline(): void {
    const { atMs, code, reason } = this.#session.deadline;
    if (this.#options.clock.monotonic() < atMs) this.#watch();
    else this.#session.fail(new CodedError(code, reason));
  }

  #closed(): void {
    const { logger, connectionId, remoteAddress } = this.#options;
    this.#timer?.cancel();
    const reason = this.#socketError ?? 'the broadcaster closed the connection';
    if (!this.#session.over) logger.info({ connectionId, remoteAddress, reason }, 'RTMP connection closed');
    this.#session.drop(reason);
  }
}
