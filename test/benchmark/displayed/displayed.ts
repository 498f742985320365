// From the bytes of a frame going into the broadcaster's socket to the same frame on the screen of Chromium, for every way to watch, and for
// what hls.js makes of nginx-rtmp's HLS of the same broadcast.

import type { Browser, Page } from 'playwright-core';
import { systemClock as clock, sleep } from '../../../network/clock.ts';
import type { Mode } from '../../../usher/player/playback/modes.ts';
import { ServerProcess } from '../../tools/cluster/server-process.ts';
import { STREAM, TestCluster } from '../../tools/cluster/test-cluster.ts';
import { launchChromium, openPage, untilStatus } from '../../tools/viewers/chromium.ts';
import { HlsPage } from '../../tools/viewers/hls-page.ts';
import { STREAM as NGINX_STREAM } from '../peers/contender.ts';
import { startNginxRtmp } from '../peers/nginx.ts';
import { untilReady } from '../processes.ts';
import { numberedRecordingFile } from '../recording.ts';
import { percentile, type Report, table } from '../report.ts';
import type { BenchmarkOptions } from '../run.ts';
import { sendInTime, type Target } from '../timed-frames.ts';
import { type SendTimes, type ShownFigures, watchShown } from './shown-frames.ts';

const ONE_HOP = {
  servers: {
    o: { site: 'fra1', roles: ['origin'] },
    e: { site: 'fra1', roles: ['edge'] },
  },
  ushers: ['u'],
} as const;
/** As long as a GOP of the recording: what is best for its delay. */
const NGINX_SEGMENT_S = 1;
/** For players to come to the distance from the live edge that they stay at. */
const SETTLE_MS = 12_000;

interface Way {
  readonly name: string;
  readonly server: 'origin' | 'one hop' | 'nginx-rtmp';
  open(browser: Browser, urls: Urls): Promise<Page>;
}

/** Of usher, with what is played from the origin and behind one hop; of nginx's playlist. */
interface Urls {
  readonly origin: string;
  readonly oneHop: string;
  readonly nginx: string;
}

const WAYS: readonly Way[] = [
  { name: 'progressive, our player (instant)', server: 'origin', open: ourPlayer('origin', 'instant') },
  { name: 'progressive, our player (instant)', server: 'one hop', open: ourPlayer('oneHop', 'instant') },
  { name: 'LL-HLS, our player (low-latency)', server: 'one hop', open: ourPlayer('oneHop', 'low-latency') },
  { name: 'LL-HLS, our player (steady)', server: 'one hop', open: ourPlayer('oneHop', 'steady') },
  { name: 'LL-HLS, hls.js as it comes', server: 'one hop', open: hlsJs(playlistOf, {}) },
  {
    name: 'HLS, segments of 1 s, hls.js',
    server: 'one hop',
    open: hlsJs(playlistOf, { lowLatencyMode: false }),
  },
  { name: 'HLS, segments of 1 s, hls.js', server: 'nginx-rtmp', open: hlsJs(({ nginx }) => nginx, {}) },
];

export async function benchmarkDisplayed({ seconds, only }: BenchmarkOptions): Promise<Report> {
  await using opened = new AsyncDisposableStack();
  const [origin, cluster, nginx, browser] = await Promise.all([
    ServerProcess.start(),
    TestCluster.start(ONE_HOP),
    startNginxRtmp({ protocol: 'segments', publishes: false, segmentS: NGINX_SEGMENT_S }),
    launchChromium(),
  ]);
  for (const each of [origin, cluster, nginx]) opened.use(each);
  opened.defer(() => browser.close());
  const published = [`${origin.rtmpUrl}/${STREAM}`, cluster.publishUrl('o')].map(targetOf);
  const sent = await publish(opened, [...published, { port: nginx.rtmpPort, name: NGINX_STREAM }]);
  const urls = { origin: origin.url, oneHop: cluster.usher('u').url, nginx: nginx.urls(1)[0]! };
  await Promise.all([urls.nginx, ...[urls.origin, urls.oneHop].map(liveUrl)].map(untilReady));
  const rows: Row[] = [];
  for (const way of WAYS.filter(({ name }) => name.includes(only))) {
    const page = await way.open(browser, urls);
    await sleep(clock, SETTLE_MS);
    const figures = await watchShown(page, sent, seconds * 1000);
    rows.push({ name: way.name, server: way.server, figures });
    await page.context().close();
  }
  return { data: rows, text: textOf(rows) };
}

interface Row extends Pick<Way, 'name' | 'server'> {
  readonly figures: ShownFigures;
}

function ourPlayer(server: 'origin' | 'oneHop', mode: Mode): Way['open'] {
  return async (browser, urls) => {
    const { page } = await openPage(browser, `${urls[server]}/watch/${STREAM}?mode=${mode}`);
    await untilStatus(page, 'playing', ({ state }) => state === 'playing');
    return page;
  };
}

function hlsJs(urlOf: (urls: Urls) => string, config: object): Way['open'] {
  return async (browser, urls) => (await HlsPage.open(browser, urlOf(urls), config)).page;
}

function playlistOf({ oneHop }: Urls): string {
  return liveUrl(oneHop);
}

function liveUrl(usherUrl: string): string {
  return `${usherUrl}/live/${STREAM}.m3u8`;
}

function targetOf(rtmpUrl: string): Target {
  const { port, pathname, search } = new URL(rtmpUrl);
  return { port: Number(port), name: `${pathname.split('/').at(-1)}${search}` };
}

async function publish(opened: AsyncDisposableStack, targets: readonly Target[]): Promise<SendTimes> {
  const sent = new Map<number, number[]>();
  const numbers = new Map<Uint8Array, number>();
  await sendInTime(opened, numberedRecordingFile(), targets, ({ type, payload }, nowMs) => {
    if (type !== 'video') return;
    if (!numbers.has(payload)) numbers.set(payload, numbers.size);
    const number = numbers.get(payload)!;
    sent.set(number, [...(sent.get(number) ?? []), nowMs]);
  });
  return sent;
}

const HEAD = [
  ...['what plays', 'from', 'p50 ms', 'p95 ms', 'p99 ms', 'buffered ahead, p50 ms'],
  ...['stalls', 'stood still ms', 'frames/s'],
];

function textOf(rows: readonly Row[]): string {
  const cells = rows.map(({ name, server, figures }) => [
    name,
    server,
    ...[0.5, 0.95, 0.99].map((share) => percentile(figures.delaysMs, share).toFixed(0)),
    percentile(figures.aheadMs, 0.5).toFixed(0),
    String(figures.stalls),
    figures.stalledMs.toFixed(0),
    figures.framesPerS.toFixed(1),
  ]);
  return `RTMP in at the origin to the frame on the screen, Chromium and all servers on one machine, one page at a time\n\n${table(HEAD, cells)}`;
}
