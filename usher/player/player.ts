// Plays one stream in one <video>: opens the playback of a mode, waits for streams that are away, measures, and says so.

import type { Clock, Timer } from '../../network/clock.ts';
import { reasonOf } from '../../network/errors.ts';
import { BackOff } from './back-off.ts';
import type { Chance } from './clock.ts';
import { Meter } from './meter/meter.ts';
import { ServerClock } from './meter/server-clock.ts';
import { NO_LEVELS } from './playback/levels.ts';
import { aheadMs } from './playback/media-buffer.ts';
import { type Mode, openPlayback, supportedModes } from './playback/modes.ts';
import { type Ending, type Playback, type StreamUrls, streamUrls } from './playback/playback.ts';
import { postJson, Quality } from './quality.ts';
import { MAX_ERRORS, type PlayerState, type PlayerStatus } from './status.ts';
import { describeStream, readClock, type StreamInfo } from './usher.ts';

export interface PlayerOptions {
  readonly video: HTMLVideoElement;
  /** Of usher. */
  readonly origin: string;
  readonly stream: string;
  readonly token: string | null;
  readonly mode: Mode;
  /** Whether it plays at once; otherwise it waits to be asked. */
  readonly autoplay: boolean;
  readonly clock: Clock;
  readonly chance: Chance;
  /** Called before the video loses its picture. */
  readonly onLeave: () => void;
}

const OFFLINE_RETRY = { firstMs: 1000, capMs: 5000 };
const FAILURE_RETRY = { firstMs: 300, capMs: 5000 };
const INFO_PERIOD_MS = 3000;
const CLOCK_PERIOD_MS = 30_000;
/** A playback that has run so long had no lasting trouble. */
const SOUND_MS = 10_000;
/** No mode leaves so much between the origin and the picture. */
const BEHIND_MS = 10_000;
/** What is nearer to the live edge is at it. */
const EDGE_S = 1.5;
/** A seek stays so far inside of what is buffered. */
const INSIDE_S = 0.1;

export class Player {
  readonly #options: PlayerOptions;
  readonly #urls: StreamUrls;
  readonly #meter: Meter;
  readonly #serverClock = new ServerClock();
  readonly #offlineRetry: BackOff;
  readonly #failureRetry: BackOff;
  readonly #quality: Quality;
  readonly #stop = new AbortController();
  readonly #errors: string[] = [];
  #mode: Mode;
  #playback: Playback | undefined;
  #openedAtMs = 0;
  #retry: Timer | undefined;
  #info: StreamInfo | undefined;
  #epochChanges = 0;
  /** What the player waits for; undefined while a playback is open. */
  #idle: { readonly state: PlayerState; readonly detail: string } | undefined;
  #isBlocked = false;
  #isHeld = false;
  #lastLiveAtMs: number | undefined;

