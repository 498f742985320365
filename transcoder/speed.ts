// How many jobs a server can keep up with, by the CPU time that those which it has take. Pure.

/** Encoders have so much of the CPU and no more: the rest is for whatever else the machine does. */
const SHARE = 0.85;
/** Of the cost of a job as it was, what a new measure leaves: half of it is forgotten after about ten measures. */
const KEPT = 0.93;
const MAX_SLOTS = 256;

export class Speed {
  readonly #cores: number;
  readonly #last = new Map<number, { readonly cpuMs: number; readonly atMs: number }>();
  /** Cores that a job takes; undefined before the first measure. */
  #jobCores: number | undefined;

  constructor(cores: number) {
    this.#cores = cores;
  }

  /** Before anything is known, a job for every two cores. */
  get slots(): number {
    const jobCores = this.#jobCores ?? 2 * SHARE;
    return Math.min(MAX_SLOTS, Math.max(1, Math.floor((this.#cores * SHARE) / jobCores)));
  }

  /** Cores that a job takes; 0 before that is known. */
  get jobCores(): number {
    return this.#jobCores ?? 0;
  }

  /** CPU time so far by process, one for each job. What a process did before its first measure does not count: it catches up. */
  measure(cpuMsByPid: ReadonlyMap<number, number>, atMs: number): void {
    for (const [pid, cpuMs] of cpuMsByPid) {
      const last = this.#last.get(pid);
      this.#last.set(pid, { cpuMs, atMs });
      if (!last || atMs <= last.atMs) continue;
      const used = (cpuMs - last.cpuMs) / (atMs - last.atMs);
      this.#jobCores = this.#jobCores === undefined ? used : this.#jobCores * KEPT + used * (1 - KEPT);
      this.#jobCores = Math.max(this.#jobCores, MIN_CORES);
    }
    for (const pid of this.#last.keys()) if (!cpuMsByPid.has(pid)) this.#last.delete(pid);
  }
}

/** A source that stands still costs nothing, and will not stand still. */
const MIN_CORES = 0.05;
