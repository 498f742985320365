// What a server has committed itself to send, by bitrate: its viewers and the servers that follow it. The guard of its egress.

import type { Clock } from '../clock.ts';
import type { Bearing } from './bearing.ts';

export interface CommitmentsOptions {
  readonly egressMbps: number;
  /** What it can bear, where that may be less: then no further viewers are taken, and servers as before. */
  readonly bearing?: Pick<Bearing, 'mbps' | 'isCpuBound'>;
  readonly clock: Clock;
  /** The average of a rendition that is here; 0 while it is not known. */
  readonly bitrateMbps: (stream: string, rendition: string) => number;
  /** All renditions together of the stream that takes most of those that are here; 0 when none is. */
  readonly heaviestMbps: () => number;
}

export interface Use {
  readonly stream: string;
  readonly rendition: string;
  /** A cache and a server feed many others: they may take the reserve, and viewers may not. */
  readonly by: 'viewer' | 'cache' | 'server';
  /** The name of the uplink that it goes over, '' when it is not known; undefined for a server. */
  readonly uplink: string | undefined;
}

export interface Commitment {
  /** Goes on with another rendition, for which there is room in any case. */
  move(rendition: string): void;
  /** May be called any number of times. */
  end(): void;
}

/** Everybody who uses one rendition; those who may take the reserve are counted apart. */
interface Line {
  readonly stream: string;
  readonly rendition: string;
  mbps: number;
  ratedAtMs: number;
  viewers: number;
  feeders: number;
  /** Of the feeders those that are caches. */
  caches: number;
  readonly byUplink: Map<string, number>;
}

/** Bitrates are looked at so often, for all at once, and each is measured anew when it is so old. */
const RATE_MS = 1_000;
const RATE_AGE_MS = 5_000;
/** Of its egress that a server keeps for caches and servers at most; and what it keeps while it has no stream to go by. */
const MAX_RESERVE = 0.1;
const USUAL_MBPS = 6;

/**
 * Viewers may take all but a reserve: one copy of the heaviest stream that is here. Without it a server full of viewers could feed
 * nobody who would take viewers off it. What is unused of the reserve counts as committed, from the beginning, so that usher
 * does not promise it to anybody.
 */
export class Commitments {
  readonly #options: CommitmentsOptions;
  /** Bounded by those who use them. */
  readonly #lines = new Map<string, Line>();
  #viewersMbps = 0;
  #feedersMbps = 0;
  #reserveMbps = 0;
  #ratedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: CommitmentsOptions) {
    this.#options = options;
  }

  get mbps(): number {
    this.#rateInTime();
    return this.#viewersMbps + Math.max(this.#feedersMbps, this.#reserveMbps);
  }

  /** Without what is kept in reserve. */
  get usedMbps(): number {
    return this.#viewersMbps + this.#feedersMbps;
  }

  /** What there is none left of when somebody is not taken. */
  get limit(): 'egress' | 'cpu' {
    return this.#options.bearing?.isCpuBound ? 'cpu' : 'egress';
  }

  /** Of viewers and caches, by the names of uplinks. */
  get uplinks(): Readonly<Record<string, number>> {
    this.#rateInTime();
    const mbps: Record<string, number> = {};
    for (const line of this.#lines.values())
      for (const [uplink, count] of line.byUplink) mbps[uplink] = (mbps[uplink] ?? 0) + count * line.mbps;
    return mbps;
  }

  /** Whether some cache takes the rendition. */
  isPulled(stream: string, rendition: string): boolean {
    return (this.#lines.get(`${stream}/${rendition}`)?.caches ?? 0) > 0;
  }

  /** Undefined when there is no room. */
  take(use: Use): Commitment | undefined {
    this.#rateInTime();
    const line = this.#lineOf(use.stream, use.rendition);
    if (!this.#hasRoom(use.by, line.mbps)) {
      this.#forgetIfUnused(line);
      return undefined;
    }
    return this.#commit(use, line);
  }

  #hasRoom(by: Use['by'], mbps: number): boolean {
    const { egressMbps, bearing } = this.#options;
    if (by !== 'viewer') return this.usedMbps + mbps <= egressMbps;
    return this.mbps + mbps <= Math.min(egressMbps, bearing?.mbps ?? egressMbps);
  }

  #commit({ stream, by, uplink }: Use, first: Line): Commitment {
    let line: Line | undefined = first;
    this.#count(line, by, uplink, 1);
    return {
      move: (rendition) => {
        if (!line) return;
        this.#count(line, by, uplink, -1);
        line = this.#lineOf(stream, rendition);
        this.#count(line, by, uplink, 1);
      },
      end: () => {
        if (line) this.#count(line, by, uplink, -1);
        line = undefined;
      },
    };
  }

  #count(line: Line, by: Use['by'], uplink: string | undefined, change: 1 | -1): void {
    if (by === 'viewer') line.viewers += change;
    else line.feeders += change;
    if (by === 'cache') line.caches += change;
    if (by === 'viewer') this.#viewersMbps += change * line.mbps;
    else this.#feedersMbps += change * line.mbps;
    if (uplink !== undefined) {
      const count = (line.byUplink.get(uplink) ?? 0) + change;
      if (count > 0) line.byUplink.set(uplink, count);
      else line.byUplink.delete(uplink);
    }
    this.#forgetIfUnused(line);
  }

  #lineOf(stream: string, rendition: string): Line {
    const key = `${stream}/${rendition}`;
    const known = this.#lines.get(key);
    if (known) return known;
    const line: Line = {
      stream,
      rendition,
      mbps: 0,
      ratedAtMs: Number.NEGATIVE_INFINITY,
      viewers: 0,
      feeders: 0,
      caches: 0,
      byUplink: new Map(),
    };
    this.#lines.set(key, line);
    this.#rate();
    return line;
  }

  #forgetIfUnused(line: Line): void {
    const key = `${line.stream}/${line.rendition}`;
    if (line.viewers + line.feeders === 0 && this.#lines.get(key) === line) this.#lines.delete(key);
  }

  #rateInTime(): void {
    if (this.#options.clock.monotonic() - this.#ratedAtMs >= RATE_MS) this.#rate();
  }

  /** Adds up anew, so that nothing is left over from sums and differences of many. */
  #rate(): void {
    this.#ratedAtMs = this.#options.clock.monotonic();
    this.#viewersMbps = 0;
    this.#feedersMbps = 0;
    for (const line of this.#lines.values()) {
      this.#measure(line);
      this.#viewersMbps += line.viewers * line.mbps;
      this.#feedersMbps += line.feeders * line.mbps;
    }
    const { egressMbps, heaviestMbps } = this.#options;
    this.#reserveMbps = Math.min(heaviestMbps() || USUAL_MBPS, egressMbps * MAX_RESERVE);
  }

  #measure(line: Line): void {
    if (line.mbps > 0 && this.#ratedAtMs - line.ratedAtMs < RATE_AGE_MS) return;
    line.mbps = this.#options.bitrateMbps(line.stream, line.rendition) || line.mbps;
    line.ratedAtMs = this.#ratedAtMs;
  }
}
