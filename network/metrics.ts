// The door to metrics: Prometheus counters, gauges and histograms (prom-client), one registry for each process.

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export type { Counter, Gauge, Histogram };

/** Gauges of prom-client under the names of counters; the same figures are there by type. */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

/** What is counted with every request: a plain number, as a call of the library's would cost a part of the answer. */
export interface Tally {
  value: number;
}

/** A counter made of tallies, which are added up when somebody reads the metrics. */
export interface Tallies<Label extends string> {
  /** To be kept by whoever counts: each call makes another. */
  of(labels: Readonly<Record<Label, string>>): Tally;
}

export class Metrics {
  readonly #registry = new Registry();
  #text: Promise<string> | undefined;

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Adds what prom-client knows of the process: CPU, memory, event-loop delay, garbage collection; and which build it is. */
  collectProcess(version: string): void {
    collectDefaultMetrics({ register: this.#registry });
    for (const name of MISNAMED) this.#registry.removeSingleMetric(name);
    this.gauge('headwater_build_info', 'Always 1, with the version that runs.', ['version'], (gauge) =>
      gauge.set({ version }, 1),
    );
  }

  counter<Label extends string = never>(name: string, help: string, labels: Label[] = []): Counter<Label> {
    return new Counter({ name, help, labelNames: labels, registers: [this.#registry] });
  }

  tallies<Label extends string>(name: string, help: string, labels: Label[]): Tallies<Label> {
    const tallies: { readonly labels: Readonly<Record<Label, string>>; readonly tally: Tally }[] = [];
    new Counter({
      name,
      help,
      labelNames: labels,
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const { labels: of, tally } of tallies) this.inc(of, tally.value);
      },
    });
    return {
      of: (of) => {
        const tally = { value: 0 };
        tallies.push({ labels: of, tally });
        return tally;
      },
    };
  }

  /** A gauge whose value is asked for when somebody reads the metrics. */
  gauge<Label extends string = never>(
    name: string,
    help: string,
    labels: Label[],
    collect: (gauge: Gauge<Label>) => void,
  ): Gauge<Label> {
    return new Gauge({
      name,
      help,
      labelNames: labels,
      registers: [this.#registry],
      collect() {
        this.reset();
        collect(this);
      },
    });
  }

  histogram<Label extends string = never>(
    name: string,
    help: string,
    buckets: number[],
    labels: Label[] = [],
  ): Histogram<Label> {
    return new Histogram({ name, help, buckets, labelNames: labels, registers: [this.#registry] });
  }

  /** The sum of counters, over all their labels. */
  async total(names: readonly string[]): Promise<number> {
    let sum = 0;
    for (const name of names) {
      const metric = await this.#registry.getSingleMetric(name)?.get();
      for (const { value } of metric?.values ?? []) sum += value;
    }
    return sum;
  }

  /** The exposition format that Prometheus scrapes. Who asks while it is written gets the same: it takes a millisecond and more. */
  text(): Promise<string> {
    this.#text ??= this.#registry.metrics().finally(() => {
      this.#text = undefined;
    });
    return this.#text;
  }
}
