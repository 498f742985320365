// One connection to one parent: what comes over it, and when it is over. It decides nothing about the feed.

import type { Clock, Timer } from '../clock.ts';
import { CodedError, reasonOf } from '../errors.ts';
import type { Call, Closing, Dial } from '../http/dial.ts';
import type { Chunk } from '../media/chunk.ts';
import type { Init } from '../media/init.ts';
import { type Piece, Splitter } from '../media/splitter.ts';
import type { Parent } from '../state/state.ts';
import { signToken } from '../token.ts';
import { type RelayRequest, relayUrl } from './request.ts';
import { type Lineage, readSignal } from './signal.ts';

export interface LinkOptions {
  readonly parent: Parent;
  readonly request: RelayRequest;
  /** The first one opens the relay of the parent. */
  readonly secrets: readonly string[];
  readonly dial: Dial;
  readonly clock: Clock;
}

/** Nothing is called after `close`. All but `onHeartbeat` may throw a `CodedError`, which is how the link then fails. */
export interface LinkEvents {
  /** The next chunk, with the init that came before it if there was one. A heartbeat has come before. */
  onChunk(link: Link, chunk: Chunk, init: Init | undefined): void;
  onHeartbeat(link: Link): void;
  /** It has fallen quiet, or was heard again. */
  onQuiet(link: Link): void;
  /** The stream is over. */
  onEnd(link: Link, reason: string): void;
  /** Called once: `relay_gone`, `relay_refused`, `relay_broken`, `relay_silent`, or what was wrong with the bytes. */
  onFail(link: Link, error: CodedError): void;
}

/** A heartbeat is late: nothing is wrong yet with a parent that may only be busy. */
export const QUIET_MS = 800;
/** More than three heartbeats: a parent that says nothing for so long is dead, frozen or cut off. */
export const SILENCE_MS = 1_600;
/** An answer begins with a heartbeat. */
export const OPEN_MS = 1_000;
/** What the clocks of two servers may differ by, and more. */
const TOKEN_MS = 5 * 60_000;

export class Link {
  readonly parent: Parent;
  readonly #options: LinkOptions;
  readonly #events: LinkEvents;
  readonly #splitter = new Splitter();
  readonly #call: Call | undefined;
  #lineage: Lineage | undefined;
  #init: Init | undefined;
  #delivered: number;
  #reached = Number.NEGATIVE_INFINITY;
  #announced = Number.POSITIVE_INFINITY;
  #heardAtMs: number;
  #watch: Timer;
  #isQuiet = false;
  #isClosed = false;

  constructor(options: LinkOptions, events: LinkEvents) {
    const { parent, request, clock } = options;
    this.parent = parent;
    this.#options = options;
    this.#events = events;
    this.#delivered = request.resumption?.from ?? 0;
    this.#heardAtMs = clock.monotonic();
    this.#watch = clock.after(OPEN_MS, () => this.#listen());
    this.#call = this.#dial();
  }

  /** By way of which servers the feed comes to the parent; undefined until the parent has said so. Nothing comes of a quiet one. */
  get lineage(): Lineage | undefined {
    return this.#lineage && this.#isQuiet ? { ...this.#lineage, isFed: false } : this.#lineage;
  }

  get isQuiet(): boolean {
    return this.#isQuiet;
  }

  /** Sequence number up to which everything that the parent had has come, as far as that is known. */
  get reached(): number {
    return this.#reached;
  }

  /** The next sequence number of the parent, when it was last heard of. */
  get announced(): number {
    return this.#announced;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#watch.cancel();
    this.#call?.abort();
  }

