// What it costs to control a cluster, as it grows ten times and a hundred times: deciding, planning, and the state's traffic.

import { measureAnswers } from '../decisions.ts';
import type { Size } from '../network-model.ts';
import { measurePlacing } from '../place.ts';
import { type Report, table } from '../report.ts';
import type { BenchmarkOptions } from '../run.ts';
import { planMs } from './planner.ts';
import type { Counters } from './redis-counters.ts';
import { stateTraffic } from './state.ts';

const SIZES: readonly Size[] = [
  { servers: 20, streams: 200 },
  { servers: 200, streams: 2_000 },
  { servers: 2_000, streams: 20_000 },
];
/** Of each measurement: there are four of every size. */
const MAX_SECONDS = 5;

interface Finding extends Size {
  /** Of a core. */
  readonly decisionsPerS: number;
  readonly joinsPerS: number;
  readonly steersPerS: number;
  readonly restMs: number;
  readonly arrivingMs: number;
  readonly state: Counters;
}

export async function benchmarkControl({ seconds }: Pick<BenchmarkOptions, 'seconds'>): Promise<Report> {
  const findings: Finding[] = [];
  for (const size of SIZES) findings.push(await measure(size, Math.min(seconds, MAX_SECONDS)));
  const rows: [string, (finding: Finding) => string][] = [
    ['decisions/s of a core, without HTTP', ({ decisionsPerS }) => grouped(decisionsPerS)],
    ['multivariant playlists/s of a core', ({ joinsPerS }) => grouped(joinsPerS)],
    ['steering lists/s of a core', ({ steersPerS }) => grouped(steersPerS)],
    ['a plan in which nothing changes', ({ restMs }) => `${restMs.toFixed(1)} ms`],
    [
      'a plan while viewers come to a tenth of the streams',
      ({ arrivingMs }) => `${arrivingMs.toFixed(1)} ms`,
    ],
    ['scripts/s that Redis is asked for', ({ state }) => grouped(state.calls)],
    ['commands/s of Redis, those in scripts included', ({ state }) => grouped(state.commands)],
    ['to Redis', ({ state }) => perS(state.inBytes)],
    ['from Redis', ({ state }) => perS(state.outBytes)],
    ['of a core, for Redis', ({ state }) => `${(state.cpuS * 100).toFixed(1)} %`],
  ];
  const head = [
    '',
    ...SIZES.map(({ servers, streams }) => `${grouped(servers)} servers, ${grouped(streams)} streams`),
  ];
  return {
    data: findings,
    text: table(
      head,
      rows.map(([name, cell]) => [name, ...findings.map(cell)]),
    ),
  };
}

async function measure(size: Size, seconds: number): Promise<Finding> {
  console.error(`${size.servers} servers, ${size.streams} streams`);
  const { decisionsPerS } = measurePlacing(size, seconds);
  const [joining, steering] = await measureAnswers(size, seconds);
  const { rest: restMs, arriving: arrivingMs } = planMs(size);
  const state = await stateTraffic(size, seconds);
  return {
    ...size,
    decisionsPerS,
    joinsPerS: joining!.corePerS,
    steersPerS: steering!.corePerS,
    restMs,
    arrivingMs,
    state,
  };
}

function grouped(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function perS(bytes: number): string {
  return bytes < 2 ** 20 ? `${(bytes / 2 ** 10).toFixed(0)} KiB/s` : `${(bytes / 2 ** 20).toFixed(1)} MiB/s`;
}
