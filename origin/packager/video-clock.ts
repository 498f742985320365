// Decode times of video: the steady beat behind RTMP's whole milliseconds, or those milliseconds where there is none. Pure.

const TICKS_PER_MS = 90;
const TICKS_PER_S = 90_000;
/** Rounding a beat to ms moves a time by less than 1 ms, at both ends of a run by less than 2; more is not the beat. */
const TOLERANCE_TICKS = 2.2 * TICKS_PER_MS;
/** Least distance of two frames: what remains when timestamps stand still or go back. */
const MIN_STEP_TICKS = TICKS_PER_MS;
/** Frames whose times the period is measured over. 30 and 29.97 Hz are told apart after 30, 60 and 59.94 after 60. */
const RUN_FRAMES = 128;
/**
 * A frame that is decoded more than two durations after the one before is a gap to Media Source Extensions (3.5.8): players show
 * nothing until the next key frame. One that is late by no more than this is decoded before it is shown.
 */
const MAX_EARLY_TICKS = 2_000 * TICKS_PER_MS;
const DEFAULT_PERIOD_TICKS = 3_000;
const COMMON_RATES = [10, 12, 12.5, 15, 20, 24, 25, 30, 48, 50, 60, 72, 90, 100, 120, 144, 240];
const NTSC = 1.001;

export interface FrameTime {
  readonly decodeTicks: number;
  /** As predicted: the next frame's decode time is the truth. */
  readonly durationTicks: number;
}

/** A frame's place on the beat, and what RTMP said of its time. */
interface Stamp {
  readonly index: number;
  readonly ticks: number;
}

/**
 * A time is the beat's while RTMP's is within 2.2 ms of it, else RTMP's own, from which the beat then goes on. So constant
 * rates come out exactly, also where frames are left out, and nothing ever drifts from RTMP time by more than that, except to
 * keep times growing.
 */
export class VideoClock {
  #periodTicks: number;
  /** The beat: frame `index` is due at the anchor's ticks and as many periods as lie between. */
  #anchor: Stamp = { index: 0, ticks: 0 };
  #index = 0;
  /** Frames on the beat since it was last broken. */
  #run: Stamp[] = [];
  /** The step to the last frame, if it was not one period. */
  #oddStepTicks: number | undefined;
  #lastTicks = Number.NEGATIVE_INFINITY;
  #lastDurationTicks = Number.POSITIVE_INFINITY;

  /** What is known of the distance between frames, from those that follow or from an epoch before. */
  constructor(stepTicks = DEFAULT_PERIOD_TICKS) {
    this.#periodTicks = commonPeriod(stepTicks, 1);
  }

  get periodTicks(): number {
    return this.#periodTicks;
  }

  /** `stampTicks` is RTMP time on the feed's timeline. */
  place(stampTicks: number): FrameTime {
    const previous = this.#run.at(-1);
    if (previous) this.#follow(stampTicks, stampTicks - previous.ticks);
    else this.#restart(stampTicks);
    this.#run.push({ index: this.#index, ticks: stampTicks });
    if (this.#run.length > RUN_FRAMES) this.#run.shift();
    this.#measure();
    const decodeTicks = Math.max(this.#decodedBy(this.#beat(0)), this.#lastTicks + MIN_STEP_TICKS);
    const durationTicks = Math.max(this.#beat(1) - decodeTicks, MIN_STEP_TICKS);
    this.#lastTicks = decodeTicks;
    this.#lastDurationTicks = durationTicks;
    return { decodeTicks, durationTicks };
  }

  /** A composition offset in ticks: on the beat, as the frame that is shown then will be. */
  composition(compositionMs: number): number {
    const ticks = compositionMs * TICKS_PER_MS;
    const frames = Math.round(ticks / this.#periodTicks);
    const onBeat = this.#beat(frames) - this.#lastTicks;
    const earlyTicks = Math.max(0, this.#beat(0) - this.#lastTicks);
    return Math.abs(onBeat - ticks - earlyTicks) <= TOLERANCE_TICKS ? onBeat : ticks + earlyTicks;
  }

  #decodedBy(dueTicks: number): number {
    // One tick less: browsers count in whole microseconds.
    const latestTicks = this.#lastTicks + 2 * this.#lastDurationTicks - 1;
    return dueTicks > latestTicks && dueTicks - latestTicks <= MAX_EARLY_TICKS ? latestTicks : dueTicks;
  }

  /** When the frame `ahead` of the last one is due. */
  #beat(ahead: number): number {
    const periods = this.#index + ahead - this.#anchor.index;
    return Math.round(this.#anchor.ticks + periods * this.#periodTicks);
  }

  #follow(stampTicks: number, stepTicks: number): void {
    const periods = Math.max(1, Math.round((stampTicks - this.#beat(0)) / this.#periodTicks));
    const isOnBeat = Math.abs(this.#beat(periods) - stampTicks) <= TOLERANCE_TICKS;
    if (this.#isNewStep(stepTicks, isOnBeat && periods === 1)) {
      this.#periodTicks = commonPeriod(stepTicks, 1);
      this.#restart(stampTicks);
    } else if (isOnBeat) this.#index += periods;
    else this.#restart(stampTicks);
  }

  /** A step other than the period that comes twice in a row is a new period; a single one is a frame that was left out. */
  #isNewStep(stepTicks: number, isPeriod: boolean): boolean {
    const before = this.#oddStepTicks;
    this.#oddStepTicks = isPeriod ? undefined : stepTicks;
    const isRepeated = before !== undefined && Math.abs(stepTicks - before) <= TOLERANCE_TICKS;
    return !isPeriod && isRepeated;
  }

  #restart(ticks: number): void {
    this.#index++;
    this.#anchor = { index: this.#index, ticks };
    this.#run = [];
  }

  /** Once rounding no longer explains how the run's mean differs from the period, the beat goes on from here with a better one. */
  #measure(): void {
    const [first] = this.#run;
    const last = this.#run.at(-1)!;
    const steps = last.index - first!.index;
    if (steps === 0) return;
    const meanTicks = (last.ticks - first!.ticks) / steps;
    if (Math.abs(meanTicks - this.#periodTicks) <= TICKS_PER_MS / steps) return;
    this.#anchor = { index: this.#index, ticks: this.#beat(0) };
    this.#periodTicks = commonPeriod(meanTicks, steps);
  }
}

/** The period of a common frame rate where rounding can explain the difference, integer rates first; else the mean itself. */
function commonPeriod(meanTicks: number, steps: number): number {
  const isExplained = (periodTicks: number): boolean =>
    Math.abs(periodTicks - meanTicks) <= TICKS_PER_MS / steps;
  const periods = COMMON_RATES.map((rate) => TICKS_PER_S / rate);
  const nearest = periods.reduce((best, period) =>
    Math.abs(period - meanTicks) < Math.abs(best - meanTicks) ? period : best,
  );
  return [nearest, nearest * NTSC].find(isExplained) ?? Math.max(meanTicks, MIN_STEP_TICKS);
}
