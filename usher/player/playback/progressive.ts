// Plays the endless response of chunks: resumes by sequence number, jumps over holes, stays a tenth of a second behind.

import { CodedError } from '../../../network/errors.ts';
import type { Chunk } from '../../../network/media/chunk.ts';
import type { Init, Track } from '../../../network/media/init.ts';
import type { Piece } from '../../../network/media/splitter.ts';
import { BackOff } from '../back-off.ts';
import { Arrivals, presentationTimeS } from '../meter/arrivals.ts';
import { Bitrate } from './bitrate.ts';
import { type Connection, type ConnectionEnding, connect, FULL } from './connection.ts';
import { Handover, isMove } from './handover.ts';
import { NO_LEVELS } from './levels.ts';
import { aheadMs, MediaBuffer, newestRange } from './media-buffer.ts';
import type { Ending, Playback, PlaybackOptions } from './playback.ts';
import { Pursuit } from './pursuit.ts';

/** Chromium plays on without a stop from 100 ms ahead; with 50 ms it does not. */
const CHASE = { ebbMs: 100, maxEbbMs: 1000, windowMs: 500, periodMs: 50, jumpBeyondMs: 2000 };
/** A playhead with less than this ahead and a later range in the buffer stands before a hole. */
const STRANDED_MS = 100;
const INTO_RANGE_S = 0.01;
/** A connection without a new chunk for so long is given up; patience grows while a broadcaster is silent. */
const SILENCE = { firstMs: 4000, capMs: 20_000 };
const RETRY = { firstMs: 100, capMs: 5000 };
/** Those who are told to move by a server do so within this time, and those it failed for are told again after it. */
const MOVE_WITHIN_MS = 3000;
/** What has to stay in hand when a server is changed. */
const MOVE_RESERVE_MS = 50;
/** Broken connections without a new chunk after which the player begins anew. */
const MAX_FAILURES = 6;

export class ProgressivePlayback implements Playback {
  /** One endless response says nothing of the way there and back. */
  readonly roundTripMs = undefined;
  readonly #options: PlaybackOptions;
  readonly #buffer: MediaBuffer;
  readonly #pursuit: Pursuit;
  readonly #arrivals = new Arrivals();
  readonly #bitrate: Bitrate;
  readonly #patience: BackOff;
  readonly #retry: BackOff;
  readonly #stop = new AbortController();
  #connection: Connection | undefined;
  #handover: Handover | undefined;
  #init: Init | undefined;
  #last: Chunk | undefined;
  #failures = 0;
  #epochChanges = 0;