  fail(error: CodedError): void {
    if (this.#isClosed) return;
    this.close();
    this.#events.onFail(this, error);
  }

  /** A URL that makes no sense fails like a parent that can't be reached: later, and with words. */
  #dial(): Call | undefined {
    const { parent, request, secrets, clock, dial } = this.#options;
    const expiresAtMs = clock.now() + TOKEN_MS;
    const token = signToken(secrets, { purpose: 'relay', stream: request.stream, expiresAtMs, session: '' });
    try {
      return dial(
        relayUrl(parent, request),
        { authorization: `Bearer ${token}` },
        {
          onBytes: (bytes) => this.#read(bytes),
          onClose: (closing) => this.fail(errorOf(closing)),
        },
      );
    } catch (error) {
      this.#watch.cancel();
      this.#watch = clock.after(0, () => this.fail(errorOf({ kind: 'failed', error: error as Error })));
      return undefined;
    }
  }

  #read(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    this.#hear();
    try {
      for (const piece of this.#splitter.push(bytes)) {
        this.#take(piece);
        if (this.#isClosed) return;
      }
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      this.fail(error);
    }
  }

  #hear(): void {
    this.#heardAtMs = this.#options.clock.monotonic();
    if (!this.#isQuiet) return;
    this.#isQuiet = false;
    this.#listenIn(QUIET_MS);
    this.#events.onQuiet(this);
  }

  #take(piece: Piece): void {
    if (piece.kind === 'signal') this.#takeSignal(piece.bytes);
    else if (!this.#lineage) throw new CodedError('bad_stream', `${piece.kind} before the first heartbeat`);
    else if (piece.kind === 'init') this.#init = piece.init;
    else this.#takeChunk(piece.chunk);
  }

  #takeSignal(bytes: Uint8Array): void {
    const signal = readSignal(bytes);
    if (signal.kind === 'end') {
      this.close();
      this.#events.onEnd(this, signal.reason);
      return;
    }
    if (signal.kind === 'move') throw new CodedError('bad_signal', 'a server is told to move as viewers are');
    const { path, isFed, next } = signal;
    if (!this.#lineage) this.#listenIn(QUIET_MS);
    this.#lineage = { path, isFed };
    this.#announced = next;
    if (next <= this.#delivered) this.#reached = next;
    this.#events.onHeartbeat(this);
  }

  #takeChunk(chunk: Chunk): void {
    const init = this.#init;
    this.#init = undefined;
    this.#delivered = chunk.sequence + 1;
    this.#reached = this.#delivered;
    this.#events.onChunk(this, chunk, init);
  }

  #listenIn(delayMs: number): void {
    this.#watch.cancel();
    this.#watch = this.#options.clock.after(delayMs, () => this.#listen());
  }

  #listen(): void {
    const limitMs = this.#lineage ? SILENCE_MS : OPEN_MS;
    const silentMs = this.#options.clock.monotonic() - this.#heardAtMs;
    if (silentMs >= limitMs) {
      this.fail(new CodedError('relay_silent', `nothing was heard for ${limitMs} ms`));
      return;
    }
    const isQuiet = this.#lineage !== undefined && silentMs >= QUIET_MS;
    const nextMs = isQuiet || !this.#lineage ? limitMs : QUIET_MS;
    this.#listenIn(nextMs - silentMs);
    if (isQuiet && !this.#isQuiet) {
      this.#isQuiet = true;
      this.#events.onQuiet(this);
    }
  }
}

function errorOf(closing: Closing): CodedError {
  if (closing.kind === 'ended')
    return new CodedError('relay_broken', 'the answer ended before the stream did');
  if (closing.kind === 'failed') {
    return new CodedError('relay_broken', reasonOf(closing.error), { cause: closing.error });
  }
  const { status, text } = closing.answer;
  return new CodedError(status === 410 ? 'relay_gone' : 'relay_refused', `${status} ${detailOf(text)}`);
}

/** What a problem document says (RFC 9457), or the beginning of whatever it is. */
function detailOf(text: string): string {
  try {
    return String((JSON.parse(text) as { detail?: unknown }).detail).slice(0, 500);
  } catch {
    return text.slice(0, 500);
  }
}
