// Runs a benchmark by name: `npm run benchmark -- delivery`. Each prints a table, or JSON with --json.

import { parseArgs } from 'node:util';
import { benchmarkArchive } from './archive.ts';
import { benchmarkConsole } from './console.ts';
import { benchmarkConsolePage } from './console-page.ts';
import { benchmarkControl } from './control/control.ts';
import { benchmarkPlanner } from './control/planner.ts';
import { benchmarkState } from './control/state.ts';
import { benchmarkCores } from './cores.ts';
import { benchmarkCrowd } from './crowd.ts';
import { benchmarkDecisions } from './decisions.ts';
import { benchmarkDelivery } from './delivery.ts';
import { benchmarkDisplayed } from './displayed/displayed.ts';
import { benchmarkFaults } from './faults.ts';
import { benchmarkLatency } from './latency.ts';
import { machineText } from './machine.ts';
import { benchmarkNetwork } from './network/network.ts';
import { benchmarkPlace } from './place.ts';
import { benchmarkRelay } from './relay.ts';
import type { Report } from './report.ts';
import { benchmarkSaturation } from './saturation.ts';
import { benchmarkSimulator } from './simulator.ts';
import { benchmarkSoak } from './soak.ts';
import { benchmarkSwitching } from './switching.ts';
import { benchmarkTls } from './tls.ts';
import { benchmarkTranscode } from './transcode.ts';
import { benchmarkWorkers } from './workers.ts';

export interface BenchmarkOptions {
  /** How many are measured, in turn. */
  readonly viewers: readonly number[];
  /** Length of each measured window. */
  readonly seconds: number;
  /** Of what takes longer. */
  readonly minutes: number;
  /** How often each case is measured. */
  readonly runs: number;
  /** Only the cases whose names contain this. */
  readonly only: string;
}

const BENCHMARKS: Readonly<Record<string, (options: BenchmarkOptions) => Promise<Report>>> = {
  archive: benchmarkArchive,
  'console-page': benchmarkConsolePage,
  console: benchmarkConsole,
  control: benchmarkControl,
  cores: benchmarkCores,
  crowd: benchmarkCrowd,
  decisions: benchmarkDecisions,
  delivery: benchmarkDelivery,
  displayed: benchmarkDisplayed,
  faults: benchmarkFaults,
  latency: benchmarkLatency,
  network: benchmarkNetwork,
  place: benchmarkPlace,
  planner: benchmarkPlanner,
  relay: benchmarkRelay,
  saturation: benchmarkSaturation,
  simulator: benchmarkSimulator,
  soak: benchmarkSoak,
  state: benchmarkState,
  switching: benchmarkSwitching,
  tls: benchmarkTls,
  transcode: benchmarkTranscode,
  workers: benchmarkWorkers,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    viewers: { type: 'string', default: '100,1000' },
    seconds: { type: 'string', default: '20' },
    minutes: { type: 'string', default: '2' },
    runs: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
  },
});
const benchmark = BENCHMARKS[positionals[0] ?? ''];
if (benchmark) {
  const measuredOn = machineText(['npm run benchmark --', ...process.argv.slice(2)].join(' '));
  const { viewers, seconds, minutes, runs, only } = values;
  const report = await benchmark({
    viewers: viewers.split(',').map(Number),
    seconds: Number(seconds),
    minutes: Number(minutes),
    runs: Number(runs),
    only,
  });
  process.stdout.write(
    values.json ? `${JSON.stringify(report.data, undefined, 2)}\n` : `${report.text}\n${measuredOn}\n`,
  );
} else {
  const names = Object.keys(BENCHMARKS).join('|');
  console.error(
    `usage: npm run benchmark -- ${names} [--viewers 100,1000] [--seconds 20] [--minutes 2] [--runs 1] [--only name] [--json]`,
  );
  process.exitCode = 1;
}
