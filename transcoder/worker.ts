// A worker: the jobs that the plan gives this server, how many it can have, and what it says of them.

import type { Clock, Timer } from '../network/clock.ts';
import type { Logger } from '../network/logger.ts';
import type { Transcode, TranscodeJob } from '../network/state/state.ts';
import { Job, type JobOptions } from './job.ts';
import { Speed } from './speed.ts';

export interface WorkerOptions extends Omit<JobOptions, 'transcode'> {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Jobs at a time; undefined: what the CPU can, as it turns out. */
  readonly slots: number | undefined;
  readonly cores: number;
  /** CPU time that a process has used, in ms. */
  readonly cpuMsOf: (pid: number) => Promise<number | undefined>;
}

const MEASURE_MS = 2_000;

export class Worker implements AsyncDisposable {
  readonly #options: WorkerOptions;
  readonly #jobs = new Map<string, Job>();
  /** Jobs that are on their way out: their feeds are theirs until they are gone. */
  readonly #leaving = new Map<string, Job>();
  readonly #speed: Speed;
  readonly #timer: Timer;
  #wanted: readonly Transcode[] = [];
  #isClosed = false;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#speed = new Speed(options.cores);
    this.#timer = options.clock.every(MEASURE_MS, () => this.#measure());
  }

  get slots(): number {
    return this.#options.slots ?? this.#speed.slots;
  }

  /** CPU cores that a job takes; 0 before that is known. */
  get jobCores(): number {
    return this.#speed.jobCores;
  }

  /** A rung is listed until it is given away, so that it is listed all the time. */
  get records(): readonly TranscodeJob[] {
    return this.#all.map(({ record }) => record);
  }

  /** How far the last of the jobs is behind its source. */
  get lagMs(): number {
    return Math.max(0, ...[...this.#jobs.values()].map(({ lagMs }) => lagMs));
  }

  /** Whether a stream's source is needed here. */
  reads(stream: string): boolean {
    return this.#jobs.has(stream) || this.#leaving.has(stream);
  }

  /** Makes the jobs what the plan wants. One whose rungs change begins anew, where it was. */
  assign(transcodes: readonly Transcode[]): void {
    this.#wanted = transcodes;
    const wanted = new Map(transcodes.map((transcode) => [transcode.stream, transcode]));
    for (const [stream, job] of this.#jobs) {
      const transcode = wanted.get(stream);
      if (!transcode || JSON.stringify(transcode) !== JSON.stringify(job.transcode))
        this.#leave(job, transcode);
    }
    for (const transcode of transcodes) this.#begin(transcode);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#timer.cancel();
    await Promise.all(this.#all.map((job) => job.close()));
    this.#jobs.clear();
  }

  #begin(transcode: Transcode): void {
    const { stream } = transcode;
    if (this.#isClosed || this.#jobs.has(stream) || this.#leaving.has(stream)) return;
    this.#jobs.set(stream, new Job({ ...this.#options, transcode }));
  }

  get #all(): readonly Job[] {
    return [...this.#jobs.values(), ...this.#leaving.values()];
  }

  /** What a job of the same stream is to make next waits until this one is gone. */
  #leave(job: Job, next: Transcode | undefined): void {
    const { stream } = job.transcode;
    this.#jobs.delete(stream);
    this.#leaving.set(stream, job);
    const kept = next?.rungs.map(({ name }) => name);
    job.leave(kept).finally(() => {
      this.#leaving.delete(stream);
      this.#options.onChange();
      if (!this.#isClosed) this.assign(this.#wanted);
    });
  }

  async #measure(): Promise<void> {
    const pids = this.#all.flatMap(({ pid }) => (pid ? [pid] : []));
    const used = await Promise.all(pids.map((pid) => this.#options.cpuMsOf(pid)));
    const byPid = new Map(
      pids.flatMap((pid, index) => (used[index] === undefined ? [] : [[pid, used[index]]])),
    );
    this.#speed.measure(byPid, this.#options.clock.monotonic());
  }
}
