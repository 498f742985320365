// The door to metrics: Prometheus counters, gauges and histograms (prom-client), one registry for each process.

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export type { Counter, Gauge, Histogram };

export class Metrics {
  readonly #registry = new Registry();

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Adds what prom-client knows of the process: CPU, memory, event-loop delay, garbage collection. */
  collectProcess(): void {
    collectDefaultMetrics({ register: this.#registry });
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
