// When the frames that are about to be shown had arrived at the origin: what latency is measured against. Pure.

import { needBox, viewOf } from '../../../network/media/boxes.ts';
import type { Chunk } from '../../../network/media/chunk.ts';

interface Arrival {
  readonly mediaTimeS: number;
  readonly arrivedAtMs: number;
}

/** 17 s of 60 frames a second: more than a player near the live edge has ahead and behind. */
const MAX_ARRIVALS = 1024;
/** A frame that is farther from the time asked for is not the one shown. */
const TOLERANCE_S = 0.5;

/** The presentation time of a chunk's frame: decode time plus composition offset (ISO/IEC 14496-12 8.8.8). */
export function presentationTimeS(chunk: Chunk, timescale: number): number {
  const view = viewOf(chunk.bytes);
  const trun = needBox(view, ['moof', 'traf', 'trun']);
  const compositionOffset = view.getInt32(trun.body + 24);
  return (chunk.decodeTime + compositionOffset) / timescale;
}

export class Arrivals {
  /** By media time; frames come in decode order, so a new one belongs near the end. */
  readonly #arrivals: Arrival[] = [];

  add(mediaTimeS: number, arrivedAtMs: number): void {
    const after = this.#arrivals.findLastIndex((arrival) => arrival.mediaTimeS <= mediaTimeS);
    this.#arrivals.splice(after + 1, 0, { mediaTimeS, arrivedAtMs });
    if (this.#arrivals.length > MAX_ARRIVALS) this.#arrivals.shift();
  }

  /** When the frame with the nearest media time had arrived, or undefined when none is near. */
  at(mediaTimeS: number): number | undefined {
    const after = this.#firstFrom(mediaTimeS);
    const distance = (arrival: Arrival | undefined): number =>
      arrival ? Math.abs(arrival.mediaTimeS - mediaTimeS) : Number.POSITIVE_INFINITY;
    const [earlier, later] = [this.#arrivals[after - 1], this.#arrivals[after]];
    const nearest = distance(earlier) < distance(later) ? earlier : later;
    return nearest && distance(nearest) <= TOLERANCE_S ? nearest.arrivedAtMs : undefined;
  }

  #firstFrom(mediaTimeS: number): number {
    let low = 0;
    for (let high = this.#arrivals.length; low < high; ) {
      const middle = (low + high) >>> 1;
      if (this.#arrivals[middle]!.mediaTimeS < mediaTimeS) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
