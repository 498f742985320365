// Decode times of video: the steady beat behind RTMP's whole milliseconds, or those milliseconds where there is none. Pure.

const TICKS_PER_MS = 90;
const TICKS_PER_S = 90_000;
/** Rounding a beat to ms moves a time by less than 1 ms, at both ends of a run by less than 2; more is not the beat. */
const TOLERANCE_TICKS = 2.2 * TICKS_PER_MS;
/** Least distance of two frames: what remains when timestamps stand still or go back. */
const MIN_STEP_TICKS = TICKS_PER_MS;
/** Frames whose times the period is measured over. 30 and 29.97 Hz are told apart after 30, 60 and 59.94 after 60. */
const RUN_FRAMES = 128;
const DEFAULT_PERIOD_TICKS = 3_000;
const COMMON_RATES = [10, 12, 12.5, 15, 20, 24, 25, 30, 48, 50, 60, 72, 90, 100, 120, 144, 240];
const NTSC = 1.001;

export interface FrameTime {
  readonly decodeTicks: number;
  /** As predicted: the next frame's decode time is the truth. */
  readonly durationTicks: number;
}

/**
 * A time is the beat's while RTMP's is within 2.2 ms of it, else RTMP's own, from which the beat then goes on. So constant
 * rates come out exactly, and nothing ever drifts from RTMP time by more than that, except to keep times growing.
 */
export class VideoClock {
  #periodTicks = DEFAULT_PERIOD_TICKS;
  #isMeasured = false;
  /** The beat: frame `#count` after `#anchorTicks`, each one period. */
  #anchorTicks = 0;
  #count = 0;
  /** RTMP times of the frames since the last break in the beat. */
  #run: number[] = [];
  #brokenStepTicks = 0;
  #lastTicks = Number.NEGATIVE_INFINITY;

  /** `stampTicks` is RTMP time on the feed's timeline. */
  place(stampTicks: number): FrameTime {
    this.#follow(stampTicks);
    const decodeTicks = Math.max(this.#beat(0), this.#lastTicks + MIN_STEP_TICKS);
    this.#lastTicks = decodeTicks;
    return { decodeTicks, durationTicks: Math.max(this.#beat(1) - decodeTicks, MIN_STEP_TICKS) };
  }

  /** A composition offset in ticks: on the beat, as the frame that is shown then will be. */
  composition(compositionMs: number): number {
    const ticks = compositionMs * TICKS_PER_MS;
    const frames = Math.round(ticks / this.#periodTicks);
    const onBeat = this.#beat(frames) - this.#lastTicks;
    return Math.abs(onBeat - ticks) <= TOLERANCE_TICKS ? onBeat : ticks;
  }

  #beat(frames: number): number {
    return Math.round(this.#anchorTicks + (this.#count + frames) * this.#periodTicks);
  }

  #follow(stampTicks: number): void {
    const previous = this.#run.at(-1) ?? stampTicks;
    const stepTicks = stampTicks - previous;
    if (!this.#isMeasured && stepTicks >= MIN_STEP_TICKS) this.#setPeriod(stepTicks, 1);
    this.#count++;
    const isOffBeat = Math.abs(this.#beat(0) - stampTicks) > TOLERANCE_TICKS;
    if (isOffBeat || this.#run.length === 0) this.#breakAt(stampTicks, stepTicks);
    this.#run.push(stampTicks);
    if (this.#run.length > RUN_FRAMES) this.#run.shift();
    this.#measure();
  }

  /** A step that comes twice in a row is a new period; a single one is a frame that was left out. */
  #breakAt(stampTicks: number, stepTicks: number): void {
    const isRepeated =
      this.#run.length === 1 && Math.abs(stepTicks - this.#brokenStepTicks) <= TOLERANCE_TICKS;
    if (isRepeated && stepTicks >= MIN_STEP_TICKS) this.#setPeriod(stepTicks, 1);
    this.#brokenStepTicks = stepTicks;
    this.#anchorTicks = stampTicks;
    this.#count = 0;
    this.#run = [];
  }

  /** Once rounding no longer explains how the run's mean differs from the period, the beat goes on from here with a better one. */
  #measure(): void {
    const steps = this.#run.length - 1;
    if (steps < 1) return;
    const meanTicks = (this.#run[steps]! - this.#run[0]!) / steps;
    if (Math.abs(meanTicks - this.#periodTicks) <= TICKS_PER_MS / steps) return;
    this.#anchorTicks = this.#beat(0);
    this.#count = 0;
    this.#setPeriod(meanTicks, steps);
  }

  #setPeriod(meanTicks: number, steps: number): void {
    this.#periodTicks = commonPeriod(meanTicks, steps);
    this.#isMeasured = true;
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
  return [nearest, nearest * NTSC].find(isExplained) ?? meanTicks;
}
