// What it costs to simulate an hour of 100,000 viewers on 200 servers with 2,000 streams, under our policy and under others. Time is that of all of the process's threads, so that others on the machine do not count.

import { join } from 'node:path';
import { BASELINES } from '../../usher/simulator/choosers/baselines.ts';
import { Headwater } from '../../usher/simulator/choosers/headwater/headwater.ts';
import type { Scenario } from '../../usher/simulator/scenario.ts';
import { readScenario } from '../../usher/simulator/scenario-file.ts';
import { type MakeChooser, World } from '../../usher/simulator/world/world.ts';
import { type Report, table } from './report.ts';
import type { BenchmarkOptions } from './run.ts';

const VIEWERS = 100_000;
const MINUTES = 60;
const WARMUP_MINUTES = 5;
const DAY = join(import.meta.dirname, '../../usher/simulator/scenarios/justintv-day.yaml');

const POLICIES: ReadonlyMap<string, MakeChooser> = new Map([
  ['headwater', (ground) => new Headwater(ground, { name: 'headwater' })],
  ...BASELINES,
]);

interface Cost {
  readonly policy: string;
  readonly came: number;
  readonly warmupCpuS: number;
  readonly hourCpuS: number;
  readonly timesFaster: number;
  readonly overS: number;
  readonly refused: number;
}

export async function benchmarkSimulator({ only }: Pick<BenchmarkOptions, 'only'>): Promise<Report> {
  const chosen = [...POLICIES].filter(([name]) => name.includes(only));
  const costs = chosen.map(([name, makeChooser]) => measure(name, makeChooser));
  const rows = costs.map(({ policy, came, warmupCpuS, hourCpuS, timesFaster, overS, refused }) => [
    policy,
    String(came),
    warmupCpuS.toFixed(1),
    hourCpuS.toFixed(1),
    `${Math.round(timesFaster)}x`,
    overS.toFixed(0),
    String(refused),
  ]);
  const head = [
    'policy',
    'came',
    'warm-up, CPU s',
    'hour, CPU s',
    'of real time',
    'over 100 %, s',
    'refused',
  ];
  return { data: costs, text: table(head, rows) };
}

function measure(policy: string, makeChooser: MakeChooser): Cost {
  const startedS = cpuS();
  const world = new World(busyHour(), 1, makeChooser);
  let warmS = startedS;
  const { viewers, over } = world.run((minute) => {
    if (minute === WARMUP_MINUTES) warmS = cpuS();
  });
  const hourCpuS = cpuS() - warmS;
  return {
    policy,
    came: viewers.arrived,
    warmupCpuS: warmS - startedS,
    hourCpuS,
    timesFaster: (MINUTES * 60) / hourCpuS,
    overS: over.seconds,
    refused: viewers.refused,
  };
}

/** The network and the streams of the day, with more viewers than at its peak. */
function busyHour(): Scenario {
  return {
    ...readScenario(DAY),
    minutes: MINUTES,
    warmupMinutes: WARMUP_MINUTES,
    arrivals: [{ kind: 'steady', viewers: VIEWERS, minutes: 25 }],
  };
}

function cpuS(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
