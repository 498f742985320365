// Runs a benchmark by name: `npm run benchmark -- delivery`. Each prints a table, or JSON with --json.

import { parseArgs } from 'node:util';
import { benchmarkDelivery } from './delivery.ts';
import { benchmarkLatency } from './latency.ts';
import { benchmarkRelay } from './relay.ts';
import type { Report } from './report.ts';

export interface BenchmarkOptions {
  readonly viewers: number;
  /** Length of each measured window. */
  readonly seconds: number;
  /** Only the cases whose names contain this. */
  readonly only: string;
}

const BENCHMARKS: Readonly<Record<string, (options: BenchmarkOptions) => Promise<Report>>> = {
  delivery: benchmarkDelivery,
  latency: benchmarkLatency,
  relay: benchmarkRelay,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    viewers: { type: 'string', default: '500' },
    seconds: { type: 'string', default: '20' },
    only: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
  },
});
const benchmark = BENCHMARKS[positionals[0] ?? ''];
if (benchmark) {
  const options = { viewers: Number(values.viewers), seconds: Number(values.seconds), only: values.only };
  const report = await benchmark(options);
  process.stdout.write(values.json ? `${JSON.stringify(report.data, undefined, 2)}\n` : report.text);
} else {
  const names = Object.keys(BENCHMARKS).join('|');
  console.error(`usage: npm run benchmark -- ${names} [--viewers 500] [--seconds 20] [--only name] [--json]`);
  process.exitCode = 1;
}
