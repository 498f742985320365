// Plays LL-HLS with hls.js: near the live edge with our own chaser, or a GOP behind so that the loss of a server is not seen.

import type {
  ErrorData,
  Fragment,
  default as Hls,
  HlsConfig,
  LevelDetails,
  LoaderConfig,
  Part,
} from 'hls.js';
import type { Timer } from '../../../network/clock.ts';
import { CodedError } from '../../../network/errors.ts';
import { Percentiles } from '../meter/percentiles.ts';
import { Bitrate } from './bitrate.ts';
import type { ChaserOptions } from './chaser.ts';
import { Detour } from './detour.ts';
import { type Levels, levelName, NO_LEVELS } from './levels.ts';
import { aheadMs } from './media-buffer.ts';
import type { Ending, Playback, PlaybackOptions } from './playback.ts';
import { Pursuit } from './pursuit.ts';
import { Standstill } from './standstill.ts';

export interface HlsSetting {
  /** Begins so far behind the live edge. */
  readonly liveSyncDurationS: number;
  readonly chase: ChaserOptions;
  /** The ebb is a GOP and this much, once the length of a GOP is known; undefined: the ebb stays what `chase` says. */
  readonly beyondGopMs: number | undefined;
}

/** Parts of 200 ms come in steps, so that about 320 ms lie between the origin and the picture. */
export const LOW_LATENCY: HlsSetting = {
  liveSyncDurationS: 0.3,
  chase: { ebbMs: 120, maxEbbMs: 1500, windowMs: 1000 },
  beyondGopMs: undefined,
};

/** With a GOP in hand the player does not notice when its server has died. */
export const STEADY: HlsSetting = {
  liveSyncDurationS: 1.3,
  chase: { ebbMs: 1100, maxEbbMs: 8000, windowMs: 1000 },
  beyondGopMs: 100,
};

/** Only fetched by those who play HLS: it is larger than all of the player. */
const HLS_MODULE = '/assets/hls.min.mjs';
const PERIOD_MS = 100;
const JUMP_BEYOND_MS = 4000;
/** What hls.js says of codecs that the browser does not play. */
const UNSUPPORTED: readonly string[] = ['manifestIncompatibleCodecsError', 'bufferIncompatibleCodecsError'];
/** Usher alone says who may watch. A server that refuses does not know an address any more, as after a night asleep: there are others. */
const REFUSAL = 'manifestLoadError';
/** Time to load what was listed last, when a stream has ended. */
const PLAY_OUT_MS = 500;
/** What broadcasters are asked for, and `STEADY` is made for. */
const USUAL_GOP_S = 1;
/** Those who waited least had nothing to wait for but the way: of the last minute, the tenth that was quickest. */
const ROUND_TRIPS_MS = 60_000;
const QUICK = 0.1;
/** A GOP that differs by less moves nothing. */
const GOP_TOLERANCE_S = 0.1;

/** A server that is full. */
const SERVICE_UNAVAILABLE = 503;

/**
 * A try that times out, or that a full server refuses, is not repeated where it was: the next server is. Other errors are
 * repeated, so that a short blip is not fatal.
 */
const POLICY: { default: LoaderConfig } = {
  default: {
    maxTimeToFirstByteMs: 1500,
    maxLoadTimeMs: 10_000,
    timeoutRetry: { maxNumRetry: 0, retryDelayMs: 0, maxRetryDelayMs: 0 },
    errorRetry: {
      maxNumRetry: 2,
      retryDelayMs: 100,
      maxRetryDelayMs: 400,
      shouldRetry: (_, __, ___, answer, wouldRetry) => wouldRetry && answer?.code !== SERVICE_UNAVAILABLE,
    },
  },
};

export class HlsPlayback implements Playback {
  readonly #options: PlaybackOptions;
  readonly #setting: HlsSetting;
  readonly #pursuit: Pursuit;
  readonly #bitrate: Bitrate;
  readonly #detour = new Detour();
  readonly #standstill = new Standstill();
  readonly #roundTrips = new Percentiles(ROUND_TRIPS_MS);
  #mediaUrl: string | undefined;
  #hls: Hls | undefined;
  #isClosed = false;
  #playedOut: Timer | undefined;
  #gopS: number | undefined;
  #epochChanges = 0;
  #discontinuity: number | undefined;

