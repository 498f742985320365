// What one usher process answers over HTTP: multivariant playlists and steering, at two sizes of one network.

import { sleep, systemClock } from '../../network/clock.ts';
import type { LoadOrder, LoadResult } from './load/decisions-load.ts';
import { SIZES, type Size } from './network-model.ts';
import { CLIENT_CORE, PinnedProcess, SERVER_CORE } from './processes.ts';
import { percentile, type Report, table } from './report.ts';

export interface Answers extends Size {
  readonly kind: LoadOrder['kind'];
  readonly perS: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  /** Part of usher's core that it takes to know the cluster, which changes all the time, while nobody asks. */
  readonly idle: number;
  /** Of usher's core, per answer, beyond that. */
  readonly cpuUs: number;
  /** What the core has time for: the same on a machine that others use meanwhile. */
  readonly corePerS: number;
  readonly refused: number;
}

const NAMES = { join: 'multivariant playlist', steer: 'steering list' } as const;
const WARM_S = 3;
const IDLE_S = 2;

export async function benchmarkDecisions({ seconds }: { readonly seconds: number }): Promise<Report> {
  const results: Answers[] = [];
  for (const size of SIZES) results.push(...(await measureAnswers(size, seconds)));
  const rows = results.map((result) => [
    `${result.servers} servers, ${result.streams} streams`,
    NAMES[result.kind],
    Math.round(result.perS).toString(),
    `${(result.idle * 100).toFixed(0)} %`,
    result.cpuUs.toFixed(0),
    Math.round(result.corePerS).toString(),
    result.medianMs.toFixed(1),
    result.p99Ms.toFixed(1),
    String(result.refused),
  ]);
  const head = [
    'cluster',
    'asked for',
    'answers/s',
    'idle CPU',
    'CPU us',
    'answers/s of a core',
    'median ms',
    'p99 ms',
    'refused',
  ];
  return { data: results, text: table(head, rows) };
}

/** Of joining, then of steering. */
export async function measureAnswers(size: Size, seconds: number): Promise<Answers[]> {
  const { servers, streams } = size;
  await using usher = new PinnedProcess('decisions-usher.ts', [String(servers), String(streams)], {
    core: SERVER_CORE,
  });
  const { port } = await usher.next<{ port: number }>();
  await using load = new PinnedProcess('load/decisions-load.ts', [], { core: CLIENT_CORE });
  const results: Answers[] = [];
  for (const kind of ['join', 'steer'] as const) {
    await load.ask({ port, streams, kind, seconds: WARM_S } satisfies LoadOrder);
    const idle = await idleShare(usher);
    const cpuBefore = usher.cpuSeconds();
    const { answers, refused, tookMs } = await load.ask<LoadResult>({
      port,
      streams,
      kind,
      seconds,
    } satisfies LoadOrder);
    const cpuUs = ((usher.cpuSeconds() - cpuBefore - idle * seconds) / answers) * 1e6;
    results.push({
      ...size,
      kind,
      idle,
      cpuUs,
      corePerS: ((1 - idle) / cpuUs) * 1e6,
      perS: answers / seconds,
      medianMs: percentile(tookMs, 0.5),
      p99Ms: percentile(tookMs, 0.99),
      refused,
    });
  }
  return results;
}

async function idleShare(usher: PinnedProcess): Promise<number> {
  const before = usher.cpuSeconds();
  await sleep(systemClock, IDLE_S * 1000);
  return (usher.cpuSeconds() - before) / IDLE_S;
}
