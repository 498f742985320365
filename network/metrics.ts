// The door to metrics: Prometheus counters, gauges and histograms (prom-client), one registry for each process.

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export type { Counter, Gauge, Histogram };

/** Gauges of prom-client under the names of counters; the same figures are there by type. */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

export class Metrics {
  readonly #registry = new Registry();

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

  /** The exposition format that Prometheus scrapes. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
