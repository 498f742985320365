// What something takes that is promised or has begun. Types only.

/** Megabits per second of several resources, named as leases name them. */
export interface Taking {
  readonly mbps: number;
  readonly resources: readonly string[];
}
