// One RTMP connection from connect to the end of its publication: the order of things, without sockets and timers.

import type { Clock } from '../../network/clock.ts';
import { CodedError, reasonOf } from '../../network/errors.ts';
import type { Logger } from '../../network/logger.ts';
import type { Seldom } from '../../network/seldom.ts';
import type { RtmpMessage } from '../media.ts';
import type { RtmpCommand } from './command.ts';
import type { RtmpLimits } from './limits.ts';
import { createRtmpPeer, type RtmpHandler, type RtmpPeer } from './peer.ts';
import { printable } from './printable.ts';
import type { Publication, PublishDecision, PublishRequest } from './publication.ts';
import { type ConnectTarget, readConnect, readPublish, reconnectUrl } from './publish-target.ts';

/** The socket, as a session sees it. */
export interface SessionSocket {
  write(bytes: Uint8Array): void;
  /** Nothing is read between the two: what comes in while a decision is awaited stays with the kernel. */
  pause(): void;
  resume(): void;
  /** Closes this end once all is written. */
  end(): void;
  /** The session's deadline is another one now. */
  watch(): void;
}

/** When the session fails, and of what, unless it has got further by then. */
export interface Deadline {
  /** On the monotonic clock. */
  readonly atMs: number;
  readonly code: string;
  readonly reason: string;
}

export interface SessionOptions {
  readonly connectionId: string;
  readonly remoteAddress: string;
  readonly socket: SessionSocket;
  readonly limits: RtmpLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Says what strangers did, who can come thousands of times a second. */
  readonly strangers: Pick<Seldom, 'say'>;
  onPublish(request: PublishRequest): Promise<PublishDecision>;
}

type State = 'new' | 'connected' | 'deciding' | 'publishing' | 'over';