  constructor(options: PlayerOptions) {
    const { video, clock, chance } = options;
    this.#options = options;
    this.#mode = options.mode;
    this.#urls = streamUrls(options.origin, options.stream, options.token);
    this.#offlineRetry = new BackOff(OFFLINE_RETRY, chance);
    this.#failureRetry = new BackOff(FAILURE_RETRY, chance);
    this.#meter = new Meter(video, clock, this.#serverClock);
    this.#quality = new Quality({
      origin: options.origin,
      stream: options.stream,
      clock,
      state: () => this.#state(),
      playback: () => this.#playback,
      stalledMs: () => this.#meter.stalls.totalMs(clock.monotonic()),
      firstFrameAtMs: () => this.#meter.firstFrameAtMs,
      post: postJson,
    });
    this.#listen();
    if (options.autoplay) this.#open();
    else this.#rest({ state: 'ready', detail: '' });
  }

  get status(): PlayerStatus {
    const { video, stream, clock } = this.#options;
    const rendition = this.#info?.renditions[0];
    return {
      stream,
      mode: this.#mode,
      state: this.#state(),
      detail: this.#idle?.detail ?? '',
      latencyMs: rounded(this.#meter.latencyMs),
      latencyP95Ms: rounded(this.#meter.latencyP95Ms),
      bufferMs: Math.round(aheadMs(video)),
      isBehind: this.#isBehind,
      stalls: this.#meter.stalls.count,
      stalledMs: Math.round(this.#meter.stalls.totalMs(clock.monotonic())),
      framesShown: this.#meter.framesShown,
      epochChanges: this.#epochChanges + (this.#playback?.epochChanges ?? 0),
      width: video.videoWidth,
      height: video.videoHeight,
      frameRate: rendition?.frameRate,
      bitrateKbps: this.#playback?.bitrateKbps ?? rendition?.bitrateKbps,
      playbackRate: video.playbackRate,
      levels: this.#playback?.levels ?? NO_LEVELS,
      viewers: this.#info?.viewers,
      startedAtMs: this.#info && Date.parse(this.#info.startedAt),
      lastLiveAtMs: this.#lastLiveAtMs,
      thumbnail: this.#info?.thumbnail ?? undefined,
      errors: [...this.#errors],
    };
  }

  /** Goes on in another mode, from the live edge. */
  change(mode: Mode): void {
    this.#mode = mode;
    this.#open();
  }

  /** Plays one level of those in its status, or as the network allows. */
  choose(level: number | undefined): void {
    this.#playback?.choose(level);
  }

  /** A paused live stream costs nothing: nothing is held or fetched. */
  pause(): void {
    this.#rest({ state: 'paused', detail: '' });
  }

  /** Plays from the live edge; to be called from a click where the browser wants one. */
  play(): void {
    this.#open();
  }

  /** Goes back, or forth, within what is buffered; back to the live edge where that is near. */
  seekBy(seconds: number): void {
    const { video } = this.#options;
    const range = rangeAround(video);
    if (!this.#playback || !range) return;
    const targetS = Math.max(video.currentTime + seconds, range.start + INSIDE_S);
    if (range.end - targetS < EDGE_S) {
      this.toLive();
      return;
    }
    this.#isHeld = true;
    this.#playback.hold();
    video.currentTime = targetS;
  }

  /** Goes to the live edge. */
  toLive(): void {
    this.#isHeld = false;
    this.#playback?.catchUp();
  }

  close(): void {
    this.#stop.abort();
    this.#rest({ state: 'paused', detail: '' });
    this.#meter.close();
    this.#quality.close();
  }

  #listen(): void {
    const { video, clock } = this.#options;
    const { signal } = this.#stop;
    const document = video.ownerDocument;
    const timers = [
      clock.every(INFO_PERIOD_MS, () => this.#playback && this.#refreshInfo()),
      clock.every(CLOCK_PERIOD_MS, () => this.#refreshClock()),
    ];
    signal.addEventListener('abort', () => {
      for (const timer of timers) timer.cancel();
    });
    const shown = (): void => {
      if (!document.hidden && !this.#isHeld) this.#playback?.catchUp();
    };
    document.addEventListener('visibilitychange', shown, { signal });
    // Browsers forget that they were to play when the video gets another source.
    video.addEventListener('loadedmetadata', () => this.#playback && this.#startVideo(), { signal });
    // A picture that stands still may mean that the broadcaster has gone.
    video.addEventListener('waiting', () => this.#refreshInfo(), { signal });
    this.#refreshInfo();
    this.#refreshClock();
  }

  #open(): void {
    this.#rest(undefined);
    if (!supportedModes(this.#options.video).includes(this.#mode)) {
      this.#rest({ state: 'unsupported', detail: `it has nothing to play the mode '${this.#mode}' with` });
      return;
    }
    const { video, clock, chance } = this.#options;
    const playback: Playback = openPlayback(this.#mode, {
      video,
      urls: this.#urls,
      clock,
      chance,
      onTrouble: (error) => this.#note(error),
      onEnd: (ending) => this.#playback === playback && this.#ended(ending),
    });
    this.#playback = playback;
    this.#openedAtMs = clock.monotonic();
    this.#meter.follow(playback);
    this.#startVideo();
  }

  /** Closes what is open and waits, for `idle` or for the next call. */
  #rest(idle: { readonly state: PlayerState; readonly detail: string } | undefined): void {
    this.#idle = idle;
    this.#isHeld = false;
    this.#retry?.cancel();
    this.#epochChanges += this.#playback?.epochChanges ?? 0;
    if (this.#playback) this.#options.onLeave();
    this.#playback?.close();
    this.#playback = undefined;
    this.#meter.follow(undefined);
  }

  /** Where the browser wants a click before it plays sound, it plays without. */
  #startVideo(): void {
    const { video } = this.#options;
    video.play().then(
      () => {
        this.#isBlocked = false;
      },
      (error: DOMException) => {
        const isRefused = error.name === 'NotAllowedError';
        this.#isBlocked = isRefused && video.muted;
        if (!isRefused || video.muted) return;
        video.muted = true;
        this.#startVideo();
      },
    );
  }

  #ended(ending: Ending): void {
    const { clock } = this.#options;
    if (ending.kind === 'refused' || ending.kind === 'unsupported') {
      this.#rest({ state: ending.kind, detail: ending.reason });
      return;
    }
    if (ending.kind === 'full') {
      this.#rest({ state: 'full', detail: '' });
      this.#retry = clock.after(this.#failureRetry.next(), () => this.#openWhenThere());
      return;
    }
    if (ending.kind === 'failed') this.#note(ending.error);
    if (clock.monotonic() - this.#openedAtMs > SOUND_MS) this.#failureRetry.reset();
    this.#rest({ state: 'loading', detail: '' });
    this.#retry = clock.after(this.#failureRetry.next(), () => this.#openWhenThere());
  }

  /** Usher knows whether the stream has ended, or only our playback of it. */
  async #openWhenThere(): Promise<void> {
    const resting = this.#idle;
    const hasAnswered = await this.#refreshInfo();
    if (this.#idle !== resting) return;
    if (hasAnswered && this.#info) {
      this.#offlineRetry.reset();
      this.#open();
      return;
    }
    this.#rest({ state: hasAnswered ? 'offline' : 'unreachable', detail: '' });
    this.#retry = this.#options.clock.after(this.#offlineRetry.next(), () => this.#openWhenThere());
  }

  /** Whether usher has answered. */
  async #refreshInfo(): Promise<boolean> {
    try {
      this.#info = await describeStream(this.#urls.info);
      if (this.#info?.live) this.#lastLiveAtMs = this.#options.clock.now();
      return true;
    } catch (error) {
      this.#note(error);
      return false;
    }
  }

  #refreshClock(): void {
    const { origin, clock } = this.#options;
    readClock(origin, clock, this.#serverClock).catch((error: unknown) => this.#note(error));
  }

  get #isBehind(): boolean {
    return this.#isHeld || (this.#meter.latencyMs ?? 0) > BEHIND_MS;
  }

  #state(): PlayerState {
    if (this.#idle) return this.#idle.state;
    if (this.#isBlocked) return 'blocked';
    if (this.#meter.framesShown === 0) return this.#info?.live === false ? 'away' : 'loading';
    if (!this.#meter.stalls.isWaiting) return 'playing';
    return this.#info?.live === false ? 'away' : 'stalled';
  }

  #note(error: unknown): void {
    this.#errors.push(reasonOf(error));
    if (this.#errors.length > MAX_ERRORS) this.#errors.shift();
  }
}

function rounded(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.round(value);
}

/** What can be gone to from where the playhead is. */
function rangeAround({
  buffered,
  currentTime,
}: HTMLVideoElement): { start: number; end: number } | undefined {
  for (let index = 0; index < buffered.length; index++) {
    const [start, end] = [buffered.start(index), buffered.end(index)];
    if (start <= currentTime && currentTime <= end) return { start, end };
  }
  return undefined;
}
