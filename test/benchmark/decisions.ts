// What one usher process answers over HTTP: multivariant playlists and steering, at two sizes of one network.

import type { LoadOrder, LoadResult } from './decisions-load.ts';
import { SIZES, type Size } from './network-model.ts';
import { CLIENT_CORE, PinnedProcess, SERVER_CORE } from './processes.ts';
import { percentile, type Report, table } from './report.ts';

interface Result extends Size {
  readonly kind: LoadOrder['kind'];
  readonly perS: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  /** Of usher's core, per answer. */
  readonly cpuUs: number;
  readonly refused: number;
}

const NAMES = { join: 'multivariant playlist', steer: 'steering list' } as const;
const WARM_S = 3;

export async function benchmarkDecisions({ seconds }: { readonly seconds: number }): Promise<Report> {
  const results: Result[] = [];
  for (const size of SIZES) results.push(...(await measure(size, seconds)));
  const rows = results.map((result) => [
    `${result.servers} servers, ${result.streams} streams`,
    NAMES[result.kind],
    Math.round(result.perS).toString(),
    result.cpuUs.toFixed(0),
    result.medianMs.toFixed(1),
    result.p99Ms.toFixed(1),
    String(result.refused),
  ]);
  const head = ['cluster', 'asked for', 'answers/s', 'CPU us', 'median ms', 'p99 ms', 'refused'];
  return { data: results, text: table(head, rows) };
}

async function measure(size: Size, seconds: number): Promise<Result[]> {
  const { servers, streams } = size;
  await using usher = new PinnedProcess('decisions-usher.ts', [String(servers), String(streams)], {
    core: SERVER_CORE,
  });
  const { port } = await usher.next<{ port: number }>();
  await using load = new PinnedProcess('decisions-load.ts', [], { core: CLIENT_CORE });
  const results: Result[] = [];
  for (const kind of ['join', 'steer'] as const) {
    await load.ask({ port, streams, kind, seconds: WARM_S } satisfies LoadOrder);
    const cpuBefore = usher.cpuSeconds();
    const { answers, refused, tookMs } = await load.ask<LoadResult>({
      port,
      streams,
      kind,
      seconds,
    } satisfies LoadOrder);
    results.push({
      ...size,
      kind,
      perS: answers / seconds,
      medianMs: percentile(tookMs, 0.5),
      p99Ms: percentile(tookMs, 0.99),
      cpuUs: ((usher.cpuSeconds() - cpuBefore) / answers) * 1e6,
      refused,
    });
  }
  return results;
}