export class RtmpSession implements RtmpHandler {
  readonly #options: SessionOptions;
  readonly #peer: RtmpPeer;
  #state: State = 'new';
  #target: ConnectTarget | undefined;
  #streams = 0;
  #streamId = 0;
  #publication: Publication | undefined;
  #endReason = '';
  /** What arrived with the bytes of `publish` and waits for the decision: at most one read of the socket (64 KiB). */
  #waiting: (() => void)[] = [];
  readonly #startedMs: number;
  readonly #commands: ReadonlyMap<string, (command: RtmpCommand) => void> = new Map([
    ['connect', (command) => this.#connect(command)],
    ['releaseStream', (command) => this.#peer.sendResult(command.transactionId, null)],
    ['FCPublish', (command) => this.#peer.sendResult(command.transactionId, null)],
    ['createStream', (command) => this.#createStream(command)],
    ['publish', (command) => this.#publish(command)],
    ['FCUnpublish', (command) => this.#unpublish(command)],
    ['deleteStream', (command) => this.#unpublish(command)],
    ['closeStream', (command) => this.#unpublish(command)],
    ['play', (command) => this.#play(command)],
    ['play2', (command) => this.#play(command)],
  ]);
  #lastMediaMs = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#peer = createRtmpPeer(this, options.limits);
    this.#startedMs = options.clock.monotonic();
  }

  get over(): boolean {
    return this.#state === 'over';
  }

  get deadline(): Deadline {
    const { handshakeMs, publishMs, silenceMs } = this.#options.limits;
    if (!this.#peer.handshaken) {
      const reason = `no handshake within ${handshakeMs} ms`;
      return { atMs: this.#startedMs + handshakeMs, code: 'rtmp_handshake_timeout', reason };
    }
    if (this.#state !== 'publishing') {
      const reason = `no publication within ${publishMs} ms`;
      return { atMs: this.#startedMs + publishMs, code: 'rtmp_publish_timeout', reason };
    }
    const reason = `no audio or video for ${silenceMs} ms`;
    return { atMs: this.#lastMediaMs + silenceMs, code: 'rtmp_silence', reason };
  }

  read(bytes: Buffer): void {
    if (this.over) return;
    try {
      this.#peer.read(bytes);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Ends the session with a refusal that the peer can read, as far as it has got. */
  fail(error: unknown): void {
    if (this.over) return;
    const { code, message } = coded(error);
    this.#warn(code, message);
    if (this.#peer.handshaken)
      this.#peer.sendStatus(this.#streamId, 'error', this.#statusCode(code), message);
    this.#end(message);
  }

  /** The socket is gone: nothing can be said any more. */
  drop(reason: string): void {
    this.#finish(reason);
  }

  output(bytes: Uint8Array): void {
    this.#options.socket.write(bytes);
  }

  command(command: RtmpCommand): void {
    this.#inOrder(() => this.#obey(command));
  }

  message(message: RtmpMessage): void {
    this.#inOrder(() => this.#deliver(message));
  }

  #inOrder(step: () => void): void {
    if (this.#state === 'deciding') this.#waiting.push(step);
    else if (!this.over) step();
  }

  #obey(command: RtmpCommand): void {
    const obey = this.#commands.get(command.name);
    if (obey) obey(command);
    else this.#decline(command);
  }

  #connect(command: RtmpCommand): void {
    try {
      if (this.#state !== 'new') throw new CodedError('NetConnection.Connect.Rejected', 'connect came twice');
      this.#target = readConnect(command.object);
      this.#state = 'connected';
      this.#peer.sendConnected(command.transactionId);
    } catch (error) {
      this.#reject(command, coded(error));
    }
  }

  /** 7.2.1.1: `connect` is refused by `_error`, not by a status. */
  #reject(command: RtmpCommand, { code, message }: CodedError): void {
    this.#warn(code, message);
    this.#peer.sendError(command.transactionId, code, message);
    this.#end(message);
  }

  #createStream(command: RtmpCommand): void {
    this.#connectedTarget(command.name);
    this.#streams += 1;
    this.#peer.sendResult(command.transactionId, this.#streams);
  }

  #publish(command: RtmpCommand): void {
    const target = this.#connectedTarget(command.name);
    if (this.#state === 'publishing') {
      throw new CodedError('NetStream.Publish.BadName', 'this connection publishes already: one stream each');
    }
    this.#streamId = command.streamId;
    const { connectionId, remoteAddress, onPublish, socket } = this.#options;
    const close = (code: string, description: string): void => this.fail(new CodedError(code, description));
    const reconnect = (rtmpUrl: string, description: string): boolean =>
      this.#reconnect(target, rtmpUrl, description);
    const request = {
      connectionId,
      remoteAddress,
      ...readPublish(target, command.argument),
      close,
      reconnect,
    };
    this.#state = 'deciding';
    socket.pause();
    onPublish(request)
      .then((decision) => this.#decide(decision, request.name))
      .catch((error: unknown) => this.fail(error));
  }

  #decide(decision: PublishDecision, name: string): void {
    if (decision.kind === 'refuse') this.fail(new CodedError(decision.code, decision.description));
    else if (this.over) this.#close(decision.publication);
    else this.#start(decision.publication, name);
  }

  #start(publication: Publication, name: string): void {
    const { clock, socket } = this.#options;
    this.#publication = publication;
    this.#state = 'publishing';
    this.#lastMediaMs = clock.monotonic();
    socket.watch();
    this.#peer.allowMedia();
    this.#peer.sendStatus(this.#streamId, 'status', 'NetStream.Publish.Start', `${name} is now published.`);
    try {
      for (const step of this.#waiting.splice(0)) this.#inOrder(step);
    } catch (error) {
      this.fail(error);
    }
    socket.resume();
  }

  #reconnect(target: ConnectTarget, rtmpUrl: string, description: string): boolean {
    if (this.over || !target.canReconnect) return false;
    this.#peer.sendReconnectRequest(reconnectUrl(target, rtmpUrl), description);
    return true;
  }

  #deliver(message: RtmpMessage): void {
    if (!this.#publication) throw new CodedError('rtmp_out_of_order', `${message.type} came before publish`);
    if (message.type !== 'data') this.#lastMediaMs = this.#options.clock.monotonic();
    try {
      this.#publication.message(message);
    } catch (error) {
      throw coded(error);
    }
  }

  /** The encoder is done with its stream; until it has published one there is nothing to do. */
  #unpublish(command: RtmpCommand): void {
    if (this.#state !== 'publishing') return;
    this.#peer.sendStatus(this.#streamId, 'status', 'NetStream.Unpublish.Success', 'The stream has ended.');
    this.#end(`the broadcaster ended the stream (${command.name})`);
  }

  #play(command: RtmpCommand): void {
    this.#streamId = command.streamId;
    throw new CodedError('NetStream.Play.Failed', 'Headwater plays over HTTP, not RTMP: open /watch/<name>');
  }

  /** RTMP 1.0 7.2.1.2: a call that is not known gets an error; one without a transaction wants no answer. */
  #decline(command: RtmpCommand): void {
    if (command.transactionId === 0) return;
    const description = `there is no '${printable(command.name)}' here: this is an ingest`;
    this.#peer.sendError(command.transactionId, 'NetConnection.Call.Failed', description);
  }

  #connectedTarget(commandName: string): ConnectTarget {
    if (!this.#target) throw new CodedError('rtmp_out_of_order', `${commandName} came before connect`);
    return this.#target;
  }

  #end(reason: string): void {
    const { socket } = this.#options;
    this.#finish(reason);
    socket.resume();
    socket.end();
  }

  #finish(reason: string): void {
    if (this.over) return;
    this.#state = 'over';
    this.#endReason = reason;
    this.#waiting = [];
    if (this.#publication) this.#close(this.#publication);
  }

  #close(publication: Publication): void {
    try {
      publication.closed(this.#endReason);
    } catch (error) {
      this.#options.logger.error({ ...this.#who(), err: error }, 'closing a publication failed');
    }
  }

  /** The peer is told RTMP's own codes; ours are for the log. */
  #statusCode(code: string): string {
    if (code.startsWith('Net')) return code;
    return this.#state === 'publishing' ? 'NetStream.Failed' : 'NetConnection.Call.Failed';
  }

  #warn(code: string, reason: string): void {
    const { logger, strangers } = this.#options;
    const about = { ...this.#who(), code, reason };
    const warn = (fields: object): void => logger.warn(fields, 'RTMP connection refused or broken off');
    if (this.#publication) warn(about);
    else strangers.say((times) => warn(times > 1 ? { ...about, times } : about));
  }

  #who(): { connectionId: string; remoteAddress: string } {
    const { connectionId, remoteAddress } = this.#options;
    return { connectionId, remoteAddress };
  }
}

function coded(error: unknown): CodedError {
  return error instanceof CodedError
    ? error
    : new CodedError('rtmp_failed', reasonOf(error), { cause: error });
}
