// Tells usher how well it plays, so that viewers of the same network are sent where it plays best.

import type { Clock, Timer } from '../../network/clock.ts';
import type { Playback } from './playback/playback.ts';
import type { PlayerState } from './status.ts';

export interface QualityOptions {
  /** Of usher. */
  readonly origin: string;
  readonly stream: string;
  readonly clock: Clock;
  readonly state: () => PlayerState;
  readonly playback: () => Playback | undefined;
  /** Time stood still since the page was opened. */
  readonly stalledMs: () => number;
  /** When the first frame of all was shown, by the clock; undefined before it is. */
  readonly firstFrameAtMs: () => number | undefined;
  /** Posts JSON, and does not care what becomes of it. */
  readonly post: (url: string, value: unknown) => void;
}

export interface QualityFigures {
  readonly playedMs: number;
  readonly stalledMs: number;
  readonly rttMs?: number;
  /** Of the first report alone. */
  readonly startupMs?: number;
}

const SAMPLE_MS = 1_000;
const REPORT_MS = 30_000;
/** `/play/<expiry>.<session>.<signature>/<stream>/`: a CDN's addresses have no session, and nobody has to know of it. */
const SESSION_TOKEN = /\/play\/([0-9a-z]+\.[\w-]+\.[\w-]+)\//;

export class Quality {
  readonly #options: QualityOptions;
  readonly #timers: readonly Timer[];
  readonly #openedAtMs: number;
  #sampledAtMs: number;
  #playedMs = 0;
  #reportedStalledMs: number;
  #isStartupReported = false;

  constructor(options: QualityOptions) {
    const { clock } = options;
    this.#options = options;
    this.#openedAtMs = clock.monotonic();
    this.#sampledAtMs = this.#openedAtMs;
    this.#reportedStalledMs = options.stalledMs();
    this.#timers = [
      clock.every(SAMPLE_MS, () => this.#sample()),
      clock.every(REPORT_MS, () => this.#report()),
    ];
  }

  close(): void {
    for (const timer of this.#timers) timer.cancel();
  }

  #sample(): void {
    const { clock, state } = this.#options;
    const nowMs = clock.monotonic();
    if (state() === 'playing') this.#playedMs += nowMs - this.#sampledAtMs;
    this.#sampledAtMs = nowMs;
  }

  #report(): void {
    const { origin, stream, playback, stalledMs, post } = this.#options;
    const { mediaUrl, roundTripMs } = playback() ?? {};
    const token = SESSION_TOKEN.exec(mediaUrl ?? '')?.[1];
    const stoodStillMs = stalledMs() - this.#reportedStalledMs;
    const figures: QualityFigures = {
      playedMs: Math.round(this.#playedMs),
      stalledMs: Math.round(stoodStillMs),
      ...(roundTripMs === undefined ? {} : { rttMs: Math.round(roundTripMs) }),
      ...this.#startup(),
    };
    this.#playedMs = 0;
    this.#reportedStalledMs += stoodStillMs;
    if (token === undefined || figures.playedMs + figures.stalledMs === 0) return;
    this.#isStartupReported ||= figures.startupMs !== undefined;
    post(new URL(`/api/quality?${new URLSearchParams({ stream, token })}`, origin).href, figures);
  }

  #startup(): Pick<QualityFigures, 'startupMs'> {
    const atMs = this.#options.firstFrameAtMs();
    if (this.#isStartupReported || atMs === undefined) return {};
    return { startupMs: Math.max(0, Math.round(atMs - this.#openedAtMs)) };
  }
}

/** The answer is of no interest, and usher may not be there. */
export function postJson(url: string, value: unknown): void {
  const headers = { 'Content-Type': 'application/json' };
  fetch(url, { method: 'POST', headers, body: JSON.stringify(value), keepalive: true }).catch(() => {});
}
