// Turns RTMP timestamps, which wrap, jump and start anywhere, into one line of media time for both tracks. Pure.

export type TrackKind = 'video' | 'audio';

/** A timestamp further than this from the newest of either track is a jump: no encoder leaves out or interleaves that much. */
const JUMP_MS = 3_000;
/** Within a track time does not go back, but for rounding and jitter; by more than this it is a jump too. */
const JUMP_BACK_MS = 250;
/** After a jump a track may go on at its last step only this far behind the other; it would be out of step for good. */
const INTERLEAVE_MS = 250;
/** For so long after one track's jump the other may still send frames from before it. */
const STRAGGLE_MS = 1_000;
const DEFAULT_STEP_MS = 33;
const MAX_STEP_MS = 200;

interface TrackTime {
  /** What is added to a timestamp, modulo 2^32, to make it media time. */
  offsetMs: number;
  lastMs: number;
  stepMs: number;
}

/**
 * Media time goes on through a jump as if nothing had happened: the frame follows its track's last one, and the other track
 * is moved by the same amount once its timestamps jump as well, or a second later. So the two keep their distance, and
 * frames of one track that were sent before its jump but after the other's are not mistaken for another one.
 */
export class Timeline {
  readonly #tracks = new Map<TrackKind, TrackTime>();
  #newestMs = 0;
  /** What the last jump made, and what was before it. */
  #offsetMs: number | undefined;
  #formerMs: number | undefined;
  #jumpedAtMs = 0;

  /** Media time in ms of a frame, or undefined, and nothing noted, when that would be beyond `limitMs`. */
  place(kind: TrackKind, timestampMs: number, limitMs = Number.POSITIVE_INFINITY): number | undefined {
    this.#offsetMs ??= -timestampMs;
    const track = this.#tracks.get(kind);
    const offsetMs = this.#offsetFor(track, timestampMs);
    const mediaMs = offsetMs === undefined ? this.#expected(track) : this.#at(timestampMs, offsetMs);
    if (mediaMs > limitMs) return undefined;
    if (offsetMs === undefined) this.#jump(mediaMs - timestampMs, mediaMs);
    else if (offsetMs === this.#formerMs && track?.offsetMs === this.#offsetMs) this.#offsetMs = offsetMs;
    this.#note(kind, track, mediaMs, offsetMs ?? this.#offsetMs);
    return mediaMs;
  }

  /**
   * While a jump is young, whichever offset carries the track on: its own for stragglers, the other track's if it jumped too,
   * the former one if the jump was a single stray timestamp. Later both go by the last jump, where that is possible.
   */
  #offsetFor(track: TrackTime | undefined, timestampMs: number): number | undefined {
    const own = track?.offsetMs ?? this.#offsetMs!;
    const fits = (offsetMs: number): boolean => this.#fits(track, this.#at(timestampMs, offsetMs));
    if (this.#newestMs > this.#jumpedAtMs + STRAGGLE_MS) return [this.#offsetMs!, own].find(fits);
    const distanceMs = (offsetMs: number): number =>
      Math.abs(this.#at(timestampMs, offsetMs) - this.#expected(track));
    const offsets = [own, this.#offsetMs!, this.#formerMs ?? own].filter(fits);
    return offsets.sort((one, other) => distanceMs(one) - distanceMs(other))[0];
  }

  #jump(offsetMs: number, mediaMs: number): void {
    this.#formerMs = this.#offsetMs;
    this.#offsetMs = offsetMs;
    this.#jumpedAtMs = mediaMs;
  }

  /** The difference to the newest time is taken modulo 2^32 and signed, so that a wrap is no jump. */
  #at(timestampMs: number, offsetMs: number): number {
    return this.#newestMs + ((timestampMs + offsetMs - this.#newestMs) | 0);
  }

  #fits(track: TrackTime | undefined, mediaMs: number): boolean {
    const isNear = Math.abs(mediaMs - this.#newestMs) <= JUMP_MS;
    return isNear && (!track || mediaMs >= track.lastMs - JUMP_BACK_MS);
  }

  /** Where a track goes on, whatever its timestamps say. */
  #expected(track: TrackTime | undefined): number {
    const nextMs = track ? track.lastMs + track.stepMs : this.#newestMs;
    return Math.max(nextMs, this.#newestMs - INTERLEAVE_MS);
  }

  #note(kind: TrackKind, track: TrackTime | undefined, mediaMs: number, offsetMs: number): void {
    const stepMs = track ? mediaMs - track.lastMs : DEFAULT_STEP_MS;
    const isStep = stepMs > 0 && stepMs <= MAX_STEP_MS;
    this.#tracks.set(kind, {
      offsetMs,
      lastMs: Math.max(mediaMs, track?.lastMs ?? mediaMs),
      stepMs: isStep ? stepMs : (track?.stepMs ?? DEFAULT_STEP_MS),
    });
    this.#newestMs = Math.max(this.#newestMs, mediaMs);
  }
}