  constructor(options: PlaybackOptions) {
    this.#options = options;
    this.#bitrate = new Bitrate(options.clock);
    this.#patience = new BackOff(SILENCE, options.chance);
    this.#retry = new BackOff(RETRY, options.chance);
    this.#buffer = new MediaBuffer({
      video: options.video,
      onBeforeAppend: () => this.#pursuit.appending(),
      onAppended: () => this.#leaveHole(),
      onFault: (error) => this.#fail(error),
    });
    this.#pursuit = new Pursuit({ ...CHASE, ...options, jump: () => this.#jumpToLive() });
    this.#open();
  }

  get bitrateKbps(): number | undefined {
    return this.#bitrate.kbps;
  }

  get mediaUrl(): string | undefined {
    return this.#connection?.url;
  }

  readonly levels = NO_LEVELS;

  get epochChanges(): number {
    return this.#epochChanges;
  }

  arrivedAtMs(mediaTimeS: number): number | undefined {
    return this.#arrivals.at(mediaTimeS);
  }

  /** There is one rendition. */
  choose(): void {}

  hold(): void {
    this.#pursuit.hold();
  }

  catchUp(): void {
    this.#pursuit.catchUp();
  }

  close(): void {
    this.#stop.abort();
    this.#handover?.close();
    this.#connection?.close();
    this.#pursuit.close();
    this.#buffer.close();
  }

  #open(): void {
    const { urls, clock } = this.#options;
    this.#connection = connect({
      url: urls.progressive(this.#last && this.#last.sequence + 1),
      clock,
      silenceMs: this.#patience.next(),
      onPiece: (piece) => this.#take(piece),
      onEnd: (ending) => this.#ended(ending),
    });
  }

  /** Returns whether the piece was news. */
  #take(piece: Piece): boolean {
    if (piece.kind === 'chunk') return this.#takeChunk(piece.chunk);
    if (piece.kind === 'init') this.#takeInit(piece.init);
    else if (isMove(piece.bytes)) this.#move();
    return false;
  }

  /** The server is being emptied: usher knows another one. */
  #move(): void {
    const { urls, video, clock, chance } = this.#options;
    if (this.#handover || !this.#last) return;
    const { chaser } = this.#pursuit;
    this.#handover = new Handover({
      url: () => urls.progressive(this.#last!.sequence + 1),
      clock,
      delayMs: chance() * MOVE_WITHIN_MS,
      silenceMs: SILENCE.firstMs,
      newest: () => this.#last!,
      bearableMs: () => aheadMs(video) - MOVE_RESERVE_MS,
      onLag: (lagMs) => chaser.aim(CHASE.ebbMs + lagMs),
      onOver: (connection) => {
        this.#connection?.close();
        this.#connection = connection;
        this.#stay();
      },
      onPiece: (piece) => this.#take(piece),
      onEnd: (ending) => this.#ended(ending),
      onGiveUp: () => this.#stay(),
    });
  }

  #stay(): void {
    this.#handover?.close();
    this.#handover = undefined;
    this.#pursuit.chaser.aim(CHASE.ebbMs);
  }

  #takeInit(init: Init): void {
    this.#init = init;
    this.#buffer.appendInit(init);
  }

  #takeChunk(chunk: Chunk): boolean {
    const track = this.#init?.tracks.find(({ id }) => id === chunk.trackId);
    if (!track || !this.#init)
      throw new CodedError('bad_stream', `a chunk of track ${chunk.trackId} without init`);
    if (this.#isOld(chunk)) return false;
    if (this.#last && chunk.epoch !== this.#last.epoch) this.#epochChanges++;
    this.#last = chunk;
    this.#failures = 0;
    this.#retry.reset();
    this.#patience.reset();
    this.#bitrate.add(chunk.bytes.length);
    this.#append(chunk, track, track === this.#init.lead);
    return true;
  }

  /** Sequence numbers go up across epochs; one that goes back with a newer epoch is of another feed. */
  #isOld(chunk: Chunk): boolean {
    if (!this.#last || chunk.sequence > this.#last.sequence) return false;
    if (chunk.epoch <= this.#last.epoch) return true;
    throw new CodedError(
      'another_feed',
      `chunk ${chunk.sequence} of a new feed after ${this.#last.sequence}`,
    );
  }

  #append(chunk: Chunk, track: Track, isLead: boolean): void {
    const timeS = presentationTimeS(chunk, track.timescale);
    if (isLead) this.#arrivals.add(timeS, chunk.arrivedAtMs);
    this.#buffer.append(chunk.bytes, chunk.startsSegment && chunk.keyframe ? timeS : undefined);
  }

  /** At the beginning, and where the broadcaster was away or the server has left something out. */
  #leaveHole(): void {
    const { video } = this.#options;
    const range = newestRange(video);
    const isHungry = video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA && aheadMs(video) < STRANDED_MS;
    if (range && isHungry && !video.seeking && range.start > video.currentTime) this.#jumpToLive();
  }

  #jumpToLive(): void {
    const range = newestRange(this.#options.video);
    if (!range) return;
    const wantedS = range.end - this.#pursuit.chaser.ebbMs / 1000;
    this.#options.video.currentTime = Math.max(wantedS, range.start + INTO_RANGE_S);
  }

  #ended(ending: ConnectionEnding): void {
    this.#stay();
    const { clock, onEnd, onTrouble } = this.#options;
    if (ending.kind === 'offline' || ending.kind === 'refused') {
      onEnd(ending);
      return;
    }
    if (ending.kind === 'broken') onTrouble(ending.error);
    if (ending.kind !== 'silent') this.#failures++;
    const isHopeless =
      ending.kind === 'broken' && ending.error instanceof CodedError && ending.error.code !== FULL;
    if (isHopeless || this.#failures > MAX_FAILURES) this.#fail(ending.error);
    else clock.after(this.#retry.next(), () => this.#stop.signal.aborted || this.#open());
  }

  #fail(error: Error): void {
    this.#options.onEnd(endingOf(error));
  }
}

function endingOf(error: Error): Ending {
  const code = error instanceof CodedError ? error.code : undefined;
  if (code === 'unsupported_codec') return { kind: 'unsupported', reason: error.message };
  return code === FULL ? { kind: 'full' } : { kind: 'failed', error };
}
