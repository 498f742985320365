// What a ladder costs: CPU of Headwater itself beside ffmpeg's, and by how much a rung comes later than its source.

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Splitter } from '../../network/media/splitter.ts';
import { cpuMsOf } from '../../transcoder/ffmpeg/ffmpeg.ts';
import { ServerProcess } from '../tools/cluster/server-process.ts';
import { until } from '../tools/cluster/test-cluster.ts';
import { Broadcaster } from '../tools/rtmp/broadcaster.ts';
import { percentile, type Report, table } from './report.ts';
import type { BenchmarkOptions } from './run.ts';

const LADDER = ['480p30', '360p30', '160p30'];
const SOURCE_SIZE = '1280x720';
const SETTLE_MS = 3_000;

export async function benchmarkTranscode({ seconds }: BenchmarkOptions): Promise<Report> {
  const alone = await measure([], seconds);
  const ladder = await measure(LADDER, seconds);
  const headwaterShare = (ladder.headwaterCores - alone.headwaterCores) / LADDER.length;
  const data = {
    alone,
    ladder,
    headwaterPerRung: headwaterShare,
    shareOfFfmpeg: (headwaterShare * LADDER.length) / ladder.ffmpegCores,
    addedMs: Object.fromEntries(
      ladder.latencies.slice(1).map(({ name, p50Ms }) => [name, p50Ms - ladder.latencies[0]!.p50Ms]),
    ),
  };
  const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;
  const costs = [
    ['ffmpeg, the whole ladder', percent(ladder.ffmpegCores)],
    ['Headwater with the ladder', percent(ladder.headwaterCores)],
    ['Headwater without', percent(alone.headwaterCores)],
    ['Headwater for each rung', percent(headwaterShare)],
    ['Headwater for each CPU second of ffmpeg', percent(data.shareOfFfmpeg)],
  ];
  const rows = ladder.latencies.map(({ name, p50Ms, p99Ms }) => [name, p50Ms.toFixed(1), p99Ms.toFixed(1)]);
  const text = `${SOURCE_SIZE} at 30 fps, of one core\n\n${table(['what', 'CPU'], costs)}\nFrom a frame's arrival at the origin to a viewer\n\n${table(['rendition', 'p50 ms', 'p99 ms'], rows)}`;
  return { data, text };
}

interface Measured {
  /** CPU seconds for each second. */
  readonly headwaterCores: number;
  readonly ffmpegCores: number;
  readonly latencies: readonly Latency[];
}

interface Latency {
  readonly name: string;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

async function measure(ladder: readonly string[], seconds: number): Promise<Measured> {
  const file = join(mkdtempSync(join(tmpdir(), 'headwater-config-')), 'config.yaml');
  const roles = ['origin', 'edge', 'transcoder'];
  writeFileSync(file, JSON.stringify({ roles, transcode: { ladder }, playback: { beatMs: 0 } }));
  await using server = await ServerProcess.start(['--no-sample', '--config', file]);
  await using _ = new Broadcaster(`${server.rtmpUrl}/alice`, { size: SOURCE_SIZE, videoKbps: 3_000 });
  const names = ['source', ...ladder];
  const listing = async (): Promise<string> => (await fetch(`${server.url}/live/alice.m3u8`)).text();
  await until(
    () => 'the ladder is listed',
    async () => (await listing()).split('STABLE-VARIANT-ID').length > names.length,
  );
  // By then the backlog is encoded, with which the rungs began.
  await delay(SETTLE_MS);
  const urls = (await listing()).split('\n').filter((line) => line.startsWith('http'));
  const pid = server.lines.findLast(({ msg }) => msg === 'transcodes')?.['pid'] as number | undefined;
  const used = async (): Promise<readonly number[]> =>
    Promise.all([server.pid, pid].map(async (one) => (one ? ((await cpuMsOf(one)) ?? 0) : 0)));
  const before = await used();
  const latencies = await Promise.all(
    names.map((name) => watch(name, urls.find((url) => url.includes(`/${name}/`))!, seconds)),
  );
  const after = await used();
  const [headwaterCores, ffmpegCores] = after.map((ms, index) => (ms - before[index]!) / 1000 / seconds);
  return { headwaterCores: headwaterCores!, ffmpegCores: ffmpegCores!, latencies };
}

async function watch(name: string, playlistUrl: string, seconds: number): Promise<Latency> {
  const stop = new AbortController();
  const delaysMs: number[] = [];
  const read = async (): Promise<void> => {
    const answer = await fetch(new URL('live.mp4', playlistUrl), { signal: stop.signal });
    const splitter = new Splitter();
    for await (const bytes of answer.body!)
      for (const piece of splitter.push(bytes))
        if (piece.kind === 'chunk' && piece.chunk.trackId === 1)
          delaysMs.push(Date.now() - piece.chunk.arrivedAtMs);
  };
  const done = read().catch(() => {});
  await delay(seconds * 1000);
  stop.abort();
  await done;
  // What the feed held already came late.
  const fresh = delaysMs.slice(60);
  return { name, p50Ms: percentile(fresh, 0.5), p99Ms: percentile(fresh, 0.99) };
}
