// Listens for broadcasters: sockets, time-outs and counts around one session per connection.

import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Clock, Timer } from '../../network/clock.ts';
import { ConnectionLimit, LISTEN_BACKLOG, plainAddress } from '../../network/connection-limit.ts';
import { CodedError } from '../../network/errors.ts';
import type { Identity } from '../../network/http/identity.ts';
import type { Logger } from '../../network/logger.ts';
import { TURN_MS } from '../../network/process/turns.ts';
import { Seldom } from '../../network/seldom.ts';
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
  /** A second listener, over TLS (RTMPS). Its certificate may be replaced; connections that are open go on. */
  readonly tls?: { readonly port: number; readonly identity: Identity } | undefined;
}

export interface RtmpServer {
  readonly port: number;
  /** 0 without TLS. */
  readonly tlsPort: number;
  readonly connections: number;
  /** Ends every connection, and resolves when all are gone. */
  close(): Promise<void>;
}

export async function listenRtmp(options: RtmpServerOptions): Promise<RtmpServer> {
  const limits = { ...DEFAULT_RTMP_LIMITS, ...options.limits };
  const door = new Door({ ...options, limits });
  const plain = createServer({ noDelay: true }, (socket) => {
    if (door.admit(socket)) door.open(socket);
  });
  await listen(plain, options.port, options);
  const secure = options.tls && listenTls(options.tls.identity, limits, door);
  if (secure) await listen(secure.server, options.tls!.port, options);
  return {
    port: portOf(plain),
    tlsPort: secure ? portOf(secure.server) : 0,
    get connections() {
      return door.connections;
    },
    async close() {
      secure?.unsubscribe();
      const closed = [plain, secure?.server].map((server) => server && closing(server));
      await Promise.all([...closed, door.shutDown()]);
    },
  };
}

/** Who may come in is said before TLS is spoken, which costs more than RTMP's own handshake. */
function listenTls(identity: Identity, { handshakeMs }: RtmpLimits, door: Door) {
  const { cert, key } = identity.credentials;
  const server = createTlsServer({ cert, key, handshakeTimeout: handshakeMs, noDelay: true }, (socket) =>
    door.open(socket),
  );
  server.prependListener('connection', (socket: Socket) => void door.admit(socket));
  server.on('tlsClientError', (error, socket) => {
    door.refuse(socket.remoteAddress, 'rtmps_bad_handshake', error.message);
    socket.destroy();
  });
  const unsubscribe = identity.subscribe((changed) =>
    server.setSecureContext({ cert: changed.cert, key: changed.key }),
  );
  return { server, unsubscribe };
}

/** Lines of the log a second of what strangers do: enough to see who guesses keys. */
const STRANGERS_SAID = 20;

/** Whom both listeners let in, counted together. */
class Door {
  readonly #options: DoorOptions;
  readonly #limit: ConnectionLimit;
  readonly #refusals: Seldom;
  readonly #strangers: Seldom;
  readonly #open = new Set<Connection>();
  #accepted = 0;

  constructor(options: DoorOptions) {
    this.#options = options;
    this.#limit = new ConnectionLimit(options.limits);
    this.#refusals = new Seldom(options.clock);
    this.#strangers = new Seldom(options.clock, 1_000, STRANGERS_SAID);
  }

  get connections(): number {
    return this.#limit.connections;
  }

  /** False when there are too many already: RTMP has no words before its handshake, so the socket is closed. */
  admit(socket: Socket): boolean {
    const admitted = this.#limit.admit(plainAddress(socket.remoteAddress ?? ''));
    if (admitted.kind === 'refuse') {
      this.refuse(socket.remoteAddress, `rtmp_${admitted.why}`, admitted.reason);
      socket.on('error', () => {}).destroy();
      return false;
    }
    socket.once('close', () => admitted.release());
    return true;
  }

  refuse(address: string | undefined, code: string, reason: string): void {
    const remoteAddress = plainAddress(address ?? '');
    this.#refusals.say((times) =>
      this.#options.logger.warn({ remoteAddress, code, reason, times }, 'RTMP connection not admitted'),
    );
  }

  open(socket: Socket): void {
    const remoteAddress = plainAddress(socket.remoteAddress ?? '');
    const connectionId = `rtmp-${++this.#accepted}`;
    const about = { connectionId, remoteAddress, strangers: this.#strangers };
    const connection = new Connection(socket, { ...this.#options, ...about });
    this.#open.add(connection);
    socket.once('close', () => this.#open.delete(connection));
  }

  async shutDown(): Promise<void> {
    await Promise.all([...this.#open].map((connection) => connection.shutDown()));
  }
}

interface DoorOptions extends RtmpServerOptions {
  readonly limits: RtmpLimits;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function closing(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

async function listen(server: Server, port: number, { host, logger }: RtmpServerOptions): Promise<void> {
  server.listen({ host, port, backlog: LISTEN_BACKLOG });
  await once(server, 'listening');
  server.on('error', (error) => logger.error({ err: error }, 'RTMP server failed'));
}

interface ConnectionOptions extends DoorOptions {
  readonly connectionId: string;
  readonly remoteAddress: string;
  readonly strangers: Seldom;
}

/** One socket: what it is read into, what is written to it, and how long it may take. */
class Connection {
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #session: RtmpSession;
  #timer: Timer | undefined;
  #socketError: string | undefined;
  /** Why nothing is read now: the session waits for something, or others have their turn. */
  #isHeld = false;
  #isResting = false;

  constructor(socket: Socket, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#session = new RtmpSession({
      ...options,
      socket: {
        write: (bytes) => this.#write(bytes),
        pause: () => this.#hold(true),
        resume: () => this.#hold(false),
        end: () => this.#end(),
        watch: () => this.#watch(),
      },
    });
    this.#watch();
    socket.on('data', (bytes: Buffer) => this.#read(bytes));
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

  /** Of a connection with much to read libuv hands out up to 2 MB at once: who takes long over 64 KiB rests until others were read. */
  #read(bytes: Buffer): void {
    const { clock } = this.#options;
    const sinceMs = clock.monotonic();
    this.#session.read(bytes);
    if (clock.monotonic() - sinceMs < TURN_MS) return;
    this.#isResting = true;
    this.#socket.pause();
    clock.after(0, () => {
      this.#isResting = false;
      if (!this.#isHeld) this.#socket.resume();
    });
  }

  #hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    if (isHeld) this.#socket.pause();
    else if (!this.#isResting) this.#socket.resume();
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
    const { logger, connectionId, remoteAddress, strangers } = this.#options;
    strangers.say((times) =>
      logger.warn({ connectionId, remoteAddress, code, reason, times }, 'RTMP connection broken off'),
    );
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
    const { logger, connectionId, remoteAddress, strangers } = this.#options;
    this.#timer?.cancel();
    const reason = this.#socketError ?? 'the broadcaster closed the connection';
    const about = { connectionId, remoteAddress, reason };
    if (!this.#session.over)
      strangers.say((times) =>
        logger.info(times > 1 ? { ...about, times } : about, 'RTMP connection closed'),
      );
    this.#session.drop(reason);
  }
}
