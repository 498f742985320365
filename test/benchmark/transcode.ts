// What a ladder costs: CPU of Headwater itself beside ffmpeg's, and by how much a rung comes later than its source.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Splitter } from '../../network/media/splitter.ts';
import { cpuMsOf } from '../../transcoder/ffmpeg/ffmpeg.ts';
import { ServerProcess } from '../tools/cluster/server-process.ts';
import { until } from '../tools/cluster/test-cluster.ts';
import { clip, sources } from '../tools/media/media.ts';
import { FileBroadcast } from '../tools/rtmp/file-broadcast.ts';
import { lastingFolder } from '../tools/world/scratch-folder.ts';
import { percentile, type Report, table } from './report.ts';
import type { BenchmarkOptions } from './run.ts';

interface Case {
  /** Of the source. */
  readonly size: string;
  readonly videoKbps: number;
  readonly ladder: readonly string[];
}

const CASES: readonly Case[] = [
  { size: '1280x720', videoKbps: 3_000, ladder: ['480p30', '360p30', '160p30'] },
  { size: '1920x1080', videoKbps: 6_000, ladder: ['720p30', '480p30', '160p30'] },
];
/** Longer than any of it takes, but for a very long measure: then it begins anew. */
const CLIP_S = 30;
/** By then the backlog is encoded, with which the rungs began, and what runs all the time is compiled. */
const SETTLE_MS = 45_000;

export async function benchmarkTranscode({ seconds, only }: BenchmarkOptions): Promise<Report> {
  const reports: Report[] = [];
  for (const each of CASES) if (each.size.includes(only)) reports.push(await benchmarkCase(each, seconds));
  return { data: reports.map(({ data }) => data), text: reports.map(({ text }) => text).join('\n') };
}

async function benchmarkCase(of: Case, seconds: number): Promise<Report> {
  const alone = await measure({ ...of, ladder: [] }, seconds);
  const ladder = await measure(of, seconds);
  const headwaterShare = (ladder.headwaterCores - alone.headwaterCores) / of.ladder.length;
  const data = {
    case: of,
    alone,
    ladder,
    headwaterPerRung: headwaterShare,
    shareOfFfmpeg: (headwaterShare * of.ladder.length) / ladder.ffmpegCores,
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
  const text = `${of.size} at 30 fps to ${of.ladder.join(', ')}, of one core\n\n${table(['what', 'CPU'], costs)}\nFrom a frame's arrival at the origin to a viewer\n\n${table(['rendition', 'p50 ms', 'p99 ms'], rows)}`;
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

async function measure({ size, videoKbps, ladder }: Case, seconds: number): Promise<Measured> {
  const file = join(lastingFolder(), 'config.yaml');
  const roles = ['origin', 'edge', 'transcoder'];
  writeFileSync(file, JSON.stringify({ roles, transcode: { ladder }, playback: { beatMs: 0 } }));
  await using server = await ServerProcess.start(['--no-sample', '--config', file]);
  await using _ = new FileBroadcast(`${server.rtmpUrl}/alice`, encoded(size, videoKbps));
  const names = ['source', ...ladder];
  const listing = async (): Promise<string> => (await fetch(`${server.url}/live/alice.m3u8`)).text();
  await until(
    () => 'the ladder is listed',
    async () => (await listing()).split('STABLE-VARIANT-ID').length > names.length,
  );
  await delay(SETTLE_MS);
  const urls = (await listing()).split('\n').filter((line) => line.startsWith('http'));
  const pid = server.lines.findLast(({ msg }) => msg === 'transcodes')?.['pid'] as number | undefined;
  const used = async (): Promise<readonly number[]> =>
    Promise.all([server.pid, pid].map(async (one) => (one ? ((await cpuMsOf(one)) ?? 0) : 0)));
  // Without viewers: what these cost is another matter.
  const before = await used();
  await delay(seconds * 1000);
  const after = await used();
  const latencies = await Promise.all(
    names.map((name) => watch(name, urls.find((url) => url.includes(`/${name}/`))!, seconds)),
  );
  const [headwaterCores, ffmpegCores] = after.map((ms, index) => (ms - before[index]!) / 1000 / seconds);
  return { headwaterCores: headwaterCores!, ffmpegCores: ffmpegCores!, latencies };
}

/** Encoded beforehand: the machine has the ladder to make, and nothing else. */
function encoded(size: string, videoKbps: number): Uint8Array {
  const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-g', '30'];
  const rates = ['-b:v', `${videoKbps}k`, '-c:a', 'aac', '-b:a', '96k', '-f', 'flv'];
  return clip('flv', [...sources({ seconds: CLIP_S, size }), ...x264, ...rates]);
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