  constructor(options: PlaybackOptions, setting: HlsSetting) {
    this.#options = options;
    this.#setting = setting;
    this.#bitrate = new Bitrate(options.clock);
    this.#pursuit = new Pursuit({
      ...setting.chase,
      ...options,
      periodMs: PERIOD_MS,
      jumpBeyondMs: JUMP_BEYOND_MS,
      jump: () => this.#jumpToLive(),
    });
    this.#load().catch((error: Error) => this.#end({ kind: 'failed', error }));
  }

  get bitrateKbps(): number | undefined {
    return this.#bitrate.kbps;
  }

  get mediaUrl(): string | undefined {
    return this.#mediaUrl;
  }

  get roundTripMs(): number | undefined {
    return this.#roundTrips.at(QUICK, this.#options.clock.monotonic());
  }

  get epochChanges(): number {
    return this.#epochChanges;
  }

  get levels(): Levels {
    const hls = this.#hls;
    if (!hls || hls.levels.length < 2) return NO_LEVELS;
    const names = hls.levels.map(levelName);
    const shown = hls.currentLevel < 0 ? undefined : hls.currentLevel;
    return { names, shown, wanted: hls.autoLevelEnabled ? undefined : hls.nextLevel };
  }

  /** What is buffered is played; what comes next is of the level. */
  choose(level: number | undefined): void {
    if (this.#hls) this.#hls.nextLevel = level ?? -1;
  }

  /** EXT-X-PROGRAM-DATE-TIME is the origin's clock at arrival. */
  arrivedAtMs(mediaTimeS: number): number | undefined {
    const playing = this.#hls?.playingDate?.getTime();
    return playing === undefined
      ? undefined
      : playing - (this.#options.video.currentTime - mediaTimeS) * 1000;
  }

  hold(): void {
    this.#pursuit.hold();
  }

  catchUp(): void {
    this.#pursuit.catchUp();
  }

  close(): void {
    this.#isClosed = true;
    this.#playedOut?.cancel();
    this.#pursuit.close();
    this.#hls?.destroy();
  }

  #jumpToLive(): void {
    const position = this.#hls?.liveSyncPosition;
    if (position) this.#options.video.currentTime = position;
  }

  async #load(): Promise<void> {
    const { default: HlsClass } = (await import(HLS_MODULE)) as { default: typeof Hls };
    if (this.#isClosed) return;
    const hls = new HlsClass(config(this.#setting, this.#detour));
    const { Events } = HlsClass;
    hls.on(Events.MANIFEST_LOADED, (_, { levels }) => {
      for (const { attrs, url } of levels) this.#detour.learn(attrs['PATHWAY-ID'], url);
    });
    hls.on(Events.STEERING_MANIFEST_LOADED, (_, { url, steeringManifest }) =>
      this.#detour.heed(url, steeringManifest),
    );
    hls.on(Events.ERROR, (_, data) => this.#failed(data));
    hls.on(Events.LEVEL_UPDATED, (_, { details }) => this.#learn(details));
    hls.on(Events.FRAG_LOADED, (_, { frag, part }) => this.#loaded(part ?? frag));
    hls.on(Events.FRAG_CHANGED, (_, { frag }) => this.#countEpochs(frag.cc));
    hls.on(Events.BUFFER_APPENDING, (_, { data }) => this.#appending(data.byteLength));
    hls.attachMedia(this.#options.video);
    hls.loadSource(this.#options.urls.playlist);
    this.#hls = hls;
  }

  #learn(details: LevelDetails): void {
    if (!details.live) {
      this.#playOut();
      return;
    }
    this.#learnGop(details);
    this.#mindStandstill(details.edge);
  }

  /** hls.js may take for loaded what never came into its buffer, and wait until that has left the playlist. */
  #mindStandstill(listedS: number): void {
    const { clock, video } = this.#options;
    // Before its metadata a video that is to play may be called paused.
    if (video.paused && video.readyState >= HTMLMediaElement.HAVE_METADATA) this.#standstill.forget();
    else if (this.#standstill.see(clock.monotonic(), video.currentTime, listedS))
      this.#end({ kind: 'failed', error: new CodedError('standstill', `nothing plays up to ${listedS} s`) });
  }

  #loaded({ url, stats }: Fragment | Part): void {
    const { start, first } = stats.loading;
    this.#mediaUrl = url;
    if (first > start) this.#roundTrips.add(this.#options.clock.monotonic(), first - start);
  }

  #appending(bytes: number): void {
    this.#pursuit.appending();
    this.#bitrate.add(bytes);
  }

  /** EXT-X-ENDLIST: what is buffered is played, and then there is no such stream any more. */
  #playOut(): void {
    const { clock, video } = this.#options;
    this.#playedOut ??= clock.after(aheadMs(video) + PLAY_OUT_MS, () => this.#end({ kind: 'offline' }));
  }

  /** The playlist tells how long GOPs are after hls.js has chosen where to begin: then it has to begin again. */
  #learnGop({ fragments }: LevelDetails): void {
    const { beyondGopMs, liveSyncDurationS } = this.#setting;
    const hls = this.#hls;
    if (beyondGopMs === undefined || !hls || !fragments.length) return;
    const gopS = Math.max(...fragments.map((fragment) => fragment.duration));
    const knownS = this.#gopS ?? USUAL_GOP_S;
    this.#gopS = gopS;
    if (Math.abs(gopS - knownS) < GOP_TOLERANCE_S) return;
    this.#pursuit.chaser.aim(gopS * 1000 + beyondGopMs);
    hls.targetLatency = liveSyncDurationS + gopS - USUAL_GOP_S;
    if (!this.#options.video.buffered.length) this.#beginAgain(hls);
  }

  /** Not from within its own handling of the playlist, which would go on with the old place. */
  #beginAgain(hls: Hls): void {
    this.#options.clock.after(0, () => this.#isClosed || hls.startLoad(hls.liveSyncPosition ?? -1));
  }

  #countEpochs(discontinuity: number): void {
    if (this.#discontinuity !== undefined && discontinuity !== this.#discontinuity) this.#epochChanges++;
    this.#discontinuity = discontinuity;
  }

  #failed(data: ErrorData): void {
    const status = data.response?.code;
    const error = new CodedError(data.details, `${data.details}: ${status ?? data.error.message}`);
    if (!data.fatal) this.#options.onTrouble(error);
    else if (UNSUPPORTED.includes(data.details))
      this.#end({ kind: 'unsupported', reason: data.error.message });
    else if (status === 404) this.#end({ kind: 'offline' });
    else if (status === SERVICE_UNAVAILABLE) this.#end({ kind: 'full' });
    else if (data.details === REFUSAL && (status === 401 || status === 403))
      this.#end({ kind: 'refused', reason: `${status}` });
    else this.#end({ kind: 'failed', error });
  }

  #end(ending: Ending): void {
    if (!this.#isClosed) this.#options.onEnd(ending);
  }
}

function config({ liveSyncDurationS }: HlsSetting, detour: Detour): Partial<HlsConfig> {
  return {
    xhrSetup: (xhr, url) => {
      const other = detour.urlFor(url);
      if (other !== url) xhr.open('GET', other, true);
    },
    lowLatencyMode: true,
    liveSyncDuration: liveSyncDurationS,
    liveSyncOnStallIncrease: 0.2,
    maxLiveSyncPlaybackRate: 1,
    // A removal while a part is being appended makes hls.js 1.7.4 forget that part, and stop until its segment has left the
    // playlist. Browsers drop what is far behind the playhead by themselves.
    backBufferLength: Number.POSITIVE_INFINITY,
    enableWorker: false,
    manifestLoadPolicy: POLICY,
    playlistLoadPolicy: POLICY,
    fragLoadPolicy: POLICY,
  };
}
